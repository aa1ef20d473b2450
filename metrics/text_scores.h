#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "attune/metrics/bootstrap.h"
#include "attune/metrics/text_metric.h"

namespace attune {

/// The score of texts by a metric, and how it compares with that of another system.
struct TextScore {
  struct Other {
    double score = 0;
    ConfidenceInterval interval = {};
    PairedComparison comparison = {};  ///< of this system with the other
  };

  std::string name, signature;
  double score = 0;
  ConfidenceInterval interval = {};
  std::vector<std::pair<std::string, double>> details = {};  ///< see TextMetric::details()
  std::optional<Other> other = {};
};

/// The scores of texts by some metrics, each with its confidence interval. `others` are the outputs
/// of another system for the same texts; empty: there is none. Errors: no texts; not as many others
/// as texts; as TextMetric::statistics().
std::vector<TextScore> score_texts(std::span<const std::shared_ptr<TextMetric>> metrics,
                                   std::span<const TextOutput> texts,
                                   std::span<const TextOutput> others = {},
                                   const BootstrapOptions& options = {});

/// The scores as a human-readable table: name, score, interval and signature; below it, if there is
/// another system, which is called `other`, its scores, the differences and p-values.
std::string text_score_table(std::span<const TextScore> scores, std::string_view other = {});

/// The scores as a JSON array of objects, with percentages.
std::string text_score_json(std::span<const TextScore> scores);

}  // namespace attune
