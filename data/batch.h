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

/// A batch of sources, time-major: each row is a time step.
struct Sources {
  Indices ids;  ///< [S, B], S the longest length; shorter sources are padded with Vocabulary::pad
  Indices lengths;  ///< [B]
};

/// Makes a batch of sources. Errors: no sources; an empty source (the message gives its index).
Sources make_sources(std::span<const std::vector<int>> sources);

/// A batch of examples for one training step. The longest target has T - 1 tokens.
struct Batch {
  Sources source;         ///< not defined for a language model
  Indices target_input;   ///< [T, B]: `<s> a b c`, padded with Vocabulary::pad
  Indices target_output;  ///< [T, B]: `a b c </s>`, padded with kIgnore, which losses ignore
  std::int64_t tokens;    ///< the number of tokens of all targets, each with its `</s>`

  std::int64_t sequences() const { return target_input.shape()[1]; }  ///< B
};

/// Makes a batch of examples. Errors: as make_sources().
Batch make_batch(std::span<const Example> examples);

/// The length of each target including `</s>`, [B]; later steps are padding.
Indices target_lengths(const Batch& batch);

/// Splits a batch into `count` shards of about equal size for sharded_backward(), keeping the order
/// of its sequences. Each shard is only as long as its own longest source and target.
/// Errors: `count` is below 1 or exceeds the number of sequences.
std::vector<Batch> shards_of(const Batch& batch, std::int64_t count);

}  // namespace attune
