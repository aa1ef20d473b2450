#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <set>
#include <thread>

#include "attune/autograd/array/random.h"
#include "attune/autograd/array/threads.h"
#include "catch.h"

using namespace attune;

// Salmon et al. 2011; the numbers are the known-answer vectors of their Random123 library.
TEST_CASE("philox matches its authors' reference values") {
  using Four = std::array<std::uint32_t, 4>;
  CHECK(philox(0, 0, 0) == Four{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  const std::uint64_t ones = ~std::uint64_t{0};
  CHECK(philox(ones, ones, ones) == Four{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox(0x299f31d0a4093822, 0x0370734413198a2e, 0x85a308d3243f6a88) ==
        Four{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("element i of a random array depends only on philox of its index") {
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

TEST_CASE("a generator is restored from its seed and number of draws") {
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

TEST_CASE("random numbers have the requested moments and bounds") {
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

TEST_CASE("batch_generator() is the thread's generator, or in shards one state shared by all") {
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

TEST_CASE("the first generators of a split do not depend on their number") {
  Generator a(5), b(5);
  const auto four = a.split(4), five = b.split(5);
  for (std::size_t i = 0; i < 4; ++i) CHECK(four[i].seed() == five[i].seed());
  CHECK(a.draws() == b.draws());
}

// Threads

namespace {

// What a thread that runs `body` first draws.
template <typename Body>
std::vector<float> drawn_in_thread(const Body& body) {
  std::vector<float> mask;
  std::thread([&] {
    body();
    Array x(Shape{256});
    generator().dropout_mask(x, 0.5);
    mask = x.to_vector();
  }).join();
  return mask;
}
std::vector<float> drawn_in_thread() {
  return drawn_in_thread([] {});
}

std::vector<float> drawn_here() {
  Array x(Shape{256});
  generator().dropout_mask(x, 0.5);
  return x.to_vector();
}

}  // namespace

TEST_CASE("each thread draws its own stream, determined by the process's seed") {
  seed(5);
  const auto here = drawn_here(), one = drawn_in_thread(), two = drawn_in_thread();
  CHECK(std::set{here, one, two}.size() == 3);
  seed(6);
  CHECK(std::set{here, one, two, drawn_here(), drawn_in_thread(), drawn_in_thread()}.size() == 6);
  seed(5);
  CHECK(drawn_here() == here);
  CHECK(drawn_in_thread() == one);
  CHECK(drawn_in_thread() == two);
}

TEST_CASE("random numbers differ between threads") {
  seed(5);
  std::vector<std::vector<float>> weights(4);
  std::vector<std::thread> threads;
  for (auto& weight : weights)
    threads.emplace_back([&] {
      weight.resize(64);
      Array x(Shape{64});
      generator().uniform(x, -1, 1);
      weight = x.to_vector();
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(std::set(weights.begin(), weights.end()).size() == 4);
}

TEST_CASE("a thread that seeds itself is reproducible and does not affect other threads") {
  seed(5);
  const auto before = drawn_here(), after = drawn_here();
  seed(5);
  CHECK(drawn_here() == before);
  const auto nine = drawn_in_thread([] { seed(9); });
  CHECK(drawn_here() == after);
  CHECK(drawn_in_thread([] { seed(9); }) == nine);
  seed(9);
  CHECK(drawn_here() == nine);
}

TEST_CASE("a running thread follows a later process seed, unless it seeded itself") {
  const auto rounds = [](bool itself) {
    std::vector<std::vector<float>> drawn;
    std::atomic<int> turn{0};
    seed(5);
    std::thread worker([&] {
      if (itself) seed(7);
      for (int round = 0; round < 2; ++round) {
        drawn.push_back(drawn_here());
        turn = 2 * round + 1;
        turn.notify_all();
        turn.wait(2 * round + 1);
      }
    });
    for (int round = 0; round < 2; ++round) {
      for (int seen; (seen = turn) != 2 * round + 1;) turn.wait(seen);
      seed(5);
      turn = 2 * round + 2;
      turn.notify_all();
    }
    worker.join();
    return drawn[0] == drawn[1];
  };
  CHECK(rounds(false));
  CHECK_FALSE(rounds(true));
}

TEST_CASE("a thread draws from a scope's generator until the scope ends") {
  seed(5);
  const auto first = drawn_here(), second = drawn_here();
  seed(5);
  CHECK(drawn_here() == first);
  std::vector<float> scoped;
  {
    const GeneratorScope scope(Generator(77));
    scoped = drawn_here();
    seed(5);  // of the scope alone
    CHECK(drawn_here() == first);
  }
  CHECK(drawn_here() == second);
  const GeneratorScope scope(Generator(77));
  CHECK(drawn_here() == scoped);
  CHECK(drawn_in_thread([] {}) != scoped);
}

// Bounds

TEST_CASE("whole numbers below a bound beyond 2^53 have no pattern in their last bits") {
  Generator random(3);
  const std::int64_t n = (std::int64_t{1} << 62) + (std::int64_t{1} << 61) + 1;
  int odd = 0, upper = 0;
  for (int i = 0; i < 1000; ++i) {
    const std::int64_t drawn = random.below(n);
    REQUIRE((drawn >= 0 && drawn < n));
    odd += static_cast<int>(drawn & 1);
    upper += drawn >= n / 2;
  }
  CHECK(std::abs(odd - 500) < 70);
  CHECK(std::abs(upper - 500) < 70);
  CHECK(random.draws() == 1000);
  CHECK(random.below(1) == 0);
}

TEST_CASE("ranges of random numbers may be a point, but neither reversed nor infinite") {
  Generator random(3);
  for (const DType dtype : {DType::f32, DType::f64}) {
    Array x(Shape{300}, dtype);
    random.uniform(x, 0.5, 0.5);
    CHECK(x.to_vector<double>() == std::vector<double>(300, 0.5));
    random.normal(x, 2, 0);
    CHECK(x.to_vector<double>() == std::vector<double>(300, 2));
    CHECK_THROWS_WITH(random.uniform(x, 1, -1), contains("uniform: the range [1, -1) is empty"));
    const double infinity = std::numeric_limits<double>::infinity();
    CHECK_THROWS_WITH(random.uniform(x, 0, infinity), contains("too large"));
    CHECK_THROWS_WITH(random.uniform(x, -1e308, 1e308), contains("too large"));
    CHECK_THROWS_WITH(random.uniform(x, 0, std::nan("")), contains("uniform: the range [0, nan)"));
    CHECK_THROWS_WITH(random.normal(x, 0, -1), contains("normal: mean 0 and deviation -1"));
    CHECK_THROWS_WITH(random.normal(x, infinity, 1), contains("normal: mean inf"));
  }
  Array x(Shape{300});
  CHECK_THROWS_WITH(random.uniform(x, 0, 1e39), contains("too large for f32"));
  CHECK_THROWS_WITH(random.split(-1), contains("Generator::split: -1 parts"));
}

TEST_CASE("dropout masks keep the correct fraction for p close to 0 or 1") {
  Generator random(3);
  for (const DType dtype : {DType::f32, DType::f64}) {
    const std::int64_t n = 4'000'000;
    Array x(Shape{n}, dtype);
    const auto kept = [&](double p) {
      random.dropout_mask(x, p);
      const auto mask = x.to_vector<float>();
      return n - std::count(mask.begin(), mask.end(), 0.0f);
    };
    CHECK(kept(0) == n);
    CHECK(kept(1e-9) == n);
    CHECK(kept(1) == 0);
    CHECK(std::abs(kept(1 - 1e-5) - 40) < 40);
    CHECK(std::abs(n - kept(1e-5) - 40) < 40);
    CHECK_THROWS_WITH(kept(-0.1), contains("dropout_mask: p is -0.1; it must be in [0, 1]"));
    CHECK_THROWS_WITH(kept(1.1), contains("p is 1.1"));
    CHECK_THROWS_WITH(kept(std::nan("")), contains("p is nan"));
  }
}
