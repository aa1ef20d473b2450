#include "attune/layers/attention/relative_positional_encoding.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "attune/autograd/ops/arithmetic.h"
#include "attune/autograd/ops/matmul.h"
#include "attune/autograd/ops/positions.h"
#include "attune/autograd/ops/shaping.h"

namespace attune {

RelativePositionalEncoding::RelativePositionalEncoding(
    const RelativePositionalEncodingOptions& options)
    : clip_(options.clip) {
  ATTUNE_CHECK(options.head_features >= 1 && options.layers >= 1 && options.clip >= 1,
               "RelativePositionalEncoding: {} features of a head, {} layers, and distances up to "
               "{}; each must be at least 1",
               options.head_features, options.layers, options.clip);
  const Shape shape{2 * clip_ + 1, options.head_features};
  const double deviation = 1 / std::sqrt(static_cast<double>(options.head_features));
  for (std::int64_t i = 0; i < options.layers; ++i) {
    const Tensor keys = param(fmt::format("keys{}", i), shape, normal(0, deviation));
    layers_.push_back({keys, param(fmt::format("values{}", i), shape, normal(0, deviation))});
  }
}

const RelativePositionalEncoding::Vectors& RelativePositionalEncoding::vectors_of(
    const AttentionPlace& place) const {
  ATTUNE_CHECK(place.layer < static_cast<std::int64_t>(layers_.size()),
               "RelativePositionalEncoding: layer {} has no vectors; it was made for {} layers",
               place.layer, layers_.size());
  return layers_[static_cast<std::size_t>(place.layer)];
}

Indices RelativePositionalEncoding::distances(const AttentionPlace& place) const {
  return by_distance(
      place, [&](std::int64_t distance) { return std::clamp(distance, -clip_, clip_) + clip_; });
}

Tensor RelativePositionalEncoding::bias(const Tensor& query, const AttentionPlace& place) const {
  const LayerScope scope(*this);
  const Tensor& keys = vectors_of(place).keys;
  const std::int64_t batch = query.size(1), features = keys.size(1);
  const Tensor scaled = query / std::sqrt(static_cast<double>(features));
  const Tensor of_heads = reshape(scaled, {place.queries, batch, place.heads, features});
  const Tensor products = matmul(of_heads, transpose(keys));  // [T, B, H, 2 k + 1]
  return from_buckets(permute(products, {1, 2, 0, 3}), distances(place));
}

Tensor RelativePositionalEncoding::values(const Tensor& weights,
                                          const AttentionPlace& place) const {
  const LayerScope scope(*this);
  const Tensor& values = vectors_of(place).values;
  const Tensor sums = into_buckets(weights, distances(place), values.size(0));
  const Tensor added = permute(matmul(sums, values), {2, 0, 1, 3});  // [T, B, H, d]
  return reshape(added, {place.queries, weights.size(0), place.heads * values.size(1)});
}

std::shared_ptr<PositionalEncoding> make_relative_positional_encoding(
    const PositionalEncodingOptions& options) {
  return std::make_shared<RelativePositionalEncoding>(
      RelativePositionalEncodingOptions{.head_features = options.features / options.heads,
                                        .layers = options.layers,
                                        .clip = options.arguments.whole("clip", 16)});
}

}  // namespace attune
