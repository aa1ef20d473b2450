#include "attune/autograd/kernels/gemm.h"

#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <vector>

#include "attune/autograd/array/random.h"
#include "attune/autograd/kernels/gemm_kernel.h"
#include "attune/autograd/ops/linear.h"
#include "catch.h"

using namespace attune;
using namespace attune::kernels;

namespace {

struct Product {
  Op op_a, op_b;
  std::int64_t m, n, k;
  std::int64_t lda() const { return (op_a == Op::none ? k : m) + 3; }  // rows with a gap behind
  std::int64_t ldb() const { return (op_b == Op::none ? n : k) + 2; }
  std::int64_t ldc() const { return n + 1; }
};

Array random_matrix(std::int64_t rows, std::int64_t columns) {
  Array x({rows, columns});
  Generator(7, static_cast<std::uint64_t>(rows * 1000 + columns)).uniform(x, -1, 1);
  return x;
}

struct Operands {
  Array a, b;
  explicit Operands(const Product& p)
      : a(random_matrix(p.op_a == Op::none ? p.m : p.k, p.lda())),
        b(random_matrix(p.op_b == Op::none ? p.k : p.n, p.ldb())) {}
};

// C = A B + beta C for C full of 0.5, in double loops.
std::vector<double> expected(const Product& p, const Operands& x, double beta) {
  const auto a = x.a.to_vector<double>(), b = x.b.to_vector<double>();
  std::vector<double> c;
  for (std::int64_t i = 0; i < p.m; ++i)
    for (std::int64_t j = 0; j < p.n; ++j) {
      double sum = beta == 0 ? 0 : 0.5 * beta;
      for (std::int64_t l = 0; l < p.k; ++l)
        sum += a[static_cast<std::size_t>(p.op_a == Op::none ? i * p.lda() + l : l * p.lda() + i)] *
               b[static_cast<std::size_t>(p.op_b == Op::none ? l * p.ldb() + j : j * p.ldb() + l)];
      c.push_back(sum);
    }
  return c;
}

// Compares C [m, n], whose rows are ldc elements apart; elements between rows must be unchanged.
void check(const Product& p, const Array& c, const std::vector<double>& right) {
  double worst = 0;
  for (std::int64_t i = 0; i < p.m; ++i) {
    for (std::int64_t j = 0; j < p.n; ++j)
      worst = std::max(
          worst, std::abs(c.at(i * p.ldc() + j) - right[static_cast<std::size_t>(i * p.n + j)]));
    REQUIRE(c.at(i * p.ldc() + p.n) == 0.5);
  }
  CHECK(worst < 1e-6 * static_cast<double>(p.k) + 1e-5);
}

const std::vector<Product>& products() {
  static const std::vector<Product> all = [] {
    std::vector<Product> list;
    for (const Op a : {Op::none, Op::transpose})
      for (const Op b : {Op::none, Op::transpose})
        for (const auto& [m, n, k] : std::vector<std::array<std::int64_t, 3>>{{1, 1, 1},
                                                                              {1, 70, 45},
                                                                              {1, 400, 600},
                                                                              {2, 3, 20},
                                                                              {3, 70, 45},
                                                                              {5, 37, 64},
                                                                              {7, 33, 5},
                                                                              {8, 32, 17},
                                                                              {67, 97, 131},
                                                                              {13, 401, 530},
                                                                              {201, 64, 40}})
          list.push_back({a, b, m, n, k});
    return list;
  }();
  return all;
}

}  // namespace

TEST_CASE("float32 products of all sizes and transposes match plain loops") {
  for (const Product& p : products()) {
    const Operands x(p);
    for (const float beta : {0.0f, 1.0f, 0.25f}) {
      const std::vector<double> right = expected(p, x, beta);
      const float *a = x.a.data<float>(), *b = x.b.data<float>();
      Array c = Array::full({p.m, p.ldc()}, 0.5);
      gemm(p.op_a, p.op_b, p.m, p.n, p.k, a, p.lda(), b, p.ldb(), beta, c.mutable_data<float>(),
           p.ldc());
      check(p, c, right);
      c.fill(0.5);
      const PackedMatrix<float> packed(p.op_b, p.n, p.k, b, p.ldb());
      packed.multiply(p.op_a, p.m, a, p.lda(), beta, c.mutable_data<float>(), p.ldc());
      check(p, c, right);
    }
  }
}

TEST_CASE("a bias is added to each row of a product, with the bits of rows that hold it") {
  for (const Product& p : products()) {
    const Operands x(p);
    const float *a = x.a.data<float>(), *b = x.b.data<float>();
    const Array bias = random_matrix(1, p.n);
    Array filled = Array::full({p.m, p.ldc()}, 0.5);
    for (std::int64_t i = 0; i < p.m; ++i)
      for (std::int64_t j = 0; j < p.n; ++j) filled.set(i * p.ldc() + j, bias.at(j));
    Array plain = Array::full({p.m, p.ldc()}, 0.5), packed = plain.clone();
    gemm(p.op_a, p.op_b, p.m, p.n, p.k, a, p.lda(), b, p.ldb(), 1.0f, filled.mutable_data<float>(),
         p.ldc());
    gemm(p.op_a, p.op_b, p.m, p.n, p.k, a, p.lda(), b, p.ldb(), 0.0f, plain.mutable_data<float>(),
         p.ldc(), bias.data<float>());
    PackedMatrix<float>(p.op_b, p.n, p.k, b, p.ldb())
        .multiply(p.op_a, p.m, a, p.lda(), 0.0f, packed.mutable_data<float>(), p.ldc(),
                  bias.data<float>());
    CHECK(plain.to_vector() == filled.to_vector());
    CHECK(packed.to_vector() == filled.to_vector());
  }
  std::vector<double> bias = {3, -2}, c(4, 0.5);
  gemm<double>(Op::none, Op::none, 2, 2, 0, nullptr, 1, nullptr, 2, 0, c.data(), 2, bias.data());
  CHECK(c == std::vector<double>{3, -2, 3, -2});
}

