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

/// A score that is scale * project_query(y) . project_keys(h).
struct DotProduct {
  double scale = 1;
};

/// Step four of attention: how well does a query fit each key? Here h_s is the key at source
/// position s (an encoder's state) and y the query (a decoder's state).
///
/// A new score is one file with a small class, of which only operator() is required, and a row of
/// attention_scores(); docs/extending.md has an example.
class AttentionScore : public Layer {
 public:
  /// The part that needs no query, done once for each source: keys [S, B, K] -> [S, B, ...]. As
  /// they are by default. Attention clears keys beyond a source's length first, and gives their
  /// scores no gradient.
  virtual Tensor project_keys(const Tensor& keys) const { return keys; }

  /// The scores of one query for each sequence: query [B, Q] -> [B, S]. `state` is that of the step
  /// before; a score that moves along the source sets its position.
  virtual Tensor operator()(const Tensor& query, const Tensor& projected_keys,
                            AttentionState& state) const = 0;

  /// Set by a score that is a dot product and does not depend on the state. Many queries at once
  /// then go to scaled_dot_product_attention(), which never holds their scores in memory.
  virtual std::optional<DotProduct> as_dot_product() const { return {}; }
  /// The queries of that dot product: [..., Q] -> [..., the size of a projected key].
  virtual Tensor project_query(const Tensor& query) const { return query; }

  /// True for a score that reads AttentionState::coverage, which is kept only then.
  virtual bool reads_coverage() const { return false; }
};

/// The sizes of a score that is made by name; each score takes what it needs.
struct ScoreOptions {
  std::int64_t query_size = 0;  ///< Q
  std::int64_t key_size = 0;    ///< K
  std::int64_t hidden = 0;      ///< A, units of a score that is a network, such as the additive one
};

using ScoreMaker = std::function<std::shared_ptr<AttentionScore>(const ScoreOptions&)>;

/// The scores that can be chosen by name.
Family<ScoreMaker>& attention_scores();
/// A score by name. Errors: an unknown name; the message lists the known ones.
std::shared_ptr<AttentionScore> make_score(std::string_view name, const ScoreOptions& options);
/// The names that make_score() knows.
std::vector<std::string> score_names();

}  // namespace attune
