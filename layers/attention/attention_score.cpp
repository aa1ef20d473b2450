#include "attune/layers/attention/attention_score.h"

namespace attune {

Family<ScoreMaker>& attention_scores() {
  static Family<ScoreMaker> family(
      "attention score",
      {
          {"dot", "h . y", "Luong et al. 2015, eq. 8", ATTUNE_MAKER(ScoreMaker, make_dot_score)},
          {"scaled_dot", "h . y / sqrt(K)", "Vaswani et al. 2017, eq. 1",
           ATTUNE_MAKER(ScoreMaker, make_scaled_dot_score)},
          {"general", "h^T W y", "Luong et al. 2015, eq. 8",
           ATTUNE_MAKER(ScoreMaker, make_general_score)},
          {"additive", "v^T tanh(W [h ; y])", "Bahdanau et al. 2015, A.1.2",
           ATTUNE_MAKER(ScoreMaker, make_additive_score)},
          {"cosine", "beta h . y / (|h| |y|)", "Graves et al. 2014, eq. 5 and 6",
           ATTUNE_MAKER(ScoreMaker, make_cosine_score)},
      });
  return family;
}

std::shared_ptr<AttentionScore> make_score(std::string_view name, const ScoreOptions& options) {
  return attention_scores().make(name, options);
}

std::vector<std::string> score_names() { return attention_scores().names(); }

}  // namespace attune
