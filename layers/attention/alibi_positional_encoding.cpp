#include "attune/layers/attention/alibi_positional_encoding.h"

#include <cmath>
#include <cstdlib>
#include <limits>
#include <memory>

namespace attune {
namespace {

std::vector<double> slopes_of(std::int64_t heads) {
  std::vector<double> slopes;
  std::int64_t power = 1;
  while (2 * power <= heads) power *= 2;
  const auto slope = [](std::int64_t head, std::int64_t of) {
    return std::exp2(-8 * static_cast<double>(head) / static_cast<double>(of));
  };
  for (std::int64_t h = 1; h <= power; ++h) slopes.push_back(slope(h, power));
  for (std::int64_t h = 1; power + (h + 1) / 2 <= heads; h += 2)
    slopes.push_back(slope(h, 2 * power));
  return slopes;
}

}  // namespace

AlibiPositionalEncoding::AlibiPositionalEncoding(std::int64_t heads, bool bidirectional)
    : backward_heads_(bidirectional ? heads / 2 : 0),
      forward_heads_(bidirectional && heads > 1 ? heads - heads / 2 : 0) {
  ATTUNE_CHECK(heads >= 1, "AlibiPositionalEncoding: {} heads; it needs at least 1", heads);
  if (forward_heads_ == 0) {
    slopes_ = slopes_of(heads);
  } else {
    slopes_ = slopes_of(backward_heads_);
    const std::vector<double> forward = slopes_of(forward_heads_);
    slopes_.insert(slopes_.end(), forward.begin(), forward.end());
  }
}

Tensor AlibiPositionalEncoding::bias(const Tensor& query, const AttentionPlace& place) const {
  const auto heads = static_cast<std::int64_t>(slopes_.size());
  ATTUNE_CHECK(place.heads == heads, "AlibiPositionalEncoding: made for {} heads but used with {}",
               heads, place.heads);
  Array bias(Shape{heads, place.queries, place.keys}, query.dtype());
  dispatch(query.dtype(), [&](auto type) {
    using T = decltype(type);
    T* to = bias.mutable_data<T>();
    for (std::int64_t h = 0; h < heads; ++h) {
      const double slope = slopes_[static_cast<std::size_t>(h)];
      const bool sees_later = h >= backward_heads_, sees_earlier = h < heads - forward_heads_;
      for (std::int64_t t = 0; t < place.queries; ++t)
        for (std::int64_t s = 0; s < place.keys; ++s) {
          const std::int64_t distance = s - place.first() - t;
          const bool seen = distance == 0 || (distance > 0 ? sees_later : sees_earlier);
          *to++ = seen ? static_cast<T>(-slope * static_cast<double>(std::abs(distance)))
                       : -std::numeric_limits<T>::infinity();
        }
    }
  });
  return Tensor(bias);
}

std::shared_ptr<PositionalEncoding> make_alibi_positional_encoding(
    const PositionalEncodingOptions& options) {
  return std::make_shared<AlibiPositionalEncoding>(options.heads, options.bidirectional);
}

}  // namespace attune
