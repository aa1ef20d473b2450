#include "attune/layers/attention/attention_score.h"

#include "attune/layers/attention/additive_score.h"
#include "attune/layers/attention/cosine_score.h"
#include "attune/layers/attention/dot_score.h"
#include "attune/layers/attention/general_score.h"

namespace attune {
namespace {

std::shared_ptr<AttentionScore> make_dot(const ScoreOptions& options) {
  return std::make_shared<DotScore>(
      DotScoreOptions{.query_size = options.query_size, .key_size = options.key_size});
}

std::shared_ptr<AttentionScore> make_scaled_dot(const ScoreOptions& options) {
  return std::make_shared<DotScore>(DotScoreOptions{
      .query_size = options.query_size, .key_size = options.key_size, .scaled = true});
}

std::shared_ptr<AttentionScore> make_general(const ScoreOptions& options) {
  return std::make_shared<GeneralScore>(
      GeneralScoreOptions{.query_size = options.query_size, .key_size = options.key_size});
}

std::shared_ptr<AttentionScore> make_additive(const ScoreOptions& options) {
  return std::make_shared<AdditiveScore>(AdditiveScoreOptions{
      .query_size = options.query_size, .key_size = options.key_size, .hidden = options.hidden});
}

std::shared_ptr<AttentionScore> make_cosine(const ScoreOptions& options) {
  return std::make_shared<CosineScore>(
      CosineScoreOptions{.query_size = options.query_size, .key_size = options.key_size});
}

}  // namespace

Family<ScoreMaker>& attention_scores() {
  static Family<ScoreMaker> family(
      "attention score",
      {
          {"dot", "h . y", "Luong et al. 2015, eq. 8", make_dot},
          {"scaled_dot", "h . y / sqrt(K)", "Vaswani et al. 2017, eq. 1", make_scaled_dot},
          {"general", "h^T W y", "Luong et al. 2015, eq. 8", make_general},
          {"additive", "v^T tanh(W [h ; y])", "Bahdanau et al. 2015, A.1.2", make_additive},
          {"cosine", "beta h . y / (|h| |y|)", "Graves et al. 2014, eq. 5 and 6", make_cosine},
      });
  return family;
}

std::shared_ptr<AttentionScore> make_score(std::string_view name, const ScoreOptions& options) {
  return attention_scores().at(name).make(options);
}

std::vector<std::string> score_names() { return attention_scores().names(); }

}  // namespace attune
