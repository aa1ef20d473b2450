#include "attune/layers/attention/normalizer.h"

namespace attune {

Normalized SoftmaxNormalizer::operator()(const Tensor& scores, const Mask& mask,
                                         AttentionState&) const {
  return {softmax(scores, mask), {}, {}};
}

std::shared_ptr<Normalizer> make_softmax_normalizer(const NormalizerOptions&) {
  return std::make_shared<SoftmaxNormalizer>();
}

Family<NormalizerMaker>& normalizers() {
  static Family<NormalizerMaker> family(
      "normalizer", {
                        {"softmax", "exp(e_s) / sum_j exp(e_j)", "Bahdanau et al. 2015, eq. 6",
                         ATTUNE_MAKER(NormalizerMaker, make_softmax_normalizer)},
                    });
  return family;
}

std::shared_ptr<Normalizer> make_normalizer(std::string_view name,
                                            const NormalizerOptions& options) {
  return normalizers().make(name, options);
}

std::vector<std::string> normalizer_names() { return normalizers().names(); }

}  // namespace attune
