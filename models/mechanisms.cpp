#include "attune/models/mechanisms.h"

#include "attune/layers/attention/attention_score.h"
#include "attune/layers/attention/head_mixer.h"
#include "attune/layers/attention/locality.h"
#include "attune/layers/attention/normalizer.h"
#include "attune/layers/attention/positional_encoding.h"
#include "attune/layers/attention/sequence_mixer.h"
#include "attune/models/output_layer.h"

namespace attune {
namespace {

template <typename Maker>
void add(std::vector<AttentionMechanism>& all, const char* name, const Family<Maker>& family) {
  for (const auto& member : family.members())
    all.push_back({name, member.name, member.summary, member.source});
}

}  // namespace

std::vector<AttentionMechanism> attention_mechanisms() {
  std::vector<AttentionMechanism> all;
  add(all, "score", attention_scores());
  add(all, "normalizer", normalizers());
  add(all, "locality", localities());
  add(all, "positions", positional_encodings());
  add(all, "head_mixer", head_mixers());
  add(all, "sequence_mixer", sequence_mixers());
  add(all, "output_layer", output_layers());
  return all;
}

}  // namespace attune
