// Sizes whose products or sums leave the range of their type.
#include <limits>

#include "attune/autograd/all.h"
#include "attune/autograd/kernels/gemm.h"
#include "attune/layers/all.h"
#include "catch.h"

using namespace attune;
using namespace attune::kernels;

namespace {

constexpr std::int64_t kHuge = std::int64_t{1} << 62;
constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

}  // namespace

TEST_CASE("an impossible shape is an error that names it") {
  const auto too_large = [](const char* shape) {
    return contains(std::string("Shape: ") + shape + " is too large");
  };
  CHECK_THROWS_WITH(Array::zeros({kHuge + 1}), too_large("[4611686018427387905]"));
  CHECK_THROWS_WITH(Array::zeros({kHuge, 4}), too_large("[4611686018427387904, 4]"));
  CHECK_THROWS_WITH(Array::zeros({1LL << 32, 1LL << 32}), too_large("[4294967296, 4294967296]"));
  CHECK_THROWS_WITH(Array({kMost}, DType::f64), too_large("[9223372036854775807]"));
  CHECK_THROWS_WITH(Array::full({3, kMost, 3}, 1), contains("is too large"));
  // The product is 0, but parts of it overflow.
  CHECK_THROWS_WITH(Array::zeros({0, kHuge, kHuge}), contains("is too large"));
  CHECK_THROWS_WITH(Array::zeros({kHuge, 4, 0}), contains("is too large"));
  CHECK(Array::zeros({0, 1LL << 40}).elements() == 0);
  Shape grown{1, 1};  // one that was changed afterwards
  grown[0] = grown[1] = 1LL << 32;
  CHECK_THROWS_WITH(Array(grown), too_large("[4294967296, 4294967296]"));
  CHECK_THROWS_WITH(Array(Shape{1LL << 31}.with(0, 1LL << 31)), contains("is too large"));
}

TEST_CASE("a shape too large for memory is an error that states the size needed") {
  CHECK_THROWS_WITH(Array::zeros({1LL << 50}),
                    contains("out of memory: 4194304.0 GiB were requested"));
  CHECK_THROWS_AS(Array::zeros({1LL << 59}, DType::f64), pool::OutOfMemory);
}

TEST_CASE("derived shapes are checked like explicit ones") {
  const Array one = Array::full({1}, 1), none = Array::zeros({0});
  CHECK_THROWS_WITH(none.reshape({1LL << 32, 1LL << 32}), contains("is too large"));
  CHECK_THROWS_WITH(none.reshape({1LL << 32, 1LL << 32, -1}), contains("is too large"));
  CHECK_THROWS_WITH(one.reshape({kHuge + 1, -1}), contains("is too large"));
  CHECK_THROWS_WITH(broadcast_to(Tensor(one), {kHuge, 4}), contains("is too large"));
  CHECK_THROWS_WITH(Array::from(std::vector<float>{}, {1LL << 32, 1LL << 32}),
                    contains("is too large"));
  CHECK_THROWS_WITH(Array::from(std::vector<float>{1}, {-1, -1}), contains("negative size"));
  CHECK_THROWS_AS(
      matmul(Tensor(Array::zeros({1LL << 31, 0})), Tensor(Array::zeros({0, 1LL << 31}))), Error);
}

TEST_CASE("rows beyond the end are rejected even if first + count overflows") {
  const Array x = Array::zeros({4, 3});
  CHECK_THROWS_WITH(x.block(1, kMost), contains("rows from 1 on are outside"));
  CHECK_THROWS_WITH(x.block(kMost, kMost), contains("are outside"));
  CHECK_THROWS_WITH(x.block(5, 0), contains("0 rows from 5 on are outside"));
  CHECK(x.block(4, 0).elements() == 0);
  const Indices ids(std::vector<std::int32_t>(12), {4, 3});
  CHECK_THROWS_WITH(ids.block(1, kMost), contains("rows from 1 on are outside"));
  CHECK_THROWS_WITH(ids.columns(1, kMost), contains("columns from 1 on are outside"));
  CHECK_THROWS_WITH(slice(Tensor(x), 0, 1, kMost), contains("slice:"));
}

TEST_CASE("indices reject a shape that does not match the number of values") {
  CHECK_THROWS_WITH(Indices(std::vector<std::int32_t>{}, {1LL << 32, 1LL << 32}),
                    contains("is too large"));
  CHECK_THROWS_WITH(Indices(std::vector<std::int32_t>{7}, {-1, -1}),
                    contains("Indices: the shape [-1, -1] has a negative size"));
  const Indices ids{7};
  CHECK_THROWS_WITH(ids.reshape({-1, -1}), contains("cannot be reshaped to [-1, -1]"));
  CHECK(ids.reshape({}).shape() == Shape{});
}

TEST_CASE("sizes too large for OpenBLAS are rejected rather than truncated") {
  const double a = 1, b = 1;
  double c = 0;
  const std::int64_t beyond = std::int64_t{1} << 32;
  CHECK_THROWS_WITH(gemm<double>(Op::none, Op::none, 1, 1, 1, &a, beyond, &b, 1, 0, &c, 1),
                    contains("4294967296 numbers is too large for OpenBLAS"));
  CHECK_THROWS_WITH(gemm_panel<double>(Op::none, Op::none, 1, 1, beyond, &a, 1, &b, 1, 0, &c, 1),
                    contains("is too large for OpenBLAS"));
}

TEST_CASE("layers of impossible sizes are rejected") {
  CHECK_THROWS_AS(Linear(kHuge, kHuge), Error);
  CHECK_THROWS_AS(Linear(4, kHuge), Error);
  CHECK_THROWS_AS(Embedding(kHuge, 4), Error);
  CHECK_THROWS_AS(LayerNorm(kHuge), Error);
  for (const char* kind : {"rnn", "gru", "lstm"}) {
    CHECK_THROWS_WITH(make_cell(kind, 4, kHuge), contains("hidden units"));
    CHECK_THROWS_WITH(make_cell(kind, 4, 0), contains("0 hidden units"));
    CHECK_THROWS_AS(make_cell(kind, kHuge, 4), Error);
  }
  CHECK_THROWS_AS(MultiHeadAttention(kHuge, 4), Error);
  CHECK_THROWS_AS(FeedForward({4, kHuge, 4}), Error);
  const LearnedPositionalEncoding positions(4, 10);
  CHECK_THROWS_WITH(positions(Array::zeros({3, 1, 4}), kMost),
                    contains("3 positions from 9223372036854775807 on exceed"));
  CHECK(SinusoidalPositionalEncoding(4)(Array::zeros({3, 1, 4}), kMost).value().all_finite());
}

TEST_CASE("a causal offset beyond all positions hides every key or no key") {
  const Tensor x(Array::full({3, 1, 2}, 0.5));
  const auto with = [&](const Mask& mask) {
    return scaled_dot_product_attention(x, x, x, {.mask = mask}).value().to_vector();
  };
  const std::vector<float> all = with({}), none(6, 0);
  constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
  CHECK(with(Mask::causal(kMost)) == all);
  CHECK(with(Mask::causal(kLeast)) == none);
  CHECK(with(Mask::window(kMost, kMost)) == all);
  CHECK(with(Mask::window(1, 1, kMost)) == none);
  CHECK(with(Mask::window(1, 1, kLeast)) == none);
}
