#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

#include "attune/autograd/array/pool.h"

namespace attune {

/// What was worked out from a block's contents and is kept with it for the next use, such as a
/// weight laid out for matrix products. Whoever keeps something remembers the version it is of.
class Cache {
 public:
  virtual ~Cache() = default;
};

/// A shared, reference-counted block of pooled memory: its header, then its bytes, 64-byte aligned.
/// `version` counts in-place changes, so that a value saved for backward can be checked.
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
    if (!header_ || header_->references.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    delete header_->cache.load(std::memory_order_relaxed);
    pool::release(header_, sizeof(Header) + header_->bytes);
  }

  explicit operator bool() const { return header_ != nullptr; }
  void* data() const { return header_ + 1; }
  /// True when no other handle shares the block.
  bool unique() const { return header_->references.load(std::memory_order_acquire) == 1; }
  std::uint32_t version() const { return header_->version.load(std::memory_order_relaxed); }
  void touch() const { header_->version.fetch_add(1, std::memory_order_relaxed); }
  /// The block's cache, a `C` made on first use; any thread may ask. All uses agree on one `C`.
  template <typename C>
  C& cache() const {
    Cache* found = header_->cache.load(std::memory_order_acquire);
    if (!found) {
      auto* made = new C;
      if (header_->cache.compare_exchange_strong(found, made)) return *made;
      delete made;  // another thread was faster
    }
    return static_cast<C&>(*found);
  }
  bool operator==(const Storage& other) const { return header_ == other.header_; }

 private:
  struct alignas(pool::kAlignment) Header {
    std::atomic<std::uint32_t> references;
    std::atomic<std::uint32_t> version;
    std::size_t bytes;
    std::atomic<Cache*> cache;
  };
  Header* header_ = nullptr;
};

}  // namespace attune
