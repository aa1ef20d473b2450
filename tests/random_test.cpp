#include <cmath>

#include "attune/autograd/array/random.h"
#include "attune/autograd/array/threads.h"
#include "catch.h"

using namespace attune;

// Salmon et al. 2011; the numbers are the known-answer vectors of their Random123 library.
TEST_CASE("philox gives the numbers of its authors") {
  using Four = std::array<std::uint32_t, 4>;
  CHECK(philox(0, 0, 0) == Four{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  const std::uint64_t ones = ~std::uint64_t{0};
  CHECK(philox(ones, ones, ones) == Four{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox(0x299f31d0a4093822, 0x0370734413198a2e, 0x85a308d3243f6a88) ==
        Four{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("element i of a random array comes from philox of its index alone") {
  const std::uint64_t key = 0x123456789abcdef;
  const auto bits = [&](std::uint64_t draw, std::int64_t i) {
    return std::uint64_t{philox(key, draw, static_cast<std::uint64_t>(i / 4))[i % 4]};
  };
  for (const std::int64_t n : {1, 3, 127, 128, 129, 20000}) {
    Generator random(key);
    Array single(Shape{n}), pair(Shape{n}, DType::f64), mask(Shape{n});
    random.uniform(single, 0, 1);
    random.uniform(pair, 0, 1);
    random.dropout_mask(mask, 0.3);
    for (std::int64_t i = 0; i < n; ++i) {
      REQUIRE(single.at(i) == static_cast<double>(bits(0, i) >> 8) * 0x1p-24);
      const std::uint64_t two = bits(1, 2 * i) << 32 | bits(1, 2 * i + 1);
      REQUIRE(pair.at(i) == static_cast<double>(two >> 11) * 0x1p-53);
      const bool dropped = static_cast<double>(bits(2, i) >> 8) * 0x1p-24 < 0.3;
      REQUIRE(mask.at(i) == (dropped ? 0 : static_cast<float>(1 / 0.7)));
    }
  }
}

TEST_CASE("random arrays are the same for any number of threads") {
  const int before = threads();
  const auto draw = [](int count, DType dtype) {
    set_threads(count);
    Generator random(11);
    Array all(Shape{3, 100003}, dtype), uniform = all[0], normal = all[1], mask = all[2];
    random.uniform(uniform, -1, 1);
    random.normal(normal, 0, 1);
    random.dropout_mask(mask, 0.3);
    return all.to_vector<double>();
  };
  for (const DType dtype : {DType::f32, DType::f64}) {
    const auto alone = draw(1, dtype);
    for (const int count : {2, 3, 8}) CHECK((draw(count, dtype) == alone));
  }
  set_threads(before);
}

TEST_CASE("a generator goes on from its seed and its number of draws alone") {
  Generator random(5);
  Array first(Shape{10}), second(Shape{10}), again(Shape{10});
  random.normal(first, 0, 1);
  Generator resumed(random.seed(), random.draws());
  random.normal(second, 0, 1);
  resumed.normal(again, 0, 1);
  CHECK(second.to_vector() == again.to_vector());
  CHECK(first.to_vector() != second.to_vector());
  CHECK(random.uniform() == resumed.uniform());
  seed(5);
  generator().normal(again, 0, 1);
  CHECK(again.to_vector() == first.to_vector());
}

TEST_CASE("random numbers have the moments and bounds that were asked for") {
  const std::int64_t n = 200000;
  for (const DType dtype : {DType::f32, DType::f64}) {
    Generator random(1);
    Array x(Shape{n}, dtype);
    const auto moments = [&] {
      double sum = 0, squares = 0;
      for (const double v : x.to_vector<double>()) {
        sum += v;
        squares += v * v;
      }
      const double mean = sum / n;
      return std::pair{mean, std::sqrt(squares / n - mean * mean)};
    };
    random.normal(x, 2, 3);
    CHECK(moments().first == Approx(2).margin(0.03));  // four standard errors
    CHECK(moments().second == Approx(3).margin(0.02));
    random.uniform(x, -1, 3);
    CHECK(moments().first == Approx(1).margin(0.011));
    CHECK(moments().second == Approx(4 / std::sqrt(12)).margin(0.006));
    for (const double v : x.to_vector<double>()) REQUIRE((v >= -1 && v < 3));
    random.dropout_mask(x, 0.25);
    CHECK(moments().first == Approx(1).margin(0.006));
  }
  Generator random(2);
  std::vector<int> counts(7);
  for (int i = 0; i < 7000; ++i) ++counts[static_cast<std::size_t>(random.below(7))];
  for (const int count : counts) CHECK(std::abs(count - 1000) < 130);
  CHECK_THROWS_WITH(random.below(0), contains("Generator::below: 0 is not a positive bound"));
}

TEST_CASE("the generator of a batch is the thread's own, or in shards one that all share") {
  seed(5);
  CHECK(&batch_generator() == &generator());
  const Generator shared(9);
  double inside = 0;
  {
    const BatchGenerator scope(shared);
    CHECK(&batch_generator() != &generator());
    inside = batch_generator().uniform();
    CHECK(generator().draws() == 0);
  }
  CHECK(&batch_generator() == &generator());
  CHECK(inside == Generator(9).uniform());
}

TEST_CASE("the first generators of a split do not depend on how many there are") {
  Generator a(5), b(5);
  const auto four = a.split(4), five = b.split(5);
  for (std::size_t i = 0; i < 4; ++i) CHECK(four[i].seed() == five[i].seed());
  CHECK(a.draws() == b.draws());
}
