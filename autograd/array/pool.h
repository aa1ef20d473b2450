#pragma once

#include <cstddef>
#include <cstdint>

#include "attune/autograd/array/error.h"

/// Pooled memory, 64-byte aligned. Freed blocks are kept for later requests, so a steady training
/// loop makes no system allocations after its first steps. Small blocks go to free lists by size:
/// first the thread's own and, when these are full, lists that all threads share. A freed large
/// block is merged with adjacent free memory, from which later requests of any size are served:
/// batches of varying lengths need about as much memory as the largest of them.
namespace attune::pool {

inline constexpr std::size_t kAlignment = 64;

/// Thrown when memory runs out. The message gives the size of the request and of the pool.
class OutOfMemory : public Error {
 public:
  using Error::Error;
};

/// At least `bytes` bytes, 64-byte aligned, uninitialised. If the system is out of memory, free
/// blocks are returned to it and the request is tried once more. Errors: OutOfMemory.
void* allocate(std::size_t bytes);
/// Frees a block that allocate(bytes) returned, on any thread.
void release(void* block, std::size_t bytes) noexcept;

/// Whether the bytes of all blocks are added to Work::bytes(). Called by Work::set_counted().
void set_counted(bool counted) noexcept;

struct Statistics {
  std::uint64_t system_allocations;  ///< blocks requested from the system so far
  std::uint64_t system_bytes;        ///< bytes held now, in use or free
};
Statistics statistics();

/// Returns the free memory of the calling thread and of the shared lists to the system.
void trim() noexcept;

}  // namespace attune::pool
