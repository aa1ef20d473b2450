#pragma once

#include "attune/layers/attention/monotonic_normalizer.h"

namespace attune {

struct ChunkwiseNormalizerOptions {
  std::int64_t width = 4;  ///< positions of a chunk
  MonotonicNormalizerOptions monotonic = {};
};

/// Monotonic chunkwise attention, MoChA (Chiu and Raffel 2018, sec. 2.4): monotonic attention
/// decides where to stop, and softmax over the chunk of `width` positions that ends there gives the
/// weights (see chunkwise_weights()). It takes two scores: the first for stopping, the second
/// within a chunk.
/// Parameters: as in MonotonicNormalizer. Errors: a width below 1; as in MonotonicNormalizer.
class ChunkwiseNormalizer : public MonotonicNormalizer {
 public:
  explicit ChunkwiseNormalizer(const ChunkwiseNormalizerOptions& options = {});
  Normalized operator()(const Tensor& scores, const Mask& mask,
                        AttentionState& state) const override;
  int score_count() const override { return 2; }

 private:
  std::int64_t width_;
};

}  // namespace attune
