#include "attune/layers/attention/head_mixer.h"

namespace attune {

Family<HeadMixerMaker>& head_mixers() {
  static Family<HeadMixerMaker> family(
      "head mixer",
      {
          {"none", "each head attends on its own", "Vaswani et al. 2017, sec. 3.2.2",
           [](const HeadMixerOptions&) { return std::shared_ptr<HeadMixer>(); }},
          {"talking", "learned mixtures of the scores, and of the weights, of all heads",
           "Shazeer et al. 2020", ATTUNE_MAKER(HeadMixerMaker, make_talking_heads)},
          {"differential", "the difference of two softmaxes in each head",
           "Ye et al. 2024, sec. 2.1", ATTUNE_MAKER(HeadMixerMaker, make_differential_heads)},
      });
  return family;
}

std::shared_ptr<HeadMixer> make_head_mixer(std::string_view name, const HeadMixerOptions& options) {
  return head_mixers().make(name, options);
}

std::int64_t score_heads(std::string_view name, std::int64_t heads) {
  const GeneratorScope draws{Generator()};  // parameters that are thrown away draw from nothing
  const auto mixer =
      make_head_mixer(name, {.heads = heads, .features = 2 * heads, .arguments = {}});
  return mixer ? mixer->score_heads(heads) : heads;
}

std::vector<std::string> head_mixer_names() { return head_mixers().names(); }

}  // namespace attune
