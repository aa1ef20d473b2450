#pragma once

#include <string>
#include <vector>

#include "attune/layers/activation.h"
#include "attune/layers/attention/attention_score.h"
#include "attune/layers/linear.h"

namespace attune {

struct FeedForwardScoreOptions {
  std::int64_t query_size = 0, key_size = 0;
  std::vector<std::int64_t> hidden = {64};  ///< units of each hidden layer
  std::string activation = "relu";          ///< see make_activation()
};

/// A feed-forward network of the key and the query, with hidden layers of any number and size:
///
///     z_1 = f(W_h h + W_y y + b),  z_i = f(W_i z_{i-1} + b_i),  score(h, y) = v^T z_n
///
/// With one hidden layer and ReLU it is the textbook's score. The additive score is the special
/// case of one hidden layer with tanh and without bias, and is faster. W_h h is computed once per
/// source. Parameters: key.weight W_h [A, K], key.bias b, query.weight W_y [A, Q], hidden0.weight,
/// hidden0.bias, ... of the hidden layers after the first, and out.weight v [1, the last size].
/// Errors: no hidden layer; a size below 1; an unknown activation.
class FeedForwardScore : public AttentionScore {
 public:
  explicit FeedForwardScore(const FeedForwardScoreOptions& options);
  Tensor project_keys(const Tensor& keys) const override { return key_(keys); }
  Tensor operator()(const Tensor& query, const Tensor& projected_keys,
                    AttentionState& state) const override;

 private:
  Linear key_, query_;
  std::vector<Linear> hidden_;
  Linear out_;
  Activation activation_;
};

}  // namespace attune
