#include "attune/layers/attention/sequence_mixer.h"

#include "attune/autograd/ops/arithmetic.h"
#include "attune/autograd/ops/padding.h"
#include "attune/autograd/ops/shaping.h"

namespace attune {

MixerState MixerState::select(const Indices& rows) const {
  const auto selected = [&](const Tensor& x) {
    return x.defined() ? index_select(x, 0, rows) : Tensor();
  };
  return {selected(memory), selected(recent), positions};
}

Family<SequenceMixerMaker>& sequence_mixers() {
  static Family<SequenceMixerMaker> family(
      "sequence mixer",
      {
          {"attention", "softmax(q k^T / sqrt(d)) v, over all positions",
           "Vaswani et al. 2017, sec. 3.2",
           [](const SequenceMixerOptions&) { return std::shared_ptr<SequenceMixer>(); }},
          {"linear", "S_t = S_{t-1} + f(k_t) v_t^T, f(x) = elu(x) + 1",
           "Katharopoulos et al. 2020, eq. 7 to 12",
           ATTUNE_MAKER(SequenceMixerMaker, make_linear_mixer)},
          {"delta_rule", "S_t = S_{t-1} + b_t k_t (v_t - S_{t-1}^T k_t)^T; keys=l2, nu=1",
           "Schlag et al. 2021, sec. 4.2", ATTUNE_MAKER(SequenceMixerMaker, make_delta_rule_mixer)},
          {"retention", "S_t = a S_{t-1} + k_t v_t^T, with rotated q and k",
           "Sun et al. 2023, eq. 5 to 8", ATTUNE_MAKER(SequenceMixerMaker, make_retention_mixer)},
          {"gated_delta", "S_t = a_t S_{t-1} + b_t k_t (v_t - a_t S_{t-1}^T k_t)^T; width=4",
           "Yang et al. 2024 (Gated DeltaNet), eq. 10",
           ATTUNE_MAKER(SequenceMixerMaker, make_gated_delta_mixer)},
          {"mamba", "h_t = exp(d_t A) h_{t-1} + d_t B_t x_t; state=16, expand=2, width=4",
           "Gu and Dao 2023, algorithm 2", ATTUNE_MAKER(SequenceMixerMaker, make_mamba_mixer)},
      });
  return family;
}

std::shared_ptr<SequenceMixer> make_sequence_mixer(std::string_view name,
                                                   const SequenceMixerOptions& options) {
  ATTUNE_CHECK(options.heads >= 1 && options.features % options.heads == 0,
               "sequence mixer: {} features cannot be divided among {} heads; use a multiple",
               options.features, options.heads);
  return sequence_mixers().make(name, options);
}

std::vector<std::string> sequence_mixer_names() { return sequence_mixers().names(); }

namespace {

std::shared_ptr<SequenceMixer> of_direction(std::string_view name,
                                            const SequenceMixerOptions& options) {
  auto mixer = make_sequence_mixer(name, options);
  ATTUNE_CHECK(mixer, "BidirectionalMixer: {} has no direction", name);
  return mixer;
}

}  // namespace

BidirectionalMixer::BidirectionalMixer(std::string_view name, const SequenceMixerOptions& options)
    : forward_(child("forward", of_direction(name, options))),
      backward_(child("backward", of_direction(name, options))) {}

Tensor BidirectionalMixer::operator()(const Tensor& x, const Indices& lengths) const {
  const LayerScope scope(*this);
  const Tensor forwards = (*forward_)(mask_padding(x, lengths), {}).output;
  const Tensor backwards = (*backward_)(reverse_sequence(x, lengths), {}).output;
  return mask_padding(forwards, lengths) + reverse_sequence(backwards, lengths);
}

}  // namespace attune
