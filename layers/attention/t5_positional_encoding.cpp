#include "attune/layers/attention/t5_positional_encoding.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "attune/autograd/ops/positions.h"
#include "attune/autograd/ops/shaping.h"

namespace attune {

T5PositionalEncoding::T5PositionalEncoding(const T5PositionalEncodingOptions& options)
    : options_(options) {
  const std::int64_t exact = options.buckets / (options.bidirectional ? 4 : 2);
  ATTUNE_CHECK(exact >= 1 && options.furthest > exact,
               "T5PositionalEncoding: {} buckets for distances up to {}; expected at least {} "
               "buckets, and a furthest distance above {}, those with a bucket each",
               options.buckets, options.furthest, options.bidirectional ? 4 : 2,
               std::max<std::int64_t>(1, exact));
  weight_ = param("weight", {options.buckets, options.heads}, normal(0, 0.02));
}

std::int64_t T5PositionalEncoding::bucket(std::int64_t distance) const {
  std::int64_t count = options_.buckets, first = 0;
  if (options_.bidirectional) {
    count /= 2;
    if (distance > 0) first = count;
    distance = -std::abs(distance);
  }
  const std::int64_t back = std::max<std::int64_t>(0, -distance), exact = count / 2;
  if (back < exact) return first + back;
  const auto ratio = [&](std::int64_t to) {
    return std::log(static_cast<double>(to) / static_cast<double>(exact));
  };
  // The small addition keeps powers of two, where the quotient is whole, from being rounded down.
  const double steps = ratio(back) / ratio(options_.furthest) * static_cast<double>(count - exact);
  const auto further = static_cast<std::int64_t>(std::min(steps + 1e-9, 1e9));
  return first + std::min(exact + further, count - 1);
}

Tensor T5PositionalEncoding::bias(const Tensor&, const AttentionPlace& place) const {
  const LayerScope scope(*this);
  ATTUNE_CHECK(place.heads == options_.heads,
               "T5PositionalEncoding: made for {} heads but used with {}", options_.heads,
               place.heads);
  const Tensor of_heads =
      reshape(transpose(weight_), {options_.heads, 1, options_.buckets});  // [H, 1, N]
  return from_buckets(of_heads,
                      by_distance(place, [&](std::int64_t distance) { return bucket(distance); }));
}

std::shared_ptr<PositionalEncoding> make_t5_positional_encoding(
    const PositionalEncodingOptions& options) {
  return std::make_shared<T5PositionalEncoding>(
      T5PositionalEncodingOptions{.heads = options.heads,
                                  .buckets = options.arguments.whole("buckets", 32, 2),
                                  .furthest = options.arguments.whole("furthest", 128),
                                  .bidirectional = options.bidirectional});
}

}  // namespace attune
