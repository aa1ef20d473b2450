#pragma once

#include <cstddef>
#include <cstdint>

/// Pooled memory, 64-byte aligned. A block that is freed waits in a list of its size for the next
/// request, so a steady training loop stops asking the system after its first steps. Each thread
/// has lists of its own; what they cannot hold goes to shared lists behind a mutex.
namespace attune::pool {

inline constexpr std::size_t kAlignment = 64;

/// At least `bytes` bytes, 64-byte aligned, not initialised. Errors: std::bad_alloc.
void* allocate(std::size_t bytes);
/// Gives back what allocate(bytes) returned; any thread may do so.
void release(void* block, std::size_t bytes) noexcept;

struct Statistics {
  std::uint64_t system_allocations;  ///< blocks ever asked from the system
  std::uint64_t system_bytes;        ///< bytes held now, in use or waiting
};
Statistics statistics();

/// Returns the calling thread's and the shared waiting blocks to the system.
void trim();

}  // namespace attune::pool
