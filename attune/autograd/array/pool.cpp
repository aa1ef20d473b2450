#include "attune/autograd/array/pool.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdlib>
#include <mutex>
#include <new>

namespace attune::pool {
namespace {

// Sizes are rounded up to a class: multiples of 64 up to 1 KiB, then eight steps per doubling, so
// that at most an eighth of a block is wasted.
constexpr int kSmallClasses = 16;
constexpr int kClasses = kSmallClasses + 8 * 38;
// A thread keeps so much of one class before it hands further blocks to all: what one thread frees
// and another allocates must not pile up.
constexpr std::size_t kLocalBytes = std::size_t{4} << 20;
constexpr std::size_t kLocalBlocks = 8192;
constexpr std::size_t kLargest = std::size_t{1} << 47;

int local_limit(std::size_t block_bytes) {
  return static_cast<int>(std::clamp<std::size_t>(kLocalBytes / block_bytes, 1, kLocalBlocks));
}

struct SizeClass {
  int index;
  std::size_t bytes;
};

SizeClass size_class(std::size_t bytes) {
  if (bytes <= 64 * kSmallClasses) {
    const std::size_t units = bytes == 0 ? 1 : (bytes + 63) / 64;
    return {static_cast<int>(units) - 1, units * 64};
  }
  const int octave = std::bit_width(bytes - 1) - 1;  // 2^octave < bytes <= 2^(octave + 1)
  const std::size_t step = std::size_t{1} << (octave - 3);
  const std::size_t steps = (bytes + step - 1) / step;  // 9 to 16
  return {kSmallClasses + (octave - 10) * 8 + static_cast<int>(steps) - 9, steps * step};
}

struct Waiting {
  Waiting* next;
};

struct Lists {
  std::array<Waiting*, kClasses> heads{};
  std::array<int, kClasses> counts{};
  // How many blocks of a class a thread may keep: those that it took from elsewhere. What it frees
  // beyond them another thread brought, which will want it again.
  std::array<int, kClasses> allowed{};

  void push(int index, void* block) {
    heads[index] = new (block) Waiting{heads[index]};
    ++counts[index];
  }
  void* pop(int index) {
    Waiting* block = heads[index];
    if (!block) return nullptr;
    heads[index] = block->next;
    --counts[index];
    return block;
  }
};

std::atomic<std::uint64_t> system_allocations{0};
std::atomic<std::uint64_t> system_bytes{0};

struct Shared {
  std::mutex mutex;
  Lists lists;
};

Shared& shared() {
  static auto* instance = new Shared;  // never destroyed: arrays may outlive every static object
  return *instance;
}

std::size_t bytes_of_class(int index) {
  if (index < kSmallClasses) return static_cast<std::size_t>(index + 1) * 64;
  const int octave = 10 + (index - kSmallClasses) / 8;
  return (std::size_t{9} + (index - kSmallClasses) % 8) << (octave - 3);
}

thread_local Lists* local_lists = nullptr;
thread_local bool thread_ended = false;

// Hands a thread's waiting blocks to the shared lists when the thread ends.
struct LocalOwner {
  ~LocalOwner() {
    thread_ended = true;
    if (!local_lists) return;
    std::lock_guard lock(shared().mutex);
    for (int index = 0; index < kClasses; ++index)
      while (void* block = local_lists->pop(index)) shared().lists.push(index, block);
    delete local_lists;
    local_lists = nullptr;
  }
};

Lists* local() {
  if (!local_lists && !thread_ended) {
    static thread_local LocalOwner owner;
    (void)owner;
    local_lists = new Lists;
  }
  return local_lists;
}

void* from_system(std::size_t bytes) {
  void* block = std::aligned_alloc(kAlignment, bytes);
  if (!block) throw std::bad_alloc();
  system_allocations.fetch_add(1, std::memory_order_relaxed);
  system_bytes.fetch_add(bytes, std::memory_order_relaxed);
  return block;
}

void to_system(void* block, std::size_t bytes) {
  std::free(block);
  system_bytes.fetch_sub(bytes, std::memory_order_relaxed);
}

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kPooled = false;  // let the sanitizer see every use after free
#else
constexpr bool kPooled = true;
#endif

}  // namespace

void* allocate(std::size_t bytes) {
  if (bytes > kLargest) throw std::bad_alloc();
  const SizeClass size = size_class(bytes);
  if (kPooled) {
    if (Lists* lists = local()) {
      if (void* block = lists->pop(size.index)) return block;
      int& allowed = lists->allowed[size.index];
      allowed = std::min(allowed + 1, local_limit(size.bytes));
    }
    std::lock_guard lock(shared().mutex);
    if (void* block = shared().lists.pop(size.index)) return block;
  }
  return from_system(size.bytes);
}

void release(void* block, std::size_t bytes) noexcept {
  const SizeClass size = size_class(bytes);
  if (!kPooled) return to_system(block, size.bytes);
  Lists* lists = local();
  if (lists) {
    int& allowed = lists->allowed[size.index];
    if (lists->counts[size.index] < allowed) return lists->push(size.index, block);
    allowed = std::max(allowed - 1, 0);
  }
  std::lock_guard lock(shared().mutex);
  shared().lists.push(size.index, block);
}

Statistics statistics() { return {system_allocations.load(), system_bytes.load()}; }

void trim() {
  const auto empty = [](Lists& lists) {
    for (int index = 0; index < kClasses; ++index)
      while (void* block = lists.pop(index)) to_system(block, bytes_of_class(index));
  };
  if (Lists* lists = local()) empty(*lists);
  std::lock_guard lock(shared().mutex);
  empty(shared().lists);
}

}  // namespace attune::pool