TEST_CASE("a packed operand gives bitwise equal products") {
  for (const Product& p : products()) {
    const Operands x(p);
    const float *a = x.a.data<float>(), *b = x.b.data<float>();
    Array plain = Array::full({p.m, p.ldc()}, 0.5), packed = plain.clone();
    gemm(p.op_a, p.op_b, p.m, p.n, p.k, a, p.lda(), b, p.ldb(), 1.0f, plain.mutable_data<float>(),
         p.ldc());
    PackedMatrix<float>(p.op_b, p.n, p.k, b, p.ldb())
        .multiply(p.op_a, p.m, a, p.lda(), 1.0f, packed.mutable_data<float>(), p.ldc());
    CHECK(plain.to_vector() == packed.to_vector());
  }
}

#if ATTUNE_GEMM_KERNEL
TEST_CASE("a product with rows that lie anywhere has the bits of one whose rows are in order") {
  for (const Op op_b : {Op::none, Op::transpose})
    for (const auto& [n, k] : std::vector<std::array<std::int64_t, 2>>{
             {1, 1}, {3, 32}, {12, 32}, {20, 17}, {31, 64}, {33, 5}, {70, 45}, {401, 600}})
      for (const float beta : {0.0f, 1.0f, 0.25f}) {
        const Product p{Op::none, op_b, 1, n, k};
        const Operands x(p);
        const float *a = x.a.data<float>(), *b = x.b.data<float>();
        const Array start = random_matrix(1, n);
        Array even = start.clone(), scattered = start.clone();
        gemm_panel(Op::none, op_b, 1, n, k, a, p.lda(), b, p.ldb(), beta,
                   even.mutable_data<float>(), n);
        // The rows in reverse order, each behind two elements that must not be read.
        constexpr std::int64_t kOffset = 2;
        const std::int64_t rows = op_b == Op::none ? k : n, length = op_b == Op::none ? n : k;
        Array reversed =
            Array::full({rows, kOffset + length}, std::numeric_limits<double>::quiet_NaN());
        std::vector<const float*> lines;
        for (std::int64_t i = 0; i < rows; ++i) {
          float* to = reversed.mutable_data<float>() + (rows - 1 - i) * (kOffset + length);
          std::copy_n(b + i * p.ldb(), length, to + kOffset);
          lines.push_back(to);
        }
        gemm_scattered(op_b, n, k, a, lines.data(), kOffset, beta, scattered.mutable_data<float>());
        CHECK(scattered.to_vector() == even.to_vector());
      }
}
#endif

TEST_CASE("a row of a product has the same bits alone as among other rows") {
  if (!std::string(blas_description()).starts_with("attune")) return;
  for (const Op op_b : {Op::none, Op::transpose})
    for (const auto& [n, k] :
         std::vector<std::array<std::int64_t, 2>>{{1, 1}, {32, 32}, {37, 64}, {70, 45}, {401, 600}})
      for (const std::int64_t m : {9, 20, 199}) {
        const Product p{Op::none, op_b, m, n, k};
        const Operands x(p);
        const float *a = x.a.data<float>(), *b = x.b.data<float>();
        const PackedMatrix<float> packed_b(op_b, n, k, b, p.ldb());
        Array all = Array::full({m, n}, 0.5), rows = all.clone(), packed_rows = all.clone();
        packed_b.multiply(Op::none, m, a, p.lda(), 1.0f, all.mutable_data<float>(), n);
        for (std::int64_t i = 0; i < m; ++i) {
          gemm(Op::none, op_b, 1, n, k, a + i * p.lda(), p.lda(), b, p.ldb(), 1.0f,
               rows.mutable_data<float>() + i * n, n);
          packed_b.multiply(Op::none, 1, a + i * p.lda(), p.lda(), 1.0f,
                            packed_rows.mutable_data<float>() + i * n, n);
        }
        CHECK(rows.to_vector() == all.to_vector());
        CHECK(packed_rows.to_vector() == all.to_vector());
      }
}

TEST_CASE("a modified weight is packed again") {
  const Tensor x(random_matrix(5, 9));
  Tensor weight = Tensor::parameter(random_matrix(4, 9));
  const auto before = linear(x, weight).value().to_vector();
  weight.value().assign(random_matrix(4, 9).clone());
  CHECK(linear(x, weight).value().to_vector() == before);
  weight.value().fill(2);
  const auto after = linear(x, weight).value().to_vector();
  CHECK(after != before);
  CHECK(after[0] == Approx(linear(x, Tensor(weight.value().clone())).value().at(0)));
}

TEST_CASE("parts of one weight are packed separately") {
  const Tensor x(random_matrix(5, 9));
  const Array wide = random_matrix(4, 18);
  const Tensor weight = Tensor::parameter(wide);
  const auto left = linear(x, weight, {}, 0).value().to_vector();
  const auto right = linear(x, weight, {}, 9).value().to_vector();
  CHECK(left != right);
  Array copied({4, 9});
  for (std::int64_t i = 0; i < 36; ++i) copied.set(i, wide.at(i / 9 * 18 + 9 + i % 9));
  CHECK(linear(x, Tensor(copied)).value().to_vector() == right);
}
