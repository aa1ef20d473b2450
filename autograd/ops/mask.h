#pragma once

#include <cstdint>
#include <utility>

#include "attune/autograd/array/indices.h"
#include "attune/autograd/tensor.h"

namespace attune {

namespace kernels {
struct AttentionMask;
}

/// Which keys each query of attention may look at, and what is added to its scores. The default
/// hides nothing. Masks are combined with &: a key is seen where each of them lets it be seen, and
/// biases add up.
///
///     Mask padded = Mask::lengths(lengths);                       // keys s < lengths[b]
///     Mask causal = Mask::causal();                               // keys s <= t
///     Mask local = Mask::window(128, 0) & Mask::lengths(lengths); // the last 129 keys
///
/// Lengths and windows are known before any score is: attention then takes no time for the tiles
/// that they hide, and O(T w) for a window of w keys. Shapes: B rows of the batch, H heads, T
/// queries, S keys.
class Mask {
 public:
  Mask();

  /// lengths [B]: row b's keys s < lengths[b]. Lengths that are not defined hide nothing.
  static Mask lengths(const Indices& lengths);
  /// Keys s <= t + offset, where `offset` is the position of the first query: S - T when the last
  /// query stands at the last key, as in decoding with what was kept of earlier steps.
  static Mask causal(std::int64_t offset = 0);
  /// Keys t + offset - left ... t + offset + right: local attention (Beltagy et al. 2020, sec. 3.1,
  /// Longformer's sliding window). Errors: left or right is negative.
  static Mask window(std::int64_t left, std::int64_t right, std::int64_t offset = 0);
  /// Keys whose entry is true, or not 0; `allowed` is broadcast to [B, H, T, S] and copied.
  static Mask of(const Array& allowed);
  /// Adds to the scores, after their scaling; `added` is broadcast to [B, H, T, S] and gets a
  /// gradient: ALiBi's slopes (Press et al. 2022, sec. 3), T5's relative positions (Raffel et al.
  /// 2020, sec. 2.1). An entry of -infinity hides its key.
  static Mask bias(const Tensor& added);

  /// Both masks. Errors: shapes that do not go together.
  friend Mask operator&(const Mask& a, const Mask& b);

  /// The keys [first, last) of `keys` that lengths and windows leave to a query.
  /// Errors: no such row of the lengths.
  std::pair<std::int64_t, std::int64_t> range(std::int64_t batch, std::int64_t query,
                                              std::int64_t keys) const;
  /// True for the mask that hides and adds nothing.
  bool is_empty() const;
  /// What is added to the scores; not defined where nothing is.
  const Tensor& added() const { return bias_; }
  /// The same mask, of whose bias no gradient is asked for.
  Mask detach() const {
    Mask mask = *this;
    mask.bias_ = mask.bias_.detach();
    return mask;
  }

  /// What kernels read; it points into this mask.
  /// Errors, in the name of `op`: lengths are not one for each row of scores [B, H, T, S], or
  /// outside [0, S]; an array is not broadcast to the scores; a bias has another dtype.
  kernels::AttentionMask view(const char* op, const Shape& scores, DType dtype) const;

 private:
  Indices lengths_;
  std::int64_t lowest_, highest_;  // query t sees keys t + lowest_ ... t + highest_
  Array allowed_;                  // booleans
  Tensor bias_;
};

}  // namespace attune
