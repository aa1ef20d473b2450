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

/// A batch of sources, time-major, so that a time step is a row.
struct Sources {
  Indices ids;  ///< [S, B], S of the longest source; shorter ones are padded with Vocabulary::pad
  Indices lengths;  ///< [B]
};

/// Makes a batch of sources. Errors: there are none, or one is empty (its index is named).
Sources make_sources(std::span<const std::vector<int>> sources);

/// A batch of examples, for one training step. With T - 1 tokens in the longest target:
struct Batch {
  Sources source;
  Indices target_input;   ///< [T, B]: `<s> a b c`, padded with Vocabulary::pad
  Indices target_output;  ///< [T, B]: `a b c </s>`, padded with kIgnore, which no loss counts
  std::int64_t tokens;    ///< targets that count: all tokens of the targets and each one's `</s>`
};

/// Makes a batch of examples. Errors: as make_sources().
Batch make_batch(std::span<const Example> examples);

/// How long each target is, [B]: its steps up to the last one that counts. What follows is padding.
Indices target_lengths(const Batch& batch);

/// A batch in `count` parts of about equal size, its sequences in order, for sharded_backward().
/// Each part is as long as its own longest sequences. Errors: less than one part, or more parts
/// than sequences.
std::vector<Batch> shards_of(const Batch& batch, std::int64_t count);

}  // namespace attune
