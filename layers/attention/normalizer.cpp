#include "attune/layers/attention/normalizer.h"

#include "attune/autograd/ops/softmax.h"

namespace attune {

Normalized SoftmaxNormalizer::operator()(const Tensor& scores, const Indices& lengths,
                                         AttentionState&) const {
  return {softmax(scores, /*axis=*/1, /*mask:*/ lengths), {}, {}};
}

Family<NormalizerMaker>& normalizers() {
  static Family<NormalizerMaker> family(
      "normalizer", {{"softmax", "exp(e_s) / sum_j exp(e_j)", "Bahdanau et al. 2015, eq. 6",
                      [] { return std::make_shared<SoftmaxNormalizer>(); }}});
  return family;
}

std::shared_ptr<Normalizer> make_normalizer(std::string_view name) {
  return normalizers().at(name).make();
}

std::vector<std::string> normalizer_names() { return normalizers().names(); }

}  // namespace attune
