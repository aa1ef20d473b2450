#include "attune/layers/attention/alibi_positional_encoding.h"

#include <cmath>
#include <cstdlib>
#include <memory>

namespace attune {

AlibiPositionalEncoding::AlibiPositionalEncoding(std::int64_t heads) {
  ATTUNE_CHECK(heads >= 1, "AlibiPositionalEncoding: {} heads; it needs at least 1", heads);
  std::int64_t power = 1;
  while (2 * power <= heads) power *= 2;
  const auto slope = [](std::int64_t head, std::int64_t of) {
    return std::exp2(-8 * static_cast<double>(head) / static_cast<double>(of));
  };
  for (std::int64_t h = 1; h <= power; ++h) slopes_.push_back(slope(h, power));
  for (std::int64_t h = 1; power + (h + 1) / 2 <= heads; h += 2)
    slopes_.push_back(slope(h, 2 * power));
}

Tensor AlibiPositionalEncoding::bias(const Tensor& query, const AttentionPlace& place) const {
  const auto heads = static_cast<std::int64_t>(slopes_.size());
  ATTUNE_CHECK(place.heads == heads, "AlibiPositionalEncoding: made for {} heads but used with {}",
               heads, place.heads);
  Array bias(Shape{heads, place.queries, place.keys}, query.dtype());
  dispatch(query.dtype(), [&](auto type) {
    using T = decltype(type);
    T* to = bias.mutable_data<T>();
    for (const double slope : slopes_)
      for (std::int64_t t = 0; t < place.queries; ++t)
        for (std::int64_t s = 0; s < place.keys; ++s)
          *to++ = static_cast<T>(-slope * static_cast<double>(std::abs(place.first() + t - s)));
  });
  return Tensor(bias);
}

std::shared_ptr<PositionalEncoding> make_alibi_positional_encoding(
    const PositionalEncodingOptions& options) {
  return std::make_shared<AlibiPositionalEncoding>(options.heads);
}

}  // namespace attune
