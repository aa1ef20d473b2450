#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "attune/autograd/array/random.h"
#include "attune/seq2seq/batch.h"

namespace attune {

/// Batches for training without an end, in an order that follows from the seed alone. Examples of
/// like length share a batch (bucketing), which saves padding; which ones meet is a matter of
/// chance all the same.
class BatchStream {
 public:
  /// A fixed set: every epoch holds each example once, in a new order.
  /// Errors: no examples; a batch size below 1.
  BatchStream(std::vector<Example> examples, int batch_size, std::uint64_t seed);
  /// An endless supply: `example(0)`, `example(1)`, ... each used once.
  /// Errors: a batch size below 1.
  BatchStream(std::function<Example(std::uint64_t)> example, int batch_size, std::uint64_t seed);

  Batch next();

 private:
  std::vector<Example> next_examples(std::size_t count);
  void refill();

  std::function<Example(std::uint64_t)> example_;
  std::vector<std::uint64_t> epoch_;  // what is left of it, the next example last
  std::uint64_t set_size_ = 0;        // 0: an endless supply
  std::uint64_t drawn_ = 0;           // from an endless supply so far
  std::size_t batch_size_;
  Generator generator_;
  std::vector<std::vector<Example>> batches_;  // ready, the next one last
};

}  // namespace attune
