#pragma once

#include <cstdint>

/// The recurrence of selective state spaces; see ops/selective_scan.h. Batch rows, and in the
/// forward pass also channels, are split among threads.
namespace attune::kernels {

/// Sizes: T steps, B batch rows, E channels, each with N numbers of state.
struct SelectiveScanSizes {
  std::int64_t steps, batch, channels, states;
};

/// How many chunks `steps` are divided into, of which only the first state is stored.
std::int64_t selective_scan_chunks(std::int64_t steps);

template <typename T>
struct SelectiveScanInputs {
  const T *x, *delta;  ///< [T, B, E]
  const T* a;          ///< [N, E]
  const T *b, *c;      ///< [T, B, N]
};

/// Computes y [T, B, E] and replaces the first state [B, N, E] by the last one. The state before
/// each chunk is stored in `starts` [chunks, B, N, E], unless that is null.
template <typename T>
void selective_scan_forward(const SelectiveScanSizes& n, const SelectiveScanInputs<T>& in, T* state,
                            T* starts, T* y);

/// Gradients in the shapes of the inputs; that of a is [B, N, E], a part for each batch row.
template <typename T>
struct SelectiveScanGradients {
  T *x, *delta, *a, *b, *c;
};

/// Computes all gradients from dy, and replaces that of the last state by that of the first.
template <typename T>
void selective_scan_backward(const SelectiveScanSizes& n, const SelectiveScanInputs<T>& in,
                             const T* starts, const T* dy, T* dstate,
                             const SelectiveScanGradients<T>& out);

}  // namespace attune::kernels
