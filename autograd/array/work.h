#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#include "attune/autograd/array/pool.h"

namespace attune {

/// What a thread has computed and allocated. Counted only while a Profiler is active; otherwise
/// counting costs the check of one flag.
class Work {
 public:
  static bool is_counted() { return counted_.load(std::memory_order_relaxed); }
  static void set_counted(bool counted) {
    counted_.store(counted, std::memory_order_relaxed);
    pool::set_counted(counted);
  }
  /// Multiplications and additions of matrix products and attention.
  static void add_flops(std::int64_t count) {
    if (is_counted()) [[unlikely]]
      current().flops_.fetch_add(count, std::memory_order_relaxed);
  }
  /// Memory allocated from the pool.
  static void add_bytes(std::int64_t count) {
    if (is_counted()) [[unlikely]]
      current().bytes_.fetch_add(count, std::memory_order_relaxed);
  }

  std::int64_t flops() const { return flops_.load(std::memory_order_relaxed); }
  std::int64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

  /// That of the calling thread.
  static Work& own();
  /// Where the calling thread's work is added: its own, or that of a LentWork.
  static Work& current();

 private:
  friend class LentWork;
  static inline std::atomic<bool> counted_{false};
  static inline thread_local Work* lent_ = nullptr;
  std::atomic<std::int64_t> flops_{0}, bytes_{0};
};

namespace detail {
inline thread_local Work own_work;
}

inline Work& Work::own() { return detail::own_work; }
inline Work& Work::current() { return lent_ ? *lent_ : own(); }

/// Adds the work of the calling thread to that of another one, which it helps with a loop.
class LentWork {
 public:
  explicit LentWork(Work& work) : outer_(std::exchange(Work::lent_, &work)) {}
  ~LentWork() { Work::lent_ = outer_; }
  LentWork(const LentWork&) = delete;
  LentWork& operator=(const LentWork&) = delete;

 private:
  Work* outer_;
};

}  // namespace attune
