#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "attune/autograd/array/family.h"
#include "attune/layers/attention/attention_state.h"
#include "attune/layers/layer.h"

namespace attune {

/// Describes a score that equals scale * project_query(y) . project_keys(h).
struct DotProduct {
  double scale = 1;
};

/// Base class of scores, step 4 of attention: how well a query matches each key. h_s denotes the
/// key at source position s (an encoder's state), y the query (a decoder's state).
///
/// A new score is a small class in a file of its own, of which only operator() is required, and a
/// row of attention_scores(); docs/extending.md has an example.
class AttentionScore : public Layer {
 public:
  /// The part of the score that does not depend on the query, computed once per source: keys
  /// [S, B, K] -> [S, B, ...]. By default, returns the keys. Attention clears keys beyond a
  /// source's length before the call, and gives their scores no gradient.
  virtual Tensor project_keys(const Tensor& keys) const { return keys; }

  /// The scores of one query per sequence: query [B, Q] -> [B, S]. `state` is that of the previous
  /// step; a score that moves along the source updates its position.
  virtual Tensor operator()(const Tensor& query, const Tensor& projected_keys,
                            AttentionState& state) const = 0;

  /// To be overridden by a score that is a dot product and does not depend on the state. Attention
  /// over several queries at once then uses scaled_dot_product_attention(), which does not store
  /// the scores.
  virtual std::optional<DotProduct> as_dot_product() const { return {}; }
  /// The queries of that dot product: [..., Q] -> [..., the size of a projected key].
  virtual Tensor project_query(const Tensor& query) const { return query; }

  /// Whether the score uses AttentionState::coverage, which is otherwise not computed.
  virtual bool reads_coverage() const { return false; }
  /// Whether the score uses AttentionState::position, which only one of score and normaliser may.
  virtual bool moves() const { return false; }
  /// What the weights [B, S] of a step add to its loss, [B], given the state before it. Not
  /// defined, as by default: nothing.
  virtual Tensor penalty(const Tensor& /*weights*/, const AttentionState& /*before*/) const {
    return {};
  }
};

/// What a score that is chosen by name is made from.
struct ScoreOptions {
  std::int64_t query_size = 0;  ///< Q
  std::int64_t key_size = 0;    ///< K
  std::int64_t hidden = 0;      ///< A, hidden units of a score that has some
  Arguments arguments = {};     ///< options of that score alone
};

using ScoreMaker = std::function<std::shared_ptr<AttentionScore>(const ScoreOptions&)>;

/// The scores that can be chosen by name.
Family<ScoreMaker>& attention_scores();
/// Makes the score called `name`, which may be followed by options of its own, as in
/// "feed_forward:activation=tanh"; see Family::make(). Errors: an unknown name (the message lists
/// the valid ones); an unknown option; sizes that do not match.
std::shared_ptr<AttentionScore> make_score(std::string_view name, const ScoreOptions& options);
/// The names that make_score() accepts.
std::vector<std::string> score_names();

}  // namespace attune
