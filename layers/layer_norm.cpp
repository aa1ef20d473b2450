#include "attune/layers/layer_norm.h"

#include "attune/autograd/ops/normalization.h"

namespace attune {

LayerNorm::LayerNorm(std::int64_t features, double eps)
    : weight_(param("weight", {features}, ones())),
      bias_(param("bias", {features}, zeros())),
      eps_(eps) {}

Tensor LayerNorm::operator()(const Tensor& x) const { return layer_norm(x, weight_, bias_, eps_); }

}  // namespace attune
