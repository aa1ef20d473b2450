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

/// The keys that each query may attend to, and a bias that is added to the scores. By default all
/// keys are visible and there is no bias. Masks are combined with &: a key is visible if both make
/// it visible, and biases are added.
///
///     Mask padded = Mask::lengths(lengths);                       // keys s < lengths[b]
///     Mask causal = Mask::causal();                               // no key after the query
///     Mask local = Mask::window(128, 0) & Mask::lengths(lengths); // the last 129 keys
///
/// Shapes: B batch rows, H heads, T queries, S keys; T = 1 for one query per row.
///
/// Query t is at the position of key t + offset. The default offset is S - T, which puts the last
/// query at the last key. The same mask can then be used for self-attention over a whole sequence
/// (T = S) and for decoding, where the newest query (T = 1) attends to the keys of all steps so
/// far.
///
/// scaled_dot_product_attention() skips tiles that lengths and windows hide, so a window of w keys
/// takes time O(T w).
class Mask {
 public:
  Mask() = default;

  /// Keys s < lengths[b] for batch row b, lengths [B]. Lengths that are not defined hide nothing.
  static Mask lengths(const Indices& lengths);
  /// Keys up to the position of the query: s <= t + offset.
  static Mask causal(std::optional<std::int64_t> offset = {});
  /// Keys t + offset - left ... t + offset + right: local attention (Beltagy et al. 2020, sec. 3.1,
  /// Longformer's sliding window). Errors: left or right is negative.
  static Mask window(std::int64_t left, std::int64_t right,
                     std::optional<std::int64_t> offset = {});
  /// Keys whose entry in `allowed`, broadcast to [B, H, T, S], is true or not 0. Copies `allowed`.
  static Mask of(const Array& allowed);
  /// Adds `added`, broadcast to [B, H, T, S], to the scaled scores, such as ALiBi's slopes (Press
  /// et al. 2022, sec. 3) or T5's relative positions (Raffel et al. 2020, sec. 2.1).
  /// Differentiable. An entry of -infinity hides its key.
  static Mask bias(const Tensor& added);

  /// Combines both masks. Errors: shapes that do not match.
  friend Mask operator&(const Mask& a, const Mask& b);

  /// This mask of scores [B, H, T, S], reduced to one query: a mask of scores [B * H, S], with
  /// heads as batch rows. Errors: no such query. The mask must fit the scores; see check().
  Mask of_query(std::int64_t query, const Shape& scores) const;
  /// The keys [first, last) within the length and the windows of a query, for scores [B, H, T, S].
  /// Errors: no such row of the lengths.
  std::pair<std::int64_t, std::int64_t> range(std::int64_t batch, std::int64_t query,
                                              const Shape& scores) const;
  /// True for the mask that hides and adds nothing.
  bool is_empty() const { return is_lengths() && !lengths_.defined(); }
  /// True for a mask of lengths alone, or of nothing: what softmax(x, axis, lengths) takes.
  bool is_lengths() const {
    return fixed_ == Window{} && aligned_ == Window{} && !allowed_.defined() && !bias_.defined();
  }
  /// The lengths [B], for each row the smallest of all combined masks; not defined without any.
  const Indices& lengths() const { return lengths_; }
  /// The bias of the scores; not defined if there is none.
  const Tensor& added() const { return bias_; }
  /// The same mask with a constant bias.
  Mask detach() const {
    Mask mask = *this;
    mask.bias_ = mask.bias_.detach();
    return mask;
  }

  /// For each query and key, true if the key is hidden: booleans [B, H, T, S] for scores of that
  /// shape. Errors: those of check().
  Array hidden(const Shape& scores, DType dtype) const;

  /// Checks that the mask fits scores [B, H, T, S]. Errors, whose messages start with `op`: lengths
  /// that are not [B], or not in [0, S]; an array that does not broadcast to the scores; a bias of
  /// another dtype.
  void check(const char* op, const Shape& scores, DType dtype) const;
  /// The mask in the form that kernels take, with pointers into this one. Errors: those of check().
  kernels::AttentionMask view(const char* op, const Shape& scores, DType dtype) const;

 private:
  static constexpr std::int64_t kFar = std::int64_t{1} << 60;  // beyond all positions
  struct Window {  // query t sees the keys t + lowest ... t + highest
    std::int64_t lowest = -kFar, highest = kFar;
    bool operator==(const Window&) const = default;
  };

  Window window(const Shape& scores) const;

  Indices lengths_;
  Window fixed_;    // of masks with a given offset, which is included
  Window aligned_;  // of the others, without S - T, which is added when the scores are known
  Array allowed_;   // booleans
  Tensor bias_;
};

/// Applies a mask to scores: adds its bias, and sets hidden scores to -infinity. Hidden scores may
/// hold anything; their gradient is 0. Shapes: scores [B, H, T, S], or [B, S] for one query per row
/// -> the same. Errors: those of Mask::check().
Tensor mask_scores(const Tensor& scores, const Mask& mask);

/// The softmax of mask_scores(scores, mask) over the keys: hidden keys get 0, and a query without
/// visible keys has only zeros, and gradient 0. Errors: those of mask_scores().
Tensor softmax(const Tensor& scores, const Mask& mask);

}  // namespace attune
