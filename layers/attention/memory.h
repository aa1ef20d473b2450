#pragma once

#include "attune/autograd/array/indices.h"
#include "attune/autograd/tensor.h"

namespace attune {

/// The keys and values that attention reads: those of a source, which Attention::memorize()
/// projects once for attend() to use at every step, or those of the target so far, which append()
/// extends.
struct Memory {
  Tensor keys;      ///< [S, B, ...], projected
  Tensor values;    ///< [S, B, ...]
  Indices lengths;  ///< [B]; not defined: all have S positions
  /// For each of R queries, the row of keys, values and lengths that it attends to: [R]. Several
  /// queries may share a row. Or [S, R], without lengths: a row for each position and query, so
  /// that the hypotheses of a beam share the positions that they have in common. Not defined: query
  /// b attends to row b.
  Indices rows = {};

  /// The memory for the given rows of the batch of queries, in this order. Rows may repeat, as in a
  /// beam search. Keys and values are copied, unless they are shared. An empty memory stays empty.
  /// Errors: a row out of range.
  Memory select(const Indices& queries) const;
  /// The same memory, whose select() copies no keys and values.
  Memory shared() const;
  /// The same memory, with keys and values of its own for each query.
  Memory copied() const;
  /// These positions and then those of `more`, which has a row for each query. Keys and values take
  /// amortised time proportional to `more`, unless they are recorded for backward, and the table of
  /// shared rows takes O(S R). If a shared memory has fewer rows than there are queries, or more
  /// than twice as many, they are copied, one row for each query. Errors: the memory has lengths;
  /// sizes do not match.
  Memory append(const Memory& more) const;
  /// The length that each query sees; not defined if all see S positions.
  Indices query_lengths() const;
};

/// The lengths of the given rows; not defined if `lengths` is not.
Indices select_lengths(const Indices& lengths, const Indices& rows);

}  // namespace attune
