#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <limits>
#include <mutex>
#include <new>
#include <set>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "address_limit.h"
#include "attune/autograd/array/array.h"
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

TEST_CASE("an exception in a parallel loop reaches its caller, and the next loop works") {
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

TEST_CASE("the last range of the longest possible parallel loop ends at its last index") {
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  using Ranges = std::vector<std::pair<std::int64_t, std::int64_t>>;
  CHECK(ranges_of(most, most) == Ranges{{0, most}});
  CHECK(ranges_of(most, most - 1) == Ranges{{0, most - 1}, {most - 1, most}});
  CHECK(ranges_of(-3, 1).empty());
}

#if defined(__GLIBC__)
TEST_CASE("parallel loops continue with the existing threads if no more can be started") {
  const int before = threads();
  set_threads(64);
  pthread_attr_t usual, impossible;
  pthread_getattr_default_np(&usual);
  pthread_attr_init(&impossible);
  pthread_attr_setstacksize(&impossible, std::size_t{1} << 46);
  REQUIRE(pthread_setattr_default_np(&impossible) == 0);
  std::vector<int> visits(200);
  for (int repeat = 0; repeat < 20; ++repeat)
    CHECK_NOTHROW(parallel_for(200, 1, [&](std::int64_t first, std::int64_t) {
      ++visits[static_cast<std::size_t>(first)];
    }));
  CHECK_NOTHROW(parallel_for(
      3, 1,
      [&](std::int64_t first, std::int64_t) {
        parallel_for(5, 1, [&](std::int64_t, std::int64_t) {});
        ++visits[static_cast<std::size_t>(first)];
      },
      Teams::of_equal_parts));
  REQUIRE(pthread_setattr_default_np(&usual) == 0);
  pthread_attr_destroy(&usual);
  pthread_attr_destroy(&impossible);
  std::vector<int> expected(200, 20);
  expected[0] = expected[1] = expected[2] = 21;
  CHECK(visits == expected);
  CHECK(ranges_of(10, 5).size() == 2);
  set_threads(before);
}
#endif

#if !defined(__SANITIZE_THREAD__)  // it does not support threads in a child of a threaded process
TEST_CASE("a forked child process has its own worker threads and memory pool") {
  const int before = threads();
  set_threads(3);
  CHECK(ranges_of(50, 1).size() == 50);  // the parent's workers have started
  // Other threads are in the middle of loops and of the pool when the process forks.
  std::atomic<bool> done{false};
  std::thread busy([&] {
    while (!done) {
      const Array x(Shape{300'000});
      parallel_for(
          8, 1, [&](std::int64_t first, std::int64_t) { const Array small(Shape{1000 + first}); });
    }
  });
  int failed = 0;
  for (int trial = 0; trial < 20; ++trial) {
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      alarm(20);  // ends a child that hangs
      const Array x = Array::full({1000, 1000}, 1);
      std::atomic<std::int64_t> sum{0};
      std::set<std::thread::id> ids;
      std::mutex mutex;
      for (int repeat = 0; repeat < 20; ++repeat)
        parallel_for(1000, 10, [&](std::int64_t first, std::int64_t last) {
          sum += last - first;
          std::this_thread::sleep_for(std::chrono::microseconds(20));
          const std::lock_guard lock(mutex);
          ids.insert(std::this_thread::get_id());
        });
      _exit(sum == 20'000 && x.at(999'999) == 1 && ids.size() == 3 ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    failed += status != 0;
  }
  done = true;
  busy.join();
  CHECK(failed == 0);
  set_threads(before);
}
#endif

#if defined(ATTUNE_LIMITS_ADDRESSES)
TEST_CASE("running out of memory before a worker's range begins is an error of the loop") {
  // In a child process, since an uncaught error would end the tests.
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    using Clock = std::chrono::steady_clock;
    alarm(60);                          // ends a child that hangs
    constexpr int kRanges = 1'000'000;  // whose teams take more than what earlier tests have freed
    set_threads(2);
    ranges_of(50, 1);  // starts a worker
    set_threads(2 * kRanges);
    const std::thread::id caller = std::this_thread::get_id();
    bool thrown = false;
    for (const auto begin = Clock::now();
         !thrown && Clock::now() < begin + std::chrono::seconds(30);) {
      // Each range has a team, whose description takes some memory, for all of them too much. The
      // worker begins with the last range, which needs all of them.
      std::atomic<bool> helped{false};
      const AddressLimit limit(std::size_t{1} << 20);
      try {
        parallel_for(
            kRanges, 1,
            [&](std::int64_t first, std::int64_t) {
              if (std::this_thread::get_id() != caller) helped = true;
              const auto end = Clock::now() + std::chrono::milliseconds(first == 0 ? 200 : 0);
              while (!helped && Clock::now() < end) std::this_thread::yield();
            },
            Teams::of_equal_parts);
      } catch (const std::bad_alloc&) {
        thrown = true;
      }
    }
    set_threads(2);
    _exit(thrown && ranges_of(10, 5).size() == 2 ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  CHECK(WIFEXITED(status));
  CHECK(status == 0);
}
#endif

TEST_CASE("the number of threads may change while loops run") {
  const int before = threads();
  std::vector<std::thread> callers;
  std::atomic<int> wrong{0};
  for (int i = 0; i < 3; ++i)
    callers.emplace_back([&, i] {
      for (int repeat = 0; repeat < 200; ++repeat) {
        set_threads(1 + (repeat * 7 + i) % 12);
        std::atomic<int> visits{0};
        parallel_for(20, 1, [&](std::int64_t, std::int64_t) { ++visits; });
        wrong += visits != 20;
      }
    });
  for (std::thread& caller : callers) caller.join();
  CHECK(wrong == 0);
  set_threads(before);
}
