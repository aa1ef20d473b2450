#include "attune/layers/attention/attention_score.h"

namespace attune {

Family<ScoreMaker>& attention_scores() {
  static Family<ScoreMaker> family(
      "attention score",
      {
          {"dot", "h . y", "Luong et al. 2015, sec. 3.1", ATTUNE_MAKER(ScoreMaker, make_dot_score)},
          {"scaled_dot", "h . y / sqrt(K)", "Vaswani et al. 2017, eq. 1",
           ATTUNE_MAKER(ScoreMaker, make_scaled_dot_score)},
          {"general", "h^T W y", "Luong et al. 2015, sec. 3.1",
           ATTUNE_MAKER(ScoreMaker, make_general_score)},
          {"additive", "v^T tanh(W [h ; y])", "Bahdanau et al. 2015, A.1.2",
           ATTUNE_MAKER(ScoreMaker, make_additive_score)},
          {"concat", "v^T tanh(W [y ; h])", "Luong et al. 2015, sec. 3.1",
           ATTUNE_MAKER(ScoreMaker, make_concat_score)},
          {"feed_forward", "v^T f(W [h ; y] + b), f any; hidden=64x64, activation=relu",
           "a network of any depth", ATTUNE_MAKER(ScoreMaker, make_feed_forward_score)},
          {"cosine", "beta h . y / (|h| |y|)", "Graves et al. 2014, eq. 5 and 6",
           ATTUNE_MAKER(ScoreMaker, make_cosine_score)},
          {"query_key_norm", "g h . y / (|h| |y|), g from log2(L^2 - L); length=20",
           "Henry et al. 2020", ATTUNE_MAKER(ScoreMaker, make_query_key_norm_score)},
          {"location", "additive, and features of the weights before; filters=10, width=31",
           "Chorowski et al. 2015", ATTUNE_MAKER(ScoreMaker, make_location_score)},
          {"coverage", "additive, and the sum of all weights so far; loss=1, fertility=0",
           "See et al. 2017, eq. 11 to 13; Tu et al. 2016",
           ATTUNE_MAKER(ScoreMaker, make_coverage_score)},
          {"gaussian_mixture", "log sum_k alpha_k exp(-beta_k (kappa_k - s)^2); components=5",
           "Graves 2013, eq. 46 to 51", ATTUNE_MAKER(ScoreMaker, make_gaussian_mixture_score)},
      });
  return family;
}

std::shared_ptr<AttentionScore> make_score(std::string_view name, const ScoreOptions& options) {
  return attention_scores().make(name, options);
}

std::vector<std::string> score_names() { return attention_scores().names(); }

}  // namespace attune
