#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "attune/autograd/array/named_arrays.h"
#include "attune/autograd/array/random.h"
#include "attune/data/batch.h"

namespace attune {

/// An endless stream of batches for training a language model: windows of a text, at random places.
/// Each is a target without a source, of `context` tokens:
///
///     target_output    x_i     x_{i+1} ... x_{i+context-1}
///     target_input     <s>     x_i     ... x_{i+context-2}
///
/// so that a model also learns to begin, with any token of the text.
class TextWindows {
 public:
  /// Errors: a context or batch size below 1; a text of fewer tokens than `context`.
  TextWindows(std::vector<int> text, int context, int batch_size, std::uint64_t seed);

  /// The next batch.
  Batch next();

  /// For a checkpoint: the position in the stream, and a fingerprint of the text.
  NamedArrays state() const;
  /// Restores the state() of a stream constructed with the same arguments. Errors (nothing is
  /// changed): a missing or invalid number; a different text.
  void load_state(const NamedArrays& state);

 private:
  std::vector<int> text_;
  int context_, batch_size_;
  Generator generator_;
  double fingerprint_;
};

/// A whole number below 2^53 that differs between texts, to notice in a checkpoint that a text was
/// changed.
double fingerprint_of(std::span<const int> text);

/// Batches to measure a language model on all of a text: windows of `context` tokens (the last one
/// may be shorter) that overlap by half of it. A token that two windows have counts in the first
/// only (it is kIgnore in the target_output of the second), so that all but the first few are
/// predicted from at least `context` / 2 tokens. Errors: no text; a context below 2; a batch size
/// below 1.
std::vector<Batch> overlapping_windows(std::span<const int> text, int context, int batch_size);

}  // namespace attune
