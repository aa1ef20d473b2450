#include <mutex>
#include <stdexcept>
#include <utility>
#include <vector>

#include "attune/autograd/array/parallel.h"
#include "catch.h"

using namespace attune;

namespace {

std::vector<std::pair<std::int64_t, std::int64_t>> ranges_of(std::int64_t n, std::int64_t grain) {
  std::mutex mutex;
  std::vector<std::pair<std::int64_t, std::int64_t>> ranges;
  parallel_for(n, grain, [&](std::int64_t first, std::int64_t last) {
    const std::lock_guard lock(mutex);
    ranges.emplace_back(first, last);
  });
  std::sort(ranges.begin(), ranges.end());
  return ranges;
}

}  // namespace

TEST_CASE("work is split by its size alone, whatever the number of threads") {
  using Ranges = std::vector<std::pair<std::int64_t, std::int64_t>>;
  const int before = threads();
  for (const int count : {1, 2, 3, 8}) {
    set_threads(count);
    CHECK(ranges_of(10, 4) == Ranges{{0, 4}, {4, 8}, {8, 10}});
    CHECK(ranges_of(8, 4) == Ranges{{0, 4}, {4, 8}});
    CHECK(ranges_of(3, 4) == Ranges{{0, 3}});
    CHECK(ranges_of(0, 4).empty());
  }
  set_threads(before);
}

TEST_CASE("a parallel loop within a parallel loop covers every element once") {
  const int before = threads();
  set_threads(3);
  std::vector<int> visits(1000);
  for (int repeat = 0; repeat < 100; ++repeat)
    parallel_for(10, 1, [&](std::int64_t first, std::int64_t last) {
      parallel_for((last - first) * 100, 7, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i)
          ++visits[static_cast<std::size_t>(first * 100 + i)];
      });
    });
  CHECK(visits == std::vector<int>(1000, 100));
  set_threads(before);
}

TEST_CASE("a few ranges may have teams of threads, whose loops cover every element once") {
  const int before = threads();
  for (const int count : {1, 2, 5, 8}) {
    set_threads(count);
    std::vector<int> visits(900);
    for (int repeat = 0; repeat < 100; ++repeat)
      parallel_for(
          3, 1,
          [&](std::int64_t piece, std::int64_t) {
            for (int again = 0; again < 3; ++again)
              parallel_for(100, 7, [&](std::int64_t begin, std::int64_t end) {
                for (std::int64_t i = begin; i < end; ++i)
                  ++visits[static_cast<std::size_t>(piece * 300 + again * 100 + i)];
              });
          },
          Teams::of_equal_parts);
    CHECK(visits == std::vector<int>(900, 100));
  }
  set_threads(before);
}

TEST_CASE("what a parallel loop throws reaches its caller, and the next loop works") {
  const int before = threads();
  set_threads(2);
  const auto fail = [](std::int64_t first, std::int64_t) {
    if (first == 5) throw std::runtime_error("at five");
  };
  CHECK_THROWS_WITH(parallel_for(10, 1, fail), "at five");
  CHECK(ranges_of(10, 5).size() == 2);
  set_threads(before);
}

TEST_CASE("the number of threads is at least one") {
  CHECK_THROWS_WITH(set_threads(0), contains("set_threads: 0 threads; at least 1 is needed"));
}
