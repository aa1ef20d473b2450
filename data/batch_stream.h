#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "attune/autograd/array/named_arrays.h"
#include "attune/autograd/array/random.h"
#include "attune/data/batch.h"

namespace attune {

/// An endless stream of batches for training, in an order that depends only on the seed. Examples
/// of similar length share a batch (bucketing), which saves padding; which of them do is random.
class BatchStream {
 public:
  /// A fixed set: every epoch holds each example once, in a new order.
  /// Errors: no examples; a batch size below 1.
  BatchStream(std::vector<Example> examples, int batch_size, std::uint64_t seed);
  /// An endless supply of examples: `example(0)`, `example(1)`, ..., each used once.
  /// Errors: a batch size below 1.
  BatchStream(std::function<Example(std::uint64_t)> example, int batch_size, std::uint64_t seed);

  Batch next();

  /// How many examples a fixed set has, and how many batches hold each of them once; 0 for an
  /// endless supply.
  std::int64_t examples_per_epoch() const { return static_cast<std::int64_t>(set_size_); }
  std::int64_t batches_per_epoch() const;

  /// The position in the stream, for a checkpoint, and a fingerprint of the examples.
  NamedArrays state() const;
  /// Restores the state() of a stream that was made in the same way. Errors, before anything is
  /// changed: a number is missing or impossible; examples, batch size or seed differ.
  void load_state(const NamedArrays& state);

 private:
  // Where the batches that are ready were drawn from, so that they can be drawn again.
  struct Refill {
    std::uint64_t epoch_draws = 0;  // of random numbers, before the order of the epoch was drawn
    std::uint64_t taken = 0;        // examples of the epoch or the supply, before
    std::uint64_t draws = 0;        // of random numbers, before the batches were put in order
    std::uint64_t given = 0;        // batches that next() has given since
  };

  void begin_epoch();
  std::vector<Example> next_examples(std::size_t count);
  void refill();
  double fingerprint() const;

  std::function<Example(std::uint64_t)> example_;
  std::vector<std::uint64_t> epoch_;  // what is left of it, the next example last
  std::uint64_t set_size_ = 0;        // 0: an endless supply
  std::uint64_t drawn_ = 0;           // from an endless supply so far
  std::size_t batch_size_;
  Generator generator_;
  std::vector<std::vector<Example>> batches_;  // ready, the next one last
  Refill refill_;                              // of these
  mutable double fingerprint_ = -1;            // below 0: not computed yet
};

}  // namespace attune
