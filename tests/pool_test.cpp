#include "attune/autograd/array/pool.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "address_limit.h"
#include "attune/autograd/all.h"
#include "catch.h"

using namespace attune;

#if defined(ATTUNE_LIMITS_ADDRESSES)

namespace {

constexpr std::int64_t kMega = 1 << 18;  // float32 numbers of a MiB

}  // namespace

TEST_CASE("running out of memory is an error with the sizes requested and held") {
  pool::trim();
  const Array kept(Shape{40 * kMega});
  const AddressLimit limit(std::size_t{64} << 20);
  try {
    const Array x(Shape{200 * kMega});
    FAIL("no error");
  } catch (const Error& error) {
    const std::string text = error.what();
    CHECK(text.find("out of memory: 200.0 MiB were requested") == 0);
    CHECK(text.find("Attune held ") != std::string::npos);
    CHECK(text.find('\n') == std::string::npos);
    CHECK(dynamic_cast<const pool::OutOfMemory*>(&error) != nullptr);
  }
  CHECK(Array::full({kMega}, 3).at(kMega - 1) == 3);  // allocation still works
}

TEST_CASE("free blocks of the pool are returned when the system runs out of memory") {
  pool::trim();
  const AddressLimit limit(std::size_t{96} << 20);
  // Small blocks, which wait in lists of their size.
  { const std::vector<Array> small = std::vector<Array>(1000, Array(Shape{16'000})); }
  std::vector<Array> blocks(1000);
  for (Array& block : blocks) block = Array(Shape{16'000});
  blocks.clear();
  CHECK(Array::full({70 * kMega}, 1).at(70 * kMega - 1) == 1);
  for (int i = 0; i < 1000; ++i) blocks.emplace_back(Shape{17'000});
  CHECK(blocks.size() == 1000);
}

TEST_CASE("an operation that runs out of memory leaves its operands unchanged") {
  Tensor w = Tensor::parameter(Array::full({10 * kMega}, 2));
  {
    pool::trim();
    const AddressLimit limit(std::size_t{5} << 20);
    CHECK_THROWS_AS(w * w, pool::OutOfMemory);
  }
  sum(w * w).backward();
  CHECK(w.grad().at(5) == 4);
}

#endif

#if !defined(__SANITIZE_ADDRESS__)  // under it every block goes back to the system at once

TEST_CASE("blocks of ever-changing sizes need about the memory of the largest") {
  pool::trim();
  const auto before = pool::statistics().system_bytes;
  std::uint64_t state = 1, most = 0;
  for (int step = 0; step < 200; ++step) {
    std::vector<Array> held;
    std::uint64_t bytes = 0;
    const std::int64_t length = 1 + step * 7 % 40;
    for (int layer = 0; layer < 8; ++layer) {
      state = state * 6364136223846793005u + 1;
      held.emplace_back(Shape{length * static_cast<std::int64_t>(40'000 + (state >> 48))});
      bytes += held.back().bytes();
      if (layer % 3 == 2) held.erase(held.begin());
    }
    most = std::max(most, bytes);
  }
  CHECK(pool::statistics().system_bytes - before < most * 3 / 2);
}

TEST_CASE("a steady loop of large blocks allocates no system memory after its first steps") {
  const Tensor x = Array::full({300, 1000}, 0.01);
  Tensor w = Tensor::parameter(Array::full({1100, 1000}, 0.01));
  const auto step = [&] {
    w.zero_grad();
    (mean(square(tanh(linear(x, w)))) + mean(square(x * 2.0))).backward();
  };
  const int before_threads = threads();
  set_threads(1);
  for (int i = 0; i < 3; ++i) step();
  const auto before = pool::statistics();
  for (int i = 0; i < 10; ++i) step();
  CHECK(pool::statistics().system_allocations == before.system_allocations);
  CHECK(pool::statistics().system_bytes == before.system_bytes);
  set_threads(before_threads);
}

TEST_CASE("large blocks passed between threads keep their contents") {
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&, i] {
      std::vector<Array> held;
      for (int step = 0; step < 60; ++step) {
        const double value = 1000 * i + step;
        held.push_back(Array::full({150'000 + step * 7919 % 400'000}, value));
        if (held.size() < 4) continue;
        const Array& oldest = held.front();
        const auto numbers = oldest.to_vector();
        wrong += static_cast<int>(std::count(numbers.begin(), numbers.end(), numbers[0]) !=
                                  oldest.elements()) +
                 (numbers[0] != static_cast<float>(value - 3));
        held.erase(held.begin());
      }
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
}

#endif

TEST_CASE("a block may be freed by a thread that is about to end, and by static objects") {
  // A thread_local array is destroyed after the pool's lists, which were made later.
  std::thread([] {
    thread_local std::vector<Array> late;
    late.reserve(3);
    for (const std::int64_t n : {10, 10'000, 1'000'000}) late.push_back(Array::full({n}, 1));
  }).join();
  CHECK(Array::full({10}, 1).at(9) == 1);
}
