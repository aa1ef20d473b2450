#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "attune/layers/layer.h"

namespace attune {

/// Step one of attention: how well does a query fit each key? Here h_s is the key at source
/// position s (an encoder's state) and y_i the query (a decoder's state).
///
/// A new score is one small class with the two functions below, and one line in the table of
/// make_score().
class AttentionScore : public Layer {
 public:
  /// The part that needs no query, done once for each source: keys [S, B, K] -> [S, B, ...]. As
  /// they are by default. Attention clears keys beyond a source's length first, and gives their
  /// scores no gradient.
  virtual Tensor project_keys(const Tensor& keys) const { return keys; }
  /// The scores of one query for each sequence: query [B, Q] -> [B, S].
  virtual Tensor operator()(const Tensor& query, const Tensor& projected_keys) const = 0;
};

/// score(s, i) = h_s . y_i (Luong et al. 2015, eq. 8, "dot"; also Graves et al. 2014). No
/// parameters.
/// Errors: queries and keys differ in size.
class DotScore : public AttentionScore {
 public:
  DotScore(std::int64_t query_size, std::int64_t key_size);
  Tensor operator()(const Tensor& query, const Tensor& projected_keys) const override;
};

/// score(s, i) = h_s^T W y_i (Luong et al. 2015, eq. 8, "general"). For sizes that differ, and
/// where what makes a key fit is to be learned. W [K, Q], uniform in +-1 / sqrt(Q), is applied to
/// the keys (h_s^T W), which leaves a dot product for each query.
class GeneralScore : public AttentionScore {
 public:
  GeneralScore(std::int64_t query_size, std::int64_t key_size);
  Tensor project_keys(const Tensor& keys) const override;
  Tensor operator()(const Tensor& query, const Tensor& projected_keys) const override;

 private:
  Tensor weight_;
};

/// score(s, i) = v^T tanh(W [h_s ; y_i]): a feed-forward network with one hidden layer of A units
/// (Bahdanau et al. 2015, A.1.2; "concat" in Luong et al. 2015, eq. 8). Since W [h_s ; y_i] = W_h
/// h_s + W_y y_i, the key half W_h is applied once for each source and the query half W_y once for
/// each query. W [A, K + Q] is uniform in +-1 / sqrt(K + Q), v [A] in +-1 / sqrt(A).
class AdditiveScore : public AttentionScore {
 public:
  AdditiveScore(std::int64_t query_size, std::int64_t key_size, std::int64_t hidden);
  Tensor project_keys(const Tensor& keys) const override;
  Tensor operator()(const Tensor& query, const Tensor& projected_keys) const override;

 private:
  std::int64_t query_size_, key_size_;
  Tensor weight_, v_;
};

/// A score by name: "dot", "general" or "additive"; `hidden` is A of the additive one. Errors: an
/// unknown name; the message lists the known ones.
std::shared_ptr<AttentionScore> make_score(std::string_view kind, std::int64_t query_size,
                                           std::int64_t key_size, std::int64_t hidden);
/// The names that make_score() knows.
std::vector<std::string> score_names();

}  // namespace attune
