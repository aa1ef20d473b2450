#pragma once

#include <cstdint>
#include <optional>
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
///     Mask causal = Mask::causal();                               // no key after the query
///     Mask local = Mask::window(128, 0) & Mask::lengths(lengths); // the last 129 keys
///
/// Shapes: B rows of the batch, H heads, T queries, S keys; one query for each row is T = 1.
///
/// Query t stands at key t + offset. Unless it is given, the offset is S - T: the last query stands
/// at the last key. So one mask serves a sequence that attends to itself (T = S) and decoding, in
/// which the newest queries (T = 1) meet the keys of all steps so far.
///
/// Lengths and windows are known before any score is: attention by
/// scaled_dot_product_attention() takes no time for the tiles that they hide, and O(T w) for a
/// window of w keys.
class Mask {
 public:
  Mask() = default;

  /// lengths [B]: row b's keys s < lengths[b]. Lengths that are not defined hide nothing.
  static Mask lengths(const Indices& lengths);
  /// Keys up to the query's own position: s <= t + offset.
  static Mask causal(std::optional<std::int64_t> offset = {});
  /// Keys t + offset - left ... t + offset + right: local attention (Beltagy et al. 2020, sec. 3.1,
  /// Longformer's sliding window). Errors: left or right is negative.
  static Mask window(std::int64_t left, std::int64_t right,
                     std::optional<std::int64_t> offset = {});
  /// Keys whose entry is true, or not 0; `allowed` is broadcast to [B, H, T, S] and copied.
  static Mask of(const Array& allowed);
  /// Adds to the scores, after their scaling; `added` is broadcast to [B, H, T, S] and gets a
  /// gradient: ALiBi's slopes (Press et al. 2022, sec. 3), T5's relative positions (Raffel et al.
  /// 2020, sec. 2.1). An entry of -infinity hides its key.
  static Mask bias(const Tensor& added);

  /// Both masks. Errors: shapes that do not go together.
  friend Mask operator&(const Mask& a, const Mask& b);

  /// The mask of one query, for scores [B * H, S], from this one for scores [B, H, T, S]: heads
  /// become rows of the batch. Errors: no such query. The mask must fit the scores: see check().
  Mask of_query(std::int64_t query, const Shape& scores) const;
  /// The keys [first, last) that lengths and windows leave to a query, of scores [B, H, T, S].
  /// Errors: no such row of the lengths.
  std::pair<std::int64_t, std::int64_t> range(std::int64_t batch, std::int64_t query,
                                              const Shape& scores) const;
  /// True for the mask that hides and adds nothing.
  bool is_empty() const { return is_lengths() && !lengths_.defined(); }
  /// True for a mask of lengths alone, or of nothing: what softmax(x, axis, lengths) takes.
  bool is_lengths() const {
    return fixed_ == Window{} && aligned_ == Window{} && !allowed_.defined() && !bias_.defined();
  }
  /// Those of all lengths(), the shorter ones; not defined where there are none.
  const Indices& lengths() const { return lengths_; }
  /// What is added to the scores; not defined where nothing is.
  const Tensor& added() const { return bias_; }
  /// The same mask, of whose bias no gradient is asked for.
  Mask detach() const {
    Mask mask = *this;
    mask.bias_ = mask.bias_.detach();
    return mask;
  }

  /// Checks that the mask fits scores [B, H, T, S]. Errors, in the name of `op`: lengths are not
  /// one for each row, or outside [0, S]; an array is not broadcast to the scores; a bias has
  /// another dtype.
  void check(const char* op, const Shape& scores, DType dtype) const;
  /// What kernels read; it points into this mask. Errors: those of check().
  kernels::AttentionMask view(const char* op, const Shape& scores, DType dtype) const;

 private:
  static constexpr std::int64_t kFar = std::int64_t{1} << 60;  // beyond all positions
  struct Window {  // query t sees the keys t + lowest ... t + highest
    std::int64_t lowest = -kFar, highest = kFar;
    bool operator==(const Window&) const = default;
  };

  Window window(const Shape& scores) const;

  Indices lengths_;
  Window fixed_;    // of masks with an offset, which is added already
  Window aligned_;  // of masks without; their offset S - T is added when scores are known
  Array allowed_;   // booleans
  Tensor bias_;
};

/// Scores under a mask: what it adds is added, and scores that it hides become -infinity. Those may
/// have held anything, and get the gradient 0. Scores are [B, H, T, S], or [B, S] of one query for
/// each row. Errors: those of Mask::check().
Tensor mask_scores(const Tensor& scores, const Mask& mask);

/// Softmax of such scores over the keys that the mask leaves; the others get 0. A query that sees
/// no key has only zeros and passes no gradient on. Errors: those of mask_scores().
Tensor softmax(const Tensor& scores, const Mask& mask);

}  // namespace attune
