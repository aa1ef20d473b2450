#pragma once

#include <string>
#include <utility>
#include <vector>

#include "attune/layers/attention/attention_score.h"
#include "attune/layers/attention/normalizer.h"

/// Members of the families that attention is made of, for tests of all of them.

/// The scores that do not depend on the steps before.
inline std::vector<std::string> stateless_scores() {
  std::vector<std::string> names = attune::score_names();
  std::erase_if(names, [](const std::string& name) {
    return name == "location" || name == "coverage" || name == "gaussian_mixture";
  });
  return names;
}

/// Scores with normalisers: every score with softmax, and every normaliser with a few scores.
inline std::vector<std::pair<std::string, std::string>> scores_with_normalizers() {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const std::string& score : attune::score_names()) pairs.emplace_back(score, "softmax");
  for (const std::string& normalizer : attune::normalizer_names())
    for (const char* score : {"dot", "additive", "location"})
      if (normalizer != "softmax") pairs.emplace_back(score, normalizer);
  pairs.emplace_back("gaussian_mixture", "exp");
  pairs.emplace_back("dot", "entmax:alpha=1.3,learned=true");
  pairs.emplace_back("coverage:loss=0,fertility=3", "softmax");
  pairs.emplace_back("feed_forward:hidden=4x3,activation=tanh", "softmax");
  return pairs;
}
