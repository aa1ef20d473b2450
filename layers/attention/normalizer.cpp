#include "attune/layers/attention/normalizer.h"

#include <limits>

#include "attune/autograd/ops/comparison.h"
#include "attune/autograd/ops/indexing.h"
#include "attune/autograd/ops/reductions.h"
#include "attune/autograd/ops/shaping.h"
#include "attune/layers/attention/stage_recorder.h"

namespace attune {

Tensor Normalizer::visible(const Tensor& masked) {
  return logical_not(masked.detach() <=
                     -std::numeric_limits<double>::infinity());  // NaN is visible
}

Tensor Normalizer::visible_only(const Tensor& weights, const Tensor& masked) {
  return where(visible(masked), weights, 0.0);
}

Tensor Normalizer::one_hot(const Tensor& masked) {
  const std::int64_t rows = masked.size(0), keys = masked.size(1);
  const Indices best = argmax(masked, 1);
  Array chosen = Array::zeros(masked.shape(), masked.dtype());
  for (std::int64_t row = 0; row < rows; ++row) chosen.set(row * keys + best.at(row), 1);
  return visible_only(chosen, masked);
}

Tensor Normalizer::of_rows(const Tensor& parameter, const Tensor& scores) {
  const std::int64_t heads = parameter.size(0), rows = scores.size(0);
  return reshape(expand(parameter, {rows / heads, heads}), {rows, 1});
}

Normalized SoftmaxNormalizer::operator()(const Tensor& scores, const Mask& mask,
                                         AttentionState&) const {
  const LayerScope scope(*this);
  return {recorded(AttentionStage::weights, "a", softmax(scores, mask)), {}, {}};
}

std::shared_ptr<Normalizer> make_softmax_normalizer(const NormalizerOptions&) {
  return std::make_shared<SoftmaxNormalizer>();
}

Family<NormalizerMaker>& normalizers() {
  static Family<NormalizerMaker> family(
      "normalizer",
      {
          {"softmax", "exp(e_s) / sum_j exp(e_j)", "Bahdanau et al. 2015, eq. 6",
           ATTUNE_MAKER(NormalizerMaker, make_softmax_normalizer)},
          {"exp", "exp(e_s), not normalised", "Graves 2013, eq. 46",
           ATTUNE_MAKER(NormalizerMaker, make_exp_normalizer)},
          {"sparsemax", "the nearest point of the simplex", "Martins and Astudillo 2016, sec. 2.1",
           ATTUNE_MAKER(NormalizerMaker, make_sparsemax_normalizer)},
          {"entmax", "between softmax and sparsemax; alpha=1.5, learned=false",
           "Peters et al. 2019, eq. 10 and 13",
           ATTUNE_MAKER(NormalizerMaker, make_entmax_normalizer)},
          {"sigmoid", "sigmoid(e_s - log n)", "Ramapuram et al. 2024, sec. 2",
           ATTUNE_MAKER(NormalizerMaker, make_sigmoid_normalizer)},
          {"softmax_one", "exp(e_s) / (1 + sum_j exp(e_j))", "Miller 2023",
           ATTUNE_MAKER(NormalizerMaker, make_softmax_one_normalizer)},
          {"sink", "exp(e_s) / (exp(b) + sum_j exp(e_j)), b learned", "OpenAI 2025, gpt-oss",
           ATTUNE_MAKER(NormalizerMaker, make_sink_normalizer)},
          {"temperature", "softmax(e / tau); value=1, learned=true", "Hinton et al. 2015, sec. 2",
           ATTUNE_MAKER(NormalizerMaker, make_temperature_normalizer)},
          {"gumbel", "softmax((e + noise) / tau); temperature=1, hard=false",
           "Jang et al. 2016, eq. 2", ATTUNE_MAKER(NormalizerMaker, make_gumbel_normalizer)},
          {"top_k", "softmax over the k best; k=4", "Gupta et al. 2021",
           ATTUNE_MAKER(NormalizerMaker, make_top_k_normalizer)},
          {"hard", "one position, drawn from softmax(e); expected=0.5, entropy=0.01",
           "Xu et al. 2015, sec. 4.1", ATTUNE_MAKER(NormalizerMaker, make_hard_normalizer)},
          {"monotonic", "moves to the right only; noise=1, offset=-1",
           "Raffel et al. 2017, eq. 9 to 14",
           ATTUNE_MAKER(NormalizerMaker, make_monotonic_normalizer)},
          {"chunkwise", "softmax over a chunk before it; width=4, noise=1, offset=-1",
           "Chiu and Raffel 2018, eq. 17",
           ATTUNE_MAKER(NormalizerMaker, make_chunkwise_normalizer)},
      });
  return family;
}

std::shared_ptr<Normalizer> make_normalizer(std::string_view name,
                                            const NormalizerOptions& options) {
  return normalizers().make(name, options);
}

std::vector<std::string> normalizer_names() { return normalizers().names(); }

}  // namespace attune
