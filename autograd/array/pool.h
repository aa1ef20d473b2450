#pragma once

#include <cstddef>
#include <cstdint>

#include "attune/autograd/array/error.h"

/// Pooled memory, 64-byte aligned. Freed blocks are kept for later requests, so a steady training
/// loop makes no system allocation after its first steps. Small blocks go to free lists by size,
/// first the thread's own and, when these are full, lists that all threads share. A large block is
/// merged with the free memory beside it, which the next request of any size is cut from: batches
/// whose lengths keep changing need about as much memory as the largest of them.
namespace attune::pool {

inline constexpr std::size_t kAlignment = 64;

/// Memory ran out. The message says how much was asked for and how much the pool holds.
class OutOfMemory : public Error {
 public:
  using Error::Error;
};

/// At least `bytes` bytes, 64-byte aligned, not initialised. When the system has no more, free
/// blocks are returned to it and the request is tried once more. Errors: OutOfMemory.
void* allocate(std::size_t bytes);
/// Gives back what allocate(bytes) returned; any thread may do so.
void release(void* block, std::size_t bytes) noexcept;

struct Statistics {
  std::uint64_t system_allocations;  ///< blocks ever asked from the system
  std::uint64_t system_bytes;        ///< bytes held now, in use or free
};
Statistics statistics();

/// Returns the calling thread's and the shared free memory to the system.
void trim() noexcept;

}  // namespace attune::pool
