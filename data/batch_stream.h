#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "attune/autograd/array/named_arrays.h"
#include "attune/autograd/array/random.h"
#include "attune/data/batch.h"
#include "attune/data/pair_table.h"

namespace attune {

/// How large batches are: a number of examples, or as many examples of similar length as have at
/// most a number of tokens, with padding, on either side. An example that is longer makes a batch
/// of its own.
struct BatchSize {
  BatchSize(int examples_) : examples(examples_) {}  // NOLINT: batch sizes are mostly plain numbers
  static BatchSize of_tokens(int tokens) {
    BatchSize size(0);
    size.tokens = tokens;
    return size;
  }
  int examples;    ///< 0: as many as `tokens` allows
  int tokens = 0;  ///< of the sources, or of the targets with their `</s>`: the larger number
};

/// A random change to an example, which may depend on nothing else.
using Variation = std::function<Example(const Example&, Generator&)>;

/// An endless stream of training batches, in a random order that depends only on the seed. Examples
/// of similar length tend to be in the same batch (bucketing), which saves padding.
class BatchStream {
 public:
  /// A fixed set of examples: each epoch contains every example once, in a new random order and,
  /// with a `variation`, in a new form. Errors: no examples; a batch size below 1.
  BatchStream(PairTable examples, BatchSize size, std::uint64_t seed, Variation variation = {});
  /// An endless supply of examples: `example(0)`, `example(1)`, ..., each used once.
  /// Errors: a batch size below 1.
  BatchStream(std::function<Example(std::uint64_t)> example, BatchSize size, std::uint64_t seed);

  /// The next batch.
  Batch next();

  /// The number of examples and of batches in an epoch; 0 for an endless supply. If batches have a
  /// number of tokens, epochs differ by a few batches; this is the first one's.
  std::int64_t examples_per_epoch() const { return static_cast<std::int64_t>(set_size_); }
  std::int64_t batches_per_epoch() const;

  /// For a checkpoint: the position in the stream, and a fingerprint of the examples.
  NamedArrays state() const;
  /// Restores the state() of a stream constructed with the same arguments. Errors (nothing is
  /// changed): a missing or invalid number; different examples, batch size or seed.
  void load_state(const NamedArrays& state);

 private:
  // The position at the last refill of batches_, from which the same batches can be drawn again.
  struct Refill {
    std::uint64_t epoch_draws = 0;  // draws of the generator before the epoch was shuffled
    std::uint64_t taken = 0;        // examples used before it, of the epoch or endless supply
    std::uint64_t draws = 0;        // draws of the generator before the batches were shuffled
    std::uint64_t given = 0;        // batches that next() has returned since the refill
  };

  void begin_epoch();
  bool next_example(Example& example);
  std::vector<Example> next_pool();
  std::vector<std::size_t> cuts_of(const std::vector<Example>& sorted) const;
  void refill();
  double fingerprint() const;

  std::function<Example(std::uint64_t)> example_;
  Variation variation_;               // not set: examples are used as they are
  std::vector<std::uint64_t> epoch_;  // the examples left in the epoch, the next one last
  std::uint64_t set_size_ = 0;        // 0: an endless supply
  std::uint64_t drawn_ = 0;           // examples drawn from an endless supply so far
  BatchSize size_;
  Generator generator_;
  std::vector<std::vector<Example>> batches_;  // ready to be returned, the next one last
  Refill refill_;
  mutable double fingerprint_ = -1;  // below 0: not computed yet
  mutable std::int64_t batches_per_epoch_ = -1;
};

}  // namespace attune
