#include "attune/autograd/kernels/affine.h"

#include "attune/autograd/kernels/gemm.h"

namespace attune::kernels {
namespace {

constexpr std::int64_t kFewRows = 128;

std::int64_t rows_of(const Array& x) { return x.shape().elements(0, x.shape().rank() - 1); }

// y = x W^T + beta y with Op::transpose, y = x W + beta y with Op::none; + bias as in gemm().
template <typename T>
void multiply(Op op, const Array& x, const Array& weight, std::int64_t first_column, T beta,
              Array& y, const T* bias = nullptr) {
  const std::int64_t rows = rows_of(x), k = x.shape().last(), n = y.shape().last();
  const std::int64_t in = op == Op::transpose ? k : n, width = weight.shape()[1];
  if (const auto b = packed<T>(op, weight, first_column, in, /*make=*/rows <= kFewRows))
    b->multiply(Op::none, rows, x.data<T>(), k, beta, y.mutable_data<T>(), n, bias);
  else
    gemm(Op::none, op, rows, n, k, x.data<T>(), k, weight.data<T>() + first_column, width, beta,
         y.mutable_data<T>(), n, bias);
}

}  // namespace

Array affine(const Array& x, const Array& weight, const Array& bias, std::int64_t first_column) {
  Shape shape = x.shape();
  shape[shape.rank() - 1] = weight.shape()[0];
  Array y(shape, x.dtype());
  dispatch(y.dtype(), [&](auto type) {
    using T = decltype(type);
    multiply<T>(Op::transpose, x, weight, first_column, T{0}, y,
                bias.defined() ? bias.data<T>() : nullptr);
  });
  return y;
}

void affine_input_gradient(const Array& dy, const Array& weight, std::int64_t first_column,
                           Array dx, bool accumulate) {
  dispatch(dy.dtype(), [&](auto type) {
    using T = decltype(type);
    multiply<T>(Op::none, dy, weight, first_column, accumulate ? T{1} : T{0}, dx);
  });
}

}  // namespace attune::kernels
