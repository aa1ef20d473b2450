#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "attune/autograd/array/indices.h"

namespace attune {

/// One example as token ids, without start and end tokens.
struct Example {
  std::vector<int> source, target;
};

/// Sources side by side, time-major, so that a time step is a row.
struct Sources {
  Indices ids;      ///< [S, B]: S tokens of the longest, the others filled up with Vocabulary::pad
  Indices lengths;  ///< [B]
};

/// Puts sources side by side. Errors: there is none, or one is empty (its place is named).
Sources make_sources(std::span<const std::vector<int>> sources);

/// Examples side by side, for one step of training. With T - 1 tokens in the longest target:
struct Batch {
  Sources source;
  Indices target_input;   ///< [T, B]: `<s> a b c`, filled up with Vocabulary::pad
  Indices target_output;  ///< [T, B]: `a b c </s>`, filled up with kIgnore, which no loss counts
  std::int64_t tokens;    ///< targets that count: all tokens of the targets and each one's `</s>`
};

/// Puts examples side by side. Errors: as make_sources().
Batch make_batch(std::span<const Example> examples);

/// How long each target is, [B]: its steps up to the last one that counts. What follows is padding.
Indices target_lengths(const Batch& batch);

/// A batch in `count` parts of about equal size, its sequences in order, for sharded_backward().
/// Each part is as long as its own longest sequences. Errors: less than one part, or more parts
/// than sequences.
std::vector<Batch> shards_of(const Batch& batch, std::int64_t count);

}  // namespace attune
