#include "attune/layers/attention/short_convolution.h"

#include "attune/autograd/ops/activations.h"
#include "attune/autograd/ops/convolution.h"
#include "attune/autograd/ops/shaping.h"

namespace attune {

ShortConvolution::ShortConvolution(std::int64_t features, std::int64_t width, bool bias)
    : weight_(param("weight", {features, width}, uniform_by_inputs(width))) {
  if (bias) bias_ = param("bias", {features}, uniform_by_inputs(width));
}

Tensor ShortConvolution::operator()(const Tensor& x, Tensor& recent) const {
  const LayerScope scope(*this);
  if (x.size(0) == 0) return x;
  const std::int64_t before = weight_.size(1) - 1;
  const Tensor past = recent.defined()
                          ? transpose(recent, 0, 1)
                          : Tensor(Array::zeros({before, x.size(1), x.size(2)}, x.dtype()));
  const Tensor all = concat({past, x});
  recent = transpose(slice(all, 0, x.size(0), x.size(0) + before), 0, 1);
  return silu(depthwise_conv1d(all, weight_, bias_));
}

}  // namespace attune
