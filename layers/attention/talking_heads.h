#pragma once

#include "attune/layers/attention/head_mixer.h"

namespace attune {

/// Talking heads (Shazeer et al. 2020): the scores of all heads are mixed before the softmax, and
/// their weights after it:
///
///     e_h = q_h . k_h / sqrt(d)                    the scores of head h
///     a_h = softmax(sum_g P[h, g] e_g)
///     u_h = sum_g Q[h, g] a_g                      the weights of head h, which may be negative
///     context_h = sum_s u_hs v_hs
///
/// The paper has no mask and no bias of positions; here biases are part of e, and a mask applies to
/// each head's own e, a and u. Scores are stored, unlike those of scaled_dot_product_attention():
/// they take memory proportional to H T S.
/// Parameters: scores P [H, H] and weights Q [H, H], at first the identity, which is attention of
/// independent heads.
class TalkingHeads : public HeadMixer {
 public:
  explicit TalkingHeads(std::int64_t heads);
  SequenceAttention operator()(const Tensor& query, const Tensor& key, const Tensor& value,
                               const DotProductOptions& options, bool weights) const override;

 private:
  SequenceAttention attend(const Tensor& query, const Tensor& key, const Tensor& value,
                           const Tensor& bias, const Array& hidden,
                           const DotProductOptions& options) const;

  Tensor scores_, weights_;
};

}  // namespace attune
