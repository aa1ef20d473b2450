#pragma once

#include <vector>

#include "attune/layers/attention/positional_encoding.h"

namespace attune {

struct RelativePositionalEncodingOptions {
  std::int64_t head_features = 0;  ///< d, of one head
  std::int64_t layers = 1;         ///< each has vectors of its own
  std::int64_t clip = 16;          ///< k
};

/// Relative positions (Shaw et al. 2018, eq. 3 to 5): a learned vector for each distance from -k to
/// k, to which larger distances are clipped, is added to keys and to values:
///
///     e_ts = q_t . (k_s + a^K_c) / sqrt(d)            c = clip(s - t, -k, k)
///     z_t  = sum_s softmax_s(e_ts) (v_s + a^V_c)
///
/// The sums of keys and vectors are never formed (sec. 3.3): q_t . a^K_c / sqrt(d) is a bias of the
/// scores, and the weights of each distance, added up, multiply the vectors a^V. Heads share the
/// vectors, as there; each layer has its own. No limit on the length of sequences.
/// "relative:clip=16" is its name and option in make_positional_encoding(), with the default.
/// Parameters: keys0 (a^K of layer 0), values0 (a^V), keys1, ..., each [2 k + 1, d], normal with
/// standard deviation d^(-1/2). A decoder, whose keys are never later than the query, does not use
/// those of positive distances.
/// Errors: a size below 1.
class RelativePositionalEncoding : public PositionalEncoding {
 public:
  explicit RelativePositionalEncoding(const RelativePositionalEncodingOptions& options);
  /// [B, H, T, S]
  Tensor bias(const Tensor& query, const AttentionPlace& place) const override;
  bool has_bias() const override { return true; }
  bool acts_in_attention() const override { return true; }
  Tensor values(const Tensor& weights, const AttentionPlace& place) const override;
  bool has_values() const override { return true; }

 private:
  struct Vectors {
    Tensor keys, values;
  };

  const Vectors& vectors_of(const AttentionPlace& place) const;
  Indices distances(const AttentionPlace& place) const;

  std::int64_t clip_;
  std::vector<Vectors> layers_;
};

}  // namespace attune
