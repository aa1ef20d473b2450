#pragma once

#include <cstddef>
#include <cstdint>

#include "attune/autograd/array/error.h"

/// Pooled memory, 64-byte aligned. What is freed waits for the next request, so a steady training
/// loop stops asking the system after its first steps. A small block waits in a list of its size;
/// each thread has lists of its own, and what they cannot hold goes to shared ones. A large block
/// joins the free memory beside it and is cut anew for the next request, whatever its size: batches
/// of ever other lengths need about as much memory as the largest of them.
namespace attune::pool {

inline constexpr std::size_t kAlignment = 64;

/// Memory ran out. The message says how much was asked for and how much the pool holds.
class OutOfMemory : public Error {
 public:
  using Error::Error;
};

/// At least `bytes` bytes, 64-byte aligned, not initialised. When the system has no more, all that
/// waits within reach is returned to it for one more try. Errors: OutOfMemory.
void* allocate(std::size_t bytes);
/// Gives back what allocate(bytes) returned; any thread may do so.
void release(void* block, std::size_t bytes) noexcept;

struct Statistics {
  std::uint64_t system_allocations;  ///< blocks ever asked from the system
  std::uint64_t system_bytes;        ///< bytes held now, in use or waiting
};
Statistics statistics();

/// Returns the calling thread's and the shared waiting memory to the system.
void trim() noexcept;

}  // namespace attune::pool
