#include "attune/layers/attention/general_score.h"

#include <cmath>

#include "attune/autograd/ops/attention.h"
#include "attune/autograd/ops/matmul.h"

namespace attune {

GeneralScore::GeneralScore(const GeneralScoreOptions& options) {
  const double bound = 1 / std::sqrt(static_cast<double>(options.query_size));
  weight_ = param("weight", {options.key_size, options.query_size}, uniform(-bound, bound));
}

Tensor GeneralScore::project_keys(const Tensor& keys) const { return matmul(keys, weight_); }

Tensor GeneralScore::operator()(const Tensor& query, const Tensor& projected_keys,
                                AttentionState&) const {
  return dot_score(query, projected_keys);
}

}  // namespace attune
