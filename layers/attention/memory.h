#pragma once

#include "attune/autograd/array/indices.h"
#include "attune/autograd/tensor.h"

namespace attune {

/// A source as projected by Attention::memorize(), once, for attend() to use at every step.
struct Memory {
  Tensor keys;      ///< [S, B, ...], projected
  Tensor values;    ///< [S, B, ...]
  Indices lengths;  ///< [B]; not defined: all have S positions

  /// The memory of the given rows of the batch, in this order. Rows may repeat, as in a beam
  /// search. An empty memory stays empty. Errors: a row out of range.
  Memory select(const Indices& rows) const;
};

/// The lengths of the given rows; not defined if `lengths` is not.
Indices select_lengths(const Indices& lengths, const Indices& rows);

}  // namespace attune
