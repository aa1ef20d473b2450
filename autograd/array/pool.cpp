#include "attune/autograd/array/pool.h"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdlib>
#include <iterator>
#include <mutex>
#include <new>
#include <string>
#include <vector>

#include "attune/autograd/array/work.h"

namespace attune::pool {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kPooled = false;  // so that the sanitizer finds every use after free
#else
constexpr bool kPooled = true;
#endif

constexpr std::size_t kLargest = std::size_t{1} << 47;  // user address space on x86-64 and ARM

std::atomic<std::uint64_t> system_allocations{0};
std::atomic<std::uint64_t> system_bytes{0};

void count_new(std::size_t bytes) {
  system_allocations.fetch_add(1, std::memory_order_relaxed);
  system_bytes.fetch_add(bytes, std::memory_order_relaxed);
}

// Small blocks

// Sizes are rounded up to a class: multiples of 64 up to 1 KiB, then eight steps per doubling, so
// that at most an eighth of a block is wasted.
constexpr std::size_t kLarge = std::size_t{1} << 19;  // blocks above this size are large
constexpr int kSmallClasses = 16;
constexpr int kClasses = kSmallClasses + 8 * (std::bit_width(kLarge) - 11);
// Limits of a thread's free list for one class. Further blocks go to the shared lists, so that
// blocks allocated by one thread and freed by another do not pile up.
constexpr std::size_t kLocalBytes = std::size_t{4} << 20;
constexpr std::size_t kLocalBlocks = 8192;

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

std::size_t bytes_of_class(int index) {
  if (index < kSmallClasses) return static_cast<std::size_t>(index + 1) * 64;
  const int octave = 10 + (index - kSmallClasses) / 8;
  return (std::size_t{9} + (index - kSmallClasses) % 8) << (octave - 3);
}

struct Waiting {
  Waiting* next;
};

struct Lists {
  std::array<Waiting*, kClasses> heads{};
  std::array<int, kClasses> counts{};
  // How many blocks of a class a thread may keep: as many as it took from outside its list. Any
  // others that it frees were allocated by another thread, which will need them again.
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

// Allocates a block from the system; nullptr if there is no memory.
void* new_small(std::size_t bytes) {
  void* block = std::aligned_alloc(kAlignment, bytes);
  if (block) count_new(bytes);
  return block;
}

void free_small(void* block, std::size_t bytes) {
  std::free(block);
  system_bytes.fetch_sub(bytes, std::memory_order_relaxed);
}

void empty(Lists& lists) {
  for (int index = 0; index < kClasses; ++index)
    while (void* block = lists.pop(index)) free_small(block, bytes_of_class(index));
}

// Large blocks

// Whole pages, allocated from free ranges of addresses by best fit: the smallest range that fits,
// at the lowest address among equals. A freed range is merged with adjacent free ranges, even if
// these came from other system calls. There are few ranges, so a sorted vector holds them.
class LargeBlocks {
 public:
  static std::size_t rounded(std::size_t bytes) {
    static const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    return (bytes + page - 1) / page * page;
  }

  // A block of rounded(bytes) bytes, or nullptr.
  void* allocate(std::size_t bytes) {
    bytes = rounded(bytes);
    // Each block in use may become a free range, and release() must not allocate.
    if (!reserve(free_.size() + used_ + 3)) return nullptr;
    auto best = best_fit(bytes);
    if (best == free_.end()) {
      if (!grow(bytes)) return nullptr;
      best = best_fit(bytes);
    }
    ++used_;
    void* block = best->first;
    best->first += bytes;
    if (best->first == best->last) free_.erase(best);
    return block;
  }

  void release(void* block, std::size_t bytes) noexcept {
    --used_;
    add({static_cast<char*>(block), static_cast<char*>(block) + rounded(bytes)});
  }

  void trim() noexcept {
    for (const Range& range : free_) {
      munmap(range.first, range.size());
      system_bytes.fetch_sub(range.size(), std::memory_order_relaxed);
    }
    free_.clear();
  }

 private:
  struct Range {
    char *first, *last;
    std::size_t size() const { return static_cast<std::size_t>(last - first); }
  };

  bool reserve(std::size_t count) {
    if (count <= free_.capacity()) return true;
    try {
      free_.reserve(2 * count);
    } catch (const std::bad_alloc&) {
      return false;
    }
    return true;
  }

  std::vector<Range>::iterator best_fit(std::size_t bytes) {
    auto best = free_.end();
    for (auto range = free_.begin(); range != free_.end(); ++range)
      if (range->size() >= bytes && (best == free_.end() || range->size() < best->size()))
        best = range;
    return best;
  }

  // Adds enough memory for `bytes` bytes to the free ranges. If the system maps new pages directly
  // below the lowest free range, as it usually does, only the missing bytes are mapped.
  bool grow(std::size_t bytes) {
    if (!free_.empty()) {
      char* const first = free_.front().first;
      const std::size_t lacking = bytes - std::min(bytes, free_.front().size());
      if (lacking > 0 && map(first - lacking, lacking)) return true;
    }
    return map(nullptr, bytes);
  }

