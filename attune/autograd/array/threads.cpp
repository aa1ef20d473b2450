#include "attune/autograd/array/threads.h"

#include <atomic>
#include <chrono>
#include <exception>
#include <limits>
#include <mutex>
#include <thread>
#include <utility>

#include "attune/autograd/array/error.h"
#include "attune/autograd/array/parallel.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace attune {
namespace {

std::atomic<int> thread_count{static_cast<int>(std::max(1u, std::thread::hardware_concurrency()))};
thread_local bool inside = false;

struct InsideScope {
  InsideScope() { inside = true; }
  ~InsideScope() { inside = false; }
};

void pause() {
#if defined(__x86_64__)
  _mm_pause();
#endif
}

// How long a thread looks for work, or for the others to finish, before it sleeps: longer than the
// pause between two operations, short enough not to be in the way of other programs.
constexpr int kSpins = 4000;

// The calling thread and its helpers claim ranges one by one. Whoever is not running claims
// nothing, so on a busy machine the caller does most of the work itself; only for a range that a
// helper has begun must it wait. OpenMP's loops end in a barrier that every thread of the team has
// to reach, and with one core taken by another program that makes training 5 to 300 times slower.
class Helpers {
 public:
  void run(std::int64_t ranges, void (*run)(const void*, std::int64_t), const void* context) {
    using Clock = std::chrono::steady_clock;
    const int wanted = thread_count.load(std::memory_order_relaxed) - 1;
    std::unique_lock lock(callers_, std::try_to_lock);
    // Other callers have the helpers, or a helper kept us waiting a short while ago: go alone.
    if (!lock || ranges >= kClosed || (backoff_.count() > 0 && Clock::now() < alone_until_)) {
      const InsideScope scope;
      for (std::int64_t i = 0; i < ranges; ++i) run(context, i);
      return;
    }
    while (started_ < wanted) start_one();
    const std::uint32_t generation = open(ranges, wanted, run, context);
    claim_all(generation);
    if (wait_for(static_cast<std::uint32_t>(ranges))) {
      backoff_ = std::min(kLongestBackoff, std::max(kShortestBackoff, backoff_ * 2));
      alone_until_ = Clock::now() + backoff_;
    } else if (backoff_.count() > 0) {
      backoff_ /= 2;
    }
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  }

 private:
  static constexpr std::uint32_t kClosed = std::numeric_limits<std::uint32_t>::max();
  static constexpr std::chrono::microseconds kShortestBackoff{5000}, kLongestBackoff{200000};

  // Makes a job known. The counter is closed first: a helper that still looks at the last job can
  // claim nothing while the description changes.
  std::uint32_t open(std::int64_t ranges, int helpers, void (*run)(const void*, std::int64_t),
                     const void* context) {
    const std::uint32_t generation = ++generation_;
    next_.store(std::uint64_t{generation} << 32 | kClosed);
    run_.store(run, std::memory_order_relaxed);
    context_.store(context, std::memory_order_relaxed);
    ranges_.store(static_cast<std::uint32_t>(ranges), std::memory_order_relaxed);
    helpers_.store(helpers, std::memory_order_relaxed);
    finished_.store(0, std::memory_order_relaxed);
    next_.store(std::uint64_t{generation} << 32);
    job_.store(generation);
    if (sleeping_.load() > 0) job_.notify_all();
    return generation;
  }

  void claim_all(std::uint32_t generation) {
    const InsideScope scope;
    std::uint64_t seen = next_.load();
    for (;;) {
      const auto range = static_cast<std::uint32_t>(seen);
      if (seen >> 32 != generation || range >= ranges_.load(std::memory_order_relaxed)) break;
      if (!next_.compare_exchange_weak(seen, seen + 1)) continue;
      try {
        run_.load(std::memory_order_relaxed)(context_.load(std::memory_order_relaxed), range);
      } catch (...) {
        const std::lock_guard lock(error_mutex_);
        if (!error_) error_ = std::current_exception();
      }
      if (finished_.fetch_add(1) + 1 == ranges_.load(std::memory_order_relaxed))
        finished_.notify_one();
      seen = next_.load();
    }
  }

  // True when a helper was not running while we waited for it.
  bool wait_for(std::uint32_t ranges) {
    for (int spin = 0; spin < kSpins; ++spin) {
      if (finished_.load() == ranges) return false;
      pause();
    }
    const auto begin = std::chrono::steady_clock::now();
    for (std::uint32_t done; (done = finished_.load()) != ranges;) finished_.wait(done);
    return std::chrono::steady_clock::now() - begin > std::chrono::milliseconds(1);
  }

  void start_one() {
    const int index = started_++;
    std::thread([this, index] {
      std::uint32_t last = 0;
      for (;;) {
        last = next_job(last);
        if (index < helpers_.load(std::memory_order_relaxed)) claim_all(last);
      }
    }).detach();  // they wait for work until the program ends
  }

  std::uint32_t next_job(std::uint32_t last) {
    for (int spin = 0; spin < kSpins; ++spin) {
      const std::uint32_t job = job_.load();
      if (job != last) return job;
      pause();
    }
    sleeping_.fetch_add(1);
    job_.wait(last);
    sleeping_.fetch_sub(1);
    return job_.load();
  }

  std::mutex callers_;
  int started_ = 0;
  std::uint32_t generation_ = 0;
  std::chrono::microseconds backoff_{0};
  std::chrono::steady_clock::time_point alone_until_;

  // The job: its number, its ranges, and the next range that nobody has claimed, with the number in
  // the upper half so that a claim for an older job fails.
  alignas(64) std::atomic<std::uint64_t> next_{kClosed};
  std::atomic<void (*)(const void*, std::int64_t)> run_{nullptr};
  std::atomic<const void*> context_{nullptr};
  std::atomic<std::uint32_t> ranges_{0};
  std::atomic<int> helpers_{0};
  alignas(64) std::atomic<std::uint32_t> finished_{0};
  alignas(64) std::atomic<std::uint32_t> job_{0};
  std::atomic<int> sleeping_{0};
  std::mutex error_mutex_;
  std::exception_ptr error_;
};

}  // namespace

int threads() { return thread_count.load(std::memory_order_relaxed); }

void set_threads(int count) {
  ATTUNE_CHECK(count >= 1, "set_threads: {} threads; at least 1 is needed", count);
  thread_count.store(count, std::memory_order_relaxed);
}

namespace detail {

bool in_parallel() { return inside; }

void share_out(std::int64_t ranges, void (*run)(const void*, std::int64_t), const void* context) {
  static auto* helpers = new Helpers;  // never destroyed: its threads outlive static objects
  helpers->run(ranges, run, context);
}

}  // namespace detail
}  // namespace attune
