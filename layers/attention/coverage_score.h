#pragma once

#include <optional>

#include "attune/layers/attention/attention_score.h"
#include "attune/layers/linear.h"

namespace attune {

struct CoverageScoreOptions {
  std::int64_t query_size = 0, key_size = 0;
  std::int64_t hidden = 64;  ///< A
  double loss = 1;           ///< lambda, the factor of the coverage loss; 0: none
  double fertility = 0;      ///< N, the most target tokens of a source token; 0: all count as 1
};

/// The coverage loss of a step (See et al. 2017, eq. 12): sum_s min(a_s, c_s), for its weights a
/// and the coverage c, the sum of the weights of all steps before it; not defined: 0. It grows if a
/// step attends to positions that had been attended to. Shapes: weights, coverage [R, S] -> [R].
Tensor coverage_loss(const Tensor& weights, const Tensor& coverage);

/// An additive score that also takes the coverage, the sum of all weights that a source position
/// has had so far (See et al. 2017, eq. 10 and 11), which keeps it from attending to the same
/// position again and again:
///
///     c_s   = sum over the steps so far of a_s
///     score = v^T tanh(W_h h_s + W_y y + w_c c_s + b)
///
/// The coverage loss lambda sum_s min(a_s, c_s) (eq. 12 and 13) is added to the loss of each step.
/// With a fertility N, the coverage is that of the linguistic model of Tu et al. 2016: c_s / Phi_s
/// with Phi_s = N sigmoid(U h_s), the predicted number of target tokens of the position, and
/// without the loss unless that is set, too.
/// Parameters: query.weight W_y [A, Q], key.weight W_h [A, K], key.bias b, coverage.weight w_c
/// [A, 1], v [A]; with a fertility also fertility.weight U [1, K].
/// Errors: a size below 1; a negative factor or fertility.
class CoverageScore : public AttentionScore {
 public:
  explicit CoverageScore(const CoverageScoreOptions& options);
  /// [S, B, A], with a fertility [S, B, A + 1], the last feature 1 / Phi.
  Tensor project_keys(const Tensor& keys) const override;
  Tensor operator()(const Tensor& query, const Tensor& projected_keys,
                    AttentionState& state) const override;
  bool reads_coverage() const override { return true; }
  Tensor penalty(const Tensor& weights, const AttentionState& before) const override;

 private:
  double loss_, most_;
  Linear query_, key_, coverage_;
  std::optional<Linear> fertility_;
  Tensor v_;
};

}  // namespace attune
