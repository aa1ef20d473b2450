#pragma once

#include <vector>

#include "attune/layers/attention/positional_encoding.h"

namespace attune {

/// Attention with linear biases (Press et al. 2021, sec. 3): adds to the score of query t and key s
///
///     -m_h |t - s|          m_h = 2^(-8 h / H) for the heads h = 1 ... H
///
/// so that each head prefers near keys, to a different degree. If H is not a power of two, the
/// slopes are those of P heads, where P is the largest power of two below H, followed by every
/// second slope of 2 P heads, as in the authors' program.
///
/// The paper defines it for causal attention. In an encoder, distance alone does not distinguish a
/// sequence from its mirror image. So if `bidirectional`, the first H / 2 heads see no later keys
/// and the others no earlier ones, and each half has the slopes of a layer with that many heads:
/// the asymmetric form that the authors suggest for encoders, in their program's repository. A
/// single head sees both directions. No parameters, and no limit on the length of sequences.
/// Errors: fewer than one head.
class AlibiPositionalEncoding : public PositionalEncoding {
 public:
  explicit AlibiPositionalEncoding(std::int64_t heads, bool bidirectional = false);
  /// [H, T, S]
  Tensor bias(const Tensor& query, const AttentionPlace& place) const override;
  bool has_bias() const override { return true; }
  bool acts_in_attention() const override { return true; }

  /// The slope of each head.
  const std::vector<double>& slopes() const { return slopes_; }

 private:
  std::vector<double> slopes_;
  std::int64_t backward_heads_;  // the first ones, which see no later keys
  std::int64_t forward_heads_;   // the last ones, which see no earlier keys
};

}  // namespace attune
