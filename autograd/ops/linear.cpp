#include "attune/autograd/ops/linear.h"

#include <utility>

#include "attune/autograd/kernels/affine.h"

namespace attune {
namespace {

void check(const Tensor& x, const Tensor& weight, const Tensor& bias, std::int64_t first_column) {
  ATTUNE_CHECK(weight.rank() == 2 && x.rank() >= 1 && first_column >= 0 &&
                   first_column + x.shape().last() <= weight.size(1),
               "linear: x {} does not fit columns {} and on of weight {}; x's last axis may be at "
               "most {}",
               x.shape(), first_column, weight.shape(),
               weight.rank() == 2 ? weight.size(1) - first_column : -1);
  ATTUNE_CHECK(!bias.defined() || bias.shape() == Shape{weight.size(0)},
               "linear: bias {} does not fit weight {}; expected [{}]", bias.shape(),
               weight.shape(), weight.size(0));
  ATTUNE_CHECK(x.dtype() == weight.dtype() && (!bias.defined() || bias.dtype() == x.dtype()),
               "linear: x is {}, weight {}; convert one", name_of(x.dtype()),
               name_of(weight.dtype()));
}

}  // namespace

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  ATTUNE_CHECK(weight.rank() == 2 && x.rank() >= 1 && x.shape().last() == weight.size(1),
               "linear: x {} does not fit weight {}; x's last axis must be weight's last ({})",
               x.shape(), weight.shape(), weight.rank() == 2 ? weight.size(1) : -1);
  return linear(x, weight, bias, 0);
}

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias,
              std::int64_t first_column) {
  check(x, weight, bias, first_column);

  // y = x W^T + b
  Array y = kernels::affine(x.value(), weight.value(), bias.value(), first_column);

  return record("linear", std::move(y), {x, weight, bias},
                [x = Saved(x), weight = Saved(weight), first_column](Grads& g) {
                  // dx = dy W
                  if (g.needs(0)) {
                    const Into dx = g.into(0);
                    kernels::affine_input_gradient(g.dy(), *weight, first_column, dx.buffer,
                                                   dx.accumulate);
                  }
                  // dW = dy^T x, db = the sum of dy's rows
                  g.add_affine(/*weight:*/ 1, /*bias:*/ 2, g.dy(), *x, first_column);
                });
}

}  // namespace attune
