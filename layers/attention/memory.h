#pragma once

#include "attune/autograd/array/indices.h"
#include "attune/autograd/tensor.h"

namespace attune {

/// What attention keeps of a source: looked at once, asked at every step.
struct Memory {
  Tensor keys;      ///< [S, B, ...], as memorize() leaves them
  Tensor values;    ///< [S, B, ...]
  Indices lengths;  ///< [B]; not defined: all have S positions

  /// The memory of these rows of the batch, in this order; a row may come several times, as in a
  /// search. An empty memory stays empty. Errors: a row outside of the batch.
  Memory select(const Indices& rows) const;
};

/// Entries of `lengths` at these rows; not defined where lengths are not.
Indices select_lengths(const Indices& lengths, const Indices& rows);

}  // namespace attune
