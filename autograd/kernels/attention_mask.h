#pragma once

#include <algorithm>
#include <cstdint>

/// The form in which attention kernels take a Mask; see autograd/ops/mask.h.
namespace attune::kernels {

/// Keys [first, last).
struct KeyRange {
  std::int64_t first, last;

  std::int64_t count() const { return last - first; }
  /// The part of the range that lies in [begin, begin + size), as indices relative to `begin`.
  KeyRange within(std::int64_t begin, std::int64_t size) const {
    return {std::clamp<std::int64_t>(first - begin, 0, size),
            std::clamp<std::int64_t>(last - begin, 0, size)};
  }
};

/// Strides, in elements, of an array that is broadcast to [B, H, T, S]: 0 along an axis of size 1.
struct BroadcastSteps {
  std::int64_t batch = 0, head = 0, query = 0, key = 0;

  std::int64_t at(std::int64_t b, std::int64_t h, std::int64_t t, std::int64_t s) const {
    return b * batch + h * head + t * query + s * key;
  }
};

struct AttentionMask {
  /// Larger than any position, but small enough that sums of a few do not overflow.
  static constexpr std::int64_t kFar = std::int64_t{1} << 60;

  const std::int32_t* lengths = nullptr;  ///< [B]: number of valid keys; nullptr: all
  std::int64_t lowest = -kFar;            ///< query t sees keys from t + lowest
  std::int64_t highest = kFar;            ///< to t + highest, inclusive
  const bool* allowed = nullptr;          ///< false hides a key; nullptr: hides none
  BroadcastSteps allowed_steps = {};
  const void* bias = nullptr;  ///< of the queries' dtype, added to scores; -infinity hides a key
  BroadcastSteps bias_steps = {};

  /// The keys within the length and the window of a query. Both ends are non-decreasing in
  /// `query`.
  KeyRange range(std::int64_t batch, std::int64_t query, std::int64_t keys) const {
    const std::int64_t length = lengths ? lengths[batch] : keys;
    const std::int64_t first = std::clamp<std::int64_t>(query + lowest, 0, length);
    return {first, std::clamp(query + highest + 1, first, length)};
  }
  /// True if `allowed` or `bias` must be applied in addition to the range.
  bool has_entries() const { return allowed || bias; }
};

}  // namespace attune::kernels
