#include "attune/autograd/array/threads.h"

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "attune/autograd/array/error.h"
#include "attune/autograd/array/parallel.h"
#include "attune/autograd/array/work.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace attune {
namespace {

std::atomic<int> thread_count{static_cast<int>(std::max(1u, std::thread::hardware_concurrency()))};
class Workers;
Workers& of_range(std::uint32_t range);  // the workers of a range's own team

// The threads that a loop on the calling thread may use: all of them in a top-level loop, and only
// the team of the current range in a nested loop.
struct Place {
  int team = 0;  // 0: all
  Workers* workers = nullptr;
};
thread_local Place place;

class PlaceScope {
 public:
  explicit PlaceScope(Place inner) : outer_(std::exchange(place, inner)) {}
  ~PlaceScope() { place = outer_; }
  PlaceScope(const PlaceScope&) = delete;
  PlaceScope& operator=(const PlaceScope&) = delete;

 private:
  Place outer_;
};

void pause() {
#if defined(__x86_64__)
  _mm_pause();
#endif
}

// The number of times that a thread polls for work, or for the end of a loop, before it sleeps:
// enough to bridge the gap between two operations, but too few to disturb other programs.
constexpr int kSpins = 4000;

// The calling thread and its workers claim ranges one by one. A worker that the system does not
// schedule claims nothing, so on a busy machine the caller does most of the work itself, and waits
// only for ranges that a worker has begun. OpenMP's loops end in a barrier for all threads of the
// team, which makes training 5 to 300 times slower when another program occupies one core.
class Workers {
 public:
  void run(std::int64_t ranges, void (*run)(const void*, std::int64_t), const void* context,
           Teams teams) {
    const int all = detail::team();
    const bool apart = teams == Teams::of_equal_parts && place.team == 0;
    const int each = apart ? static_cast<int>(std::max<std::int64_t>(1, all / ranges)) : 1;
    const int wanted = static_cast<int>(std::min<std::int64_t>(all / each, ranges)) - 1;
    std::unique_lock lock(callers_, std::try_to_lock);
    // Another caller is using the workers, or one of them was slow recently: run all ranges here.
    if (!lock || ranges > kMostRanges || (backoff_.count() > 0 && Clock::now() < alone_until_)) {
      if (lock) lock.unlock();
      // The workers may become free while a large range runs, so its nested loops may use them.
      const PlaceScope scope(apart ? Place{} : Place{1, nullptr});
      for (std::int64_t i = 0; i < ranges; ++i) run(context, i);
      return;
    }
    start(wanted);
    const std::uint32_t generation = open(ranges, wanted, each, run, context);
    const Clock::time_point begin = Clock::now();
    const std::uint32_t own = claim_all(generation, /*from_back=*/false);
    // A worker that is running finishes its range in about as long as this thread takes for one.
    const Clock::duration a_range = (Clock::now() - begin) / std::max(1u, own);
    if (wait_for(static_cast<std::uint32_t>(ranges)) >
        std::max<Clock::duration>(kPatience, 2 * a_range)) {
      backoff_ = std::min(kLongestBackoff, std::max(kShortestBackoff, backoff_ * 2));
      alone_until_ = Clock::now() + backoff_;
    } else if (backoff_.count() > 0) {
      backoff_ /= 2;
    }
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::microseconds kPatience{1000}, kShortestBackoff{5000},
      kLongestBackoff{200000}, kNextStart{1000000};

  // The unclaimed ranges [front, back) of a job, and the job's number, so that a claim for an older
  // job fails. The caller claims from the front and workers from both ends, so that in a series of
  // operations on one batch a thread tends to get rows that are still in its cache.
  static constexpr int kRangeBits = 20;
  static constexpr std::int64_t kMostRanges = (1 << kRangeBits) - 1;
  struct Left {
    std::uint32_t generation, front, back;  // 24, 20 and 20 bits
    static Left unpack(std::uint64_t bits) {
      return {static_cast<std::uint32_t>(bits >> 2 * kRangeBits),
              static_cast<std::uint32_t>(bits >> kRangeBits & kMostRanges),
              static_cast<std::uint32_t>(bits & kMostRanges)};
    }
    std::uint64_t pack() const {
      return std::uint64_t{generation} << 2 * kRangeBits | std::uint64_t{front} << kRangeBits |
             back;
    }
  };

  // Publishes a job. The previous one is closed first, so that a worker still reading it cannot
  // claim a range while the fields below change.
  std::uint32_t open(std::int64_t ranges, int workers, int each,
                     void (*run)(const void*, std::int64_t), const void* context) {
    generation_ = (generation_ + 1) & 0xFFFFFF;
    left_.store(Left{generation_, 0, 0}.pack());
    run_.store(run, std::memory_order_relaxed);
    context_.store(context, std::memory_order_relaxed);
    ranges_.store(static_cast<std::uint32_t>(ranges), std::memory_order_relaxed);
    workers_.store(workers, std::memory_order_relaxed);
    each_.store(each, std::memory_order_relaxed);
    finished_.store(0, std::memory_order_relaxed);
    left_.store(Left{generation_, 0, static_cast<std::uint32_t>(ranges)}.pack());
    job_.store(generation_);
    if (sleeping_.load() > 0) job_.notify_all();
    return generation_;
  }

  // Claims and runs ranges until none are left. Returns the number of ranges run.
  std::uint32_t claim_all(std::uint32_t generation, bool from_back) {
    const PlaceScope scope({1, nullptr});
    std::uint32_t claimed = 0;
    std::uint64_t seen = left_.load();
    for (;;) {
      Left left = Left::unpack(seen);
      if (left.generation != generation || left.front >= left.back) return claimed;
      const std::uint32_t range = from_back ? --left.back : left.front++;
      if (!left_.compare_exchange_weak(seen, left.pack())) continue;
      ++claimed;
      try {
        if (const int each = each_.load(std::memory_order_relaxed); each > 1)
          place = {each, &of_range(range)};
        run_.load(std::memory_order_relaxed)(context_.load(std::memory_order_relaxed), range);
      } catch (...) {
        const std::lock_guard lock(error_mutex_);
        if (!error_) error_ = std::current_exception();
      }
      if (finished_.fetch_add(1) + 1 == ranges_.load(std::memory_order_relaxed))
        finished_.notify_one();
      seen = left_.load();
    }
  }

  // Waits until all ranges are finished. Returns how long it slept.
  Clock::duration wait_for(std::uint32_t ranges) {
    for (int spin = 0; spin < kSpins; ++spin) {
      if (finished_.load() == ranges) return {};
      pause();
    }
    const auto begin = Clock::now();
    for (std::uint32_t done; (done = finished_.load()) != ranges;) finished_.wait(done);
    return Clock::now() - begin;
  }

  // Starts workers until `wanted` are running. If the system refuses, retries after kNextStart.
  void start(int wanted) {
    if (started_ >= wanted || Clock::now() < start_after_) return;
    try {
      for (; started_ < wanted; ++started_)
        std::thread(&Workers::help, this, started_).detach();  // runs until the program ends
    } catch (const std::exception&) {  // from std::thread: no more threads, or no memory
      start_after_ = Clock::now() + kNextStart;
    }
  }

  void help(int index) {
    std::uint32_t last = 0;
    for (;;) {
      last = next_job(last);
      if (index < workers_.load(std::memory_order_relaxed)) claim_all(last, index % 2 == 0);
    }
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
  Clock::time_point alone_until_, start_after_;

  // The current job.
  alignas(64) std::atomic<std::uint64_t> left_{0};
  std::atomic<void (*)(const void*, std::int64_t)> run_{nullptr};
  std::atomic<const void*> context_{nullptr};
  std::atomic<std::uint32_t> ranges_{0};
  std::atomic<int> workers_{0}, each_{1};
  alignas(64) std::atomic<std::uint32_t> finished_{0};
  alignas(64) std::atomic<std::uint32_t> job_{0};
  std::atomic<int> sleeping_{0};
  std::mutex error_mutex_;
  std::exception_ptr error_;
};

// All workers of the process.
struct Crew {
  Workers of_all;
  std::mutex mutex;
  std::deque<Workers> of_ranges;
};
std::atomic<Crew*> current_crew{nullptr};

// Never destroyed: its threads outlive static objects.
Crew& crew() {
  [[maybe_unused]] static const bool first = [] {
    current_crew = new Crew;
    // A child process has none of its parent's threads and starts workers of its own.
    pthread_atfork(nullptr, nullptr, [] {
      place = {};
      current_crew = new Crew;
    });
    return true;
  }();
  return *current_crew.load(std::memory_order_acquire);
}

Workers& of_range(std::uint32_t range) {
  Crew& all = crew();
  const std::lock_guard lock(all.mutex);
  while (all.of_ranges.size() <= range) all.of_ranges.emplace_back();
  return all.of_ranges[range];
}

}  // namespace

int threads() { return thread_count.load(std::memory_order_relaxed); }

void set_threads(int count) {
  ATTUNE_CHECK(count >= 1, "set_threads: {} threads; at least 1 is needed", count);
  thread_count.store(count, std::memory_order_relaxed);
}

namespace detail {

int team() { return place.team > 0 ? place.team : threads(); }

void share_out(std::int64_t ranges, void (*run)(const void*, std::int64_t), const void* context,
               Teams teams) {
  Workers& workers = place.workers ? *place.workers : crew().of_all;
  if (!Work::is_counted() || teams == Teams::of_equal_parts)
    return workers.run(ranges, run, context, teams);
  // An operation's loop: what the workers do counts as work of the calling thread.
  struct Loop {
    void (*run)(const void*, std::int64_t);
    const void* context;
    Work& work;
  };
  const Loop loop{run, context, Work::current()};
  const auto run_counted = [](const void* counted, std::int64_t i) {
    const Loop& inner = *static_cast<const Loop*>(counted);
    const LentWork scope(inner.work);
    inner.run(inner.context, i);
  };
  workers.run(ranges, run_counted, &loop, teams);
}

}  // namespace detail
}  // namespace attune
