#include "attune/autograd/ops/matmul.h"

#include <algorithm>

#include "attune/autograd/array/parallel.h"
#include "attune/autograd/kernels/gemm.h"
#include "attune/autograd/ops/shaping.h"

namespace attune {

using namespace kernels;

namespace {

// `batch` matrix products. A step of 0 uses the same matrix for all of them.
struct Product {
  std::int64_t batch, m, n, k;
  std::int64_t a_step, b_step;
  bool transpose_a, transpose_b;

  std::int64_t lda() const { return transpose_a ? m : k; }
  std::int64_t ldb() const { return transpose_b ? k : n; }
};

Op op(bool transpose) { return transpose ? Op::transpose : Op::none; }

// Calls body(i) for each product, in parallel unless they share an output.
template <typename Body>
void for_each_matrix(const Product& p, bool shared_output, const Body& body) {
  const std::int64_t work = std::max<std::int64_t>(1, p.m * p.n * p.k);
  const std::int64_t grain = shared_output ? p.batch : std::max<std::int64_t>(1, (1 << 20) / work);
  if (p.batch == 0) return;
  parallel_for(p.batch, grain, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) body(i);
  });
}

template <typename T>
void forward(const Product& p, const T* a, const T* b, T* y) {
  for_each_matrix(p, false, [&](std::int64_t i) {
    gemm(op(p.transpose_a), op(p.transpose_b), p.m, p.n, p.k, a + i * p.a_step, p.lda(),
         b + i * p.b_step, p.ldb(), T{0}, y + i * p.m * p.n, p.n);
  });
}

// dA = dY B^T, or its transpose if A is stored transposed.
template <typename T>
void backward_a(const Product& p, const T* dy, const T* b, T beta, T* da) {
  const bool shared = p.a_step == 0;
  if (p.batch == 0 && shared && beta == 0) std::fill_n(da, p.m * p.k, T{0});  // an empty sum
  for_each_matrix(p, shared, [&](std::int64_t i) {
    const T* dy_i = dy + i * p.m * p.n;
    const T* b_i = b + i * p.b_step;
    const T beta_i = shared && i > 0 ? T{1} : beta;
    T* da_i = da + i * p.a_step;
    if (p.transpose_a)
      gemm(op(p.transpose_b), Op::transpose, p.k, p.m, p.n, b_i, p.ldb(), dy_i, p.n, beta_i, da_i,
           p.m);
    else
      gemm(Op::none, op(!p.transpose_b), p.m, p.k, p.n, dy_i, p.n, b_i, p.ldb(), beta_i, da_i, p.k);
  });
}

// dB = A^T dY, or its transpose if B is stored transposed.
template <typename T>
void backward_b(const Product& p, const T* dy, const T* a, T beta, T* db) {
  const bool shared = p.b_step == 0;
  if (p.batch == 0 && shared && beta == 0) std::fill_n(db, p.k * p.n, T{0});  // an empty sum
  for_each_matrix(p, shared, [&](std::int64_t i) {
    const T* dy_i = dy + i * p.m * p.n;
    const T* a_i = a + i * p.a_step;
    const T beta_i = shared && i > 0 ? T{1} : beta;
    T* db_i = db + i * p.b_step;
    if (p.transpose_b)
      gemm(Op::transpose, op(p.transpose_a), p.n, p.k, p.m, dy_i, p.n, a_i, p.lda(), beta_i, db_i,
           p.k);
    else
      gemm(op(!p.transpose_a), Op::none, p.k, p.n, p.m, a_i, p.lda(), dy_i, p.n, beta_i, db_i, p.n);
  });
}

