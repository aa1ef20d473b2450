#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>

#include "attune/autograd/array/pool.h"

namespace attune {

/// Data derived from a block's contents and kept with it for reuse, such as a weight packed for
/// matrix products. A cache stores the version that it was computed from.
class Cache {
 public:
  virtual ~Cache() = default;

 private:
  friend class Storage;
  const void* type_ = nullptr;
  Cache* next_ = nullptr;  // the block's next cache, of another type
};

/// A reference-counted block of pooled memory: a header, then the data, 64-byte aligned. `version`
/// counts in-place changes, so that a value saved for backward can be checked.
class Storage {
 public:
  Storage() = default;
  explicit Storage(std::size_t bytes)
      : header_(new (pool::allocate(sizeof(Header) + bytes)) Header{{1}, {0}, bytes, {}}) {}
  Storage(const Storage& other) : header_(other.header_) {
    if (header_) header_->references.fetch_add(1, std::memory_order_relaxed);
  }
  Storage(Storage&& other) noexcept : header_(std::exchange(other.header_, nullptr)) {}
  Storage& operator=(Storage other) noexcept {
    std::swap(header_, other.header_);
    return *this;
  }
  ~Storage() {
    // If this is the only handle, no other thread can copy it, so no atomic update is needed.
    if (!header_ || (!unique() && header_->references.fetch_sub(1, std::memory_order_acq_rel) != 1))
      return;
    for (Cache* cache = header_->caches.load(std::memory_order_relaxed); cache;)
      delete std::exchange(cache, cache->next_);
    pool::release(header_, sizeof(Header) + header_->bytes);
  }

  explicit operator bool() const { return header_ != nullptr; }
  void* data() const { return header_ + 1; }
  /// True if no other handle shares the block.
  bool unique() const { return header_->references.load(std::memory_order_acquire) == 1; }
  std::uint32_t version() const { return header_->version.load(std::memory_order_relaxed); }
  /// Increments the version, without an atomic read-modify-write: threads that write to one block
  /// at the same time belong to one operation, so a lost increment does no harm.
  void touch() const { header_->version.store(version() + 1, std::memory_order_relaxed); }
  /// The block's cache of type `C`, created on first use. Thread-safe.
  template <typename C>
  C& cache() const {
    Cache* first = header_->caches.load(std::memory_order_acquire);
    if (C* found = find<C>(first)) return *found;
    auto made = std::make_unique<C>();
    made->type_ = &kType<C>;
    for (;;) {
      made->next_ = first;
      if (header_->caches.compare_exchange_weak(first, made.get(), std::memory_order_acq_rel))
        return *made.release();
      if (C* found = find<C>(first)) return *found;  // another thread made it first
    }
  }
  bool operator==(const Storage& other) const { return header_ == other.header_; }

 private:
  template <typename C>
  static inline const char kType = 0;  // its address identifies the type

  template <typename C>
  static C* find(Cache* cache) {
    for (; cache; cache = cache->next_)
      if (cache->type_ == &kType<C>) return static_cast<C*>(cache);
    return nullptr;
  }

  struct alignas(pool::kAlignment) Header {
    std::atomic<std::uint32_t> references;
    std::atomic<std::uint32_t> version;
    std::size_t bytes;
    std::atomic<Cache*> caches;
  };
  Header* header_ = nullptr;
};

}  // namespace attune