  // Maps a new range; if `place` is given, exactly there or not at all.
  bool map(char* place, std::size_t bytes) {
    void* const found =
        mmap(place, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (found == MAP_FAILED) return false;
    if (place && found != place) {
      munmap(found, bytes);
      return false;
    }
    count_new(bytes);
    add({static_cast<char*>(found), static_cast<char*>(found) + bytes});
    return true;
  }

  void add(Range range) noexcept {
    auto next = std::lower_bound(free_.begin(), free_.end(), range,
                                 [](const Range& a, const Range& b) { return a.first < b.first; });
    if (next != free_.end() && next->first == range.last) {
      range.last = next->last;
      next = free_.erase(next);
    }
    if (next != free_.begin() && std::prev(next)->last == range.first)
      std::prev(next)->last = range.last;
    else
      free_.insert(next, range);
  }

  std::vector<Range> free_;  // sorted by address, never adjacent
  std::size_t used_ = 0;     // blocks in use
};

// Shared by all threads

struct Shared {
  std::mutex mutex;
  Lists lists;
  std::mutex large_mutex;
  LargeBlocks large;
};

Shared& shared() {
  // Never destroyed: arrays may outlive every static object.
  static auto* instance = [] {
    auto* made = new Shared;
    // Locked across fork(), so that a child process finds lists and mutexes in a consistent state.
    pthread_atfork([] { shared().mutex.lock(), shared().large_mutex.lock(); },
                   [] { shared().large_mutex.unlock(), shared().mutex.unlock(); },
                   [] { shared().large_mutex.unlock(), shared().mutex.unlock(); });
    return made;
  }();
  return *instance;
}

// Per thread

thread_local Lists* local_lists = nullptr;
thread_local bool thread_ended = false;

// Moves a thread's free blocks to the shared lists when the thread ends.
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

// The calling thread's lists; nullptr if the thread is about to end or there is no memory for them.
Lists* local() {
  if (!local_lists && !thread_ended) {
    static thread_local LocalOwner owner;
    (void)owner;
    local_lists = new (std::nothrow) Lists;
  }
  return local_lists;
}

// Allocates a block; nullptr if the system has no memory.
void* try_allocate(std::size_t bytes) {
  if (kPooled && bytes > kLarge) {
    std::lock_guard lock(shared().large_mutex);
    return shared().large.allocate(bytes);
  }
  if (!kPooled) return new_small((bytes + kAlignment - 1) / kAlignment * kAlignment);
  const SizeClass size = size_class(bytes);
  if (Lists* lists = local()) {
    if (void* block = lists->pop(size.index)) return block;
    int& allowed = lists->allowed[size.index];
    allowed = std::min(allowed + 1, local_limit(size.bytes));
  }
  {
    std::lock_guard lock(shared().mutex);
    if (void* block = shared().lists.pop(size.index)) return block;
  }
  return new_small(size.bytes);
}

std::string amount(std::size_t bytes) {
  constexpr double kMiB = 1 << 20;
  const double mib = static_cast<double>(bytes) / kMiB;
  return mib < 1      ? fmt::format("{} bytes", bytes)
         : mib < 1024 ? fmt::format("{:.1f} MiB", mib)
                      : fmt::format("{:.1f} GiB", mib / 1024);
}

[[noreturn, gnu::cold]] void out_of_memory(std::size_t bytes, std::size_t held) {
  throw OutOfMemory(fmt::format(
      "out of memory: {} were requested and the system has no more; Attune held {}, {} of it in "
      "use",
      amount(bytes), amount(held), amount(statistics().system_bytes)));
}

// Blocks above this size are allocated by the slow path: all of them while they are counted.
std::atomic<std::size_t> largest_uncounted{kLarge};

// The slow paths of allocate() and release(): large or counted blocks, or the thread's lists are
// missing, empty or full.
void* allocate_slowly(std::size_t bytes) {
  Work::add_bytes(static_cast<std::int64_t>(bytes));
  const bool possible = bytes <= kLargest;
  if (void* block = possible ? try_allocate(bytes) : nullptr) [[likely]]
    return block;
  const std::size_t held = statistics().system_bytes;
  trim();
  if (void* block = possible ? try_allocate(bytes) : nullptr) return block;
  out_of_memory(bytes, held);
}

void release_slowly(void* block, std::size_t bytes) noexcept {
  if (!kPooled) return free_small(block, (bytes + kAlignment - 1) / kAlignment * kAlignment);
  if (bytes > kLarge) {
    std::lock_guard lock(shared().large_mutex);
    return shared().large.release(block, bytes);
  }
  const SizeClass size = size_class(bytes);
  if (Lists* lists = local()) {
    int& allowed = lists->allowed[size.index];
    if (lists->counts[size.index] < allowed) return lists->push(size.index, block);
    allowed = std::max(allowed - 1, 0);
  }
  std::lock_guard lock(shared().mutex);
  shared().lists.push(size.index, block);
}

}  // namespace

void* allocate(std::size_t bytes) {
  if (kPooled && bytes <= largest_uncounted.load(std::memory_order_relaxed) && local_lists)
      [[likely]]
    if (void* block = local_lists->pop(size_class(bytes).index)) [[likely]]
      return block;
  return allocate_slowly(bytes);
}

void release(void* block, std::size_t bytes) noexcept {
  if (kPooled && bytes <= kLarge && local_lists) [[likely]] {
    const SizeClass size = size_class(bytes);
    if (local_lists->counts[size.index] < local_lists->allowed[size.index]) [[likely]]
      return local_lists->push(size.index, block);
  }
  release_slowly(block, bytes);
}

void set_counted(bool counted) noexcept { largest_uncounted = counted ? 0 : kLarge; }

Statistics statistics() { return {system_allocations.load(), system_bytes.load()}; }

void trim() noexcept {
  if (Lists* lists = local()) empty(*lists);
  {
    std::lock_guard lock(shared().mutex);
    empty(shared().lists);
  }
  std::lock_guard lock(shared().large_mutex);
  shared().large.trim();
}

}  // namespace attune::pool