Product plan(const Shape& a, const Shape& b, MatmulOptions options, Shape& out) {
  ATTUNE_CHECK(a.rank() >= 2 && b.rank() >= 2,
               "matmul: a {} x b {}: both need at least two axes; reshape a vector to [1, N] or "
               "[N, 1]",
               a, b);
  Product p{};
  p.transpose_a = options.transpose_a;
  p.transpose_b = options.transpose_b;
  p.m = a.last(p.transpose_a ? 0 : 1);
  p.k = a.last(p.transpose_a ? 1 : 0);
  p.n = b.last(p.transpose_b ? 1 : 0);
  const std::int64_t b_inner = b.last(p.transpose_b ? 0 : 1);
  ATTUNE_CHECK(p.k == b_inner,
               "matmul: inner sizes differ: a {}{} x b {}{}; a's {} axis ({}) must equal b's {} "
               "({})",
               a, p.transpose_a ? " transposed" : "", b, p.transpose_b ? " transposed" : "",
               p.transpose_a ? "second-last" : "last", p.k, p.transpose_b ? "last" : "second-last",
               b_inner);
  const Shape& leading = a.rank() > 2 ? a : b;
  ATTUNE_CHECK(a.rank() == 2 || b.rank() == 2 ||
                   (a.rank() == b.rank() && std::equal(a.begin(), a.end() - 2, b.begin())),
               "matmul: leading axes differ: a {} x b {}; they must be equal, or 1 in one of them",
               a, b);
  p.batch = leading.elements(0, leading.rank() - 2);
  p.a_step = a.rank() == 2 ? 0 : p.m * p.k;
  p.b_step = b.rank() == 2 ? 0 : p.k * p.n;
  if (a.rank() == 2 && b.rank() == 2) p.a_step = p.m * p.k, p.b_step = p.k * p.n;
  out = leading;
  out[out.rank() - 2] = p.m;
  out[out.rank() - 1] = p.n;
  // With a single b, the matrices of a are multiplied as one large matrix.
  if (p.b_step == 0 && !p.transpose_a) {
    p.m *= p.batch;
    p.batch = 1;
  }
  return p;
}

// True if leading axes must be broadcast by copying: both operands have some, and they differ but
// are compatible.
bool must_stretch(const Shape& a, const Shape& b) {
  if (a.rank() <= 2 || b.rank() <= 2) return false;
  bool fits = true;
  for (int back = 2; back < std::min(a.rank(), b.rank()); ++back)
    fits = fits && (a.last(back) == b.last(back) || a.last(back) == 1 || b.last(back) == 1);
  return fits && !(a.rank() == b.rank() && std::equal(a.begin(), a.end() - 2, b.begin()));
}

Tensor stretch_leading(const Tensor& x, const Tensor& other) {
  Shape leading = other.shape();
  leading[leading.rank() - 2] = leading[leading.rank() - 1] = 1;
  const Shape shape = broadcast(x.shape(), leading, "matmul");
  return shape == x.shape() ? x : broadcast_to(x, shape);
}

}  // namespace

Tensor matmul(const Tensor& a, const Tensor& b, MatmulOptions options) {
  ATTUNE_CHECK(a.dtype() == b.dtype(), "matmul: dtypes differ: {} {} and {} {}; convert one",
               name_of(a.dtype()), a.shape(), name_of(b.dtype()), b.shape());
  if (must_stretch(a.shape(), b.shape()))
    return matmul(stretch_leading(a, b), stretch_leading(b, a), options);
  Shape shape;
  const Product p = plan(a.shape(), b.shape(), options, shape);
  Array y(shape, a.dtype());
  dispatch(y.dtype(), [&](auto type) {
    using T = decltype(type);
    forward<T>(p, a.value().data<T>(), b.value().data<T>(), y.mutable_data<T>());
  });
  return record("matmul", y, {a, b}, [p, a = Saved(a), b = Saved(b)](Grads& g) {
    dispatch(a->dtype(), [&](auto type) {
      using T = decltype(type);
      const Array dy = g.dy();
      if (g.needs(0)) {
        Into da = g.into(0);
        backward_a<T>(p, dy.data<T>(), b->data<T>(), static_cast<T>(da.beta()),
                      da.buffer.template mutable_data<T>());
      }
      if (g.needs(1)) {
        Into db = g.into(1);
        backward_b<T>(p, dy.data<T>(), a->data<T>(), static_cast<T>(db.beta()),
                      db.buffer.template mutable_data<T>());
      }
    });
  });
}

bool rows_are_independent() { return kernels::rows_are_independent(); }

}  // namespace attune
