#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "attune/seq2seq/batch.h"

namespace attune {

/// Batches for training without an end, in an order that follows from the seed alone. Examples of
/// about one length share a batch (bucketing), which leaves little padding; batches come in random
/// order, and which examples meet in one changes from time to time.
class BatchStream {
 public:
  /// A fixed set: every epoch holds each example once, in a new order.
  /// Errors: no examples; a batch size below 1.
  BatchStream(std::vector<Example> examples, int batch_size, std::uint64_t seed);
  /// An endless supply: `example(0)`, `example(1)`, ... each used once.
  BatchStream(std::function<Example(std::uint64_t)> example, int batch_size, std::uint64_t seed);

  Batch next();

 private:
  // Examples that are sorted by length together: an epoch, or so many of an endless supply.
  std::vector<Example> window(std::uint64_t number);
  void cut_into_batches(std::vector<Example> examples);

  std::vector<Example> examples_;                  // a fixed set
  std::function<Example(std::uint64_t)> example_;  // or an endless supply
  int batch_size_;
  std::uint64_t seed_;
  std::uint64_t windows_ = 0;                  // used so far
  std::vector<std::vector<Example>> batches_;  // of the present window, the next one last
};

}  // namespace attune
