#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "attune/metrics/text_metric.h"

namespace attune {

/// The statistics of texts, from which scores of any sample of these texts are computed: one row of
/// equally many numbers for each text.
class TextStatistics {
 public:
  /// Errors: the row has not as many numbers as those before.
  void add(std::span<const double> row);
  std::int64_t texts() const { return texts_; }
  std::span<const double> row(std::int64_t text) const;
  /// The sums over all texts.
  std::vector<double> sums() const;

 private:
  std::vector<double> values_;
  std::int64_t texts_ = 0;
  std::size_t width_ = 0;
};

/// The statistics of each text, computed by all threads. Errors: as TextMetric::statistics().
TextStatistics statistics_of(const TextMetric& metric, std::span<const TextOutput> texts);

/// The score of texts whose statistics have the given sums, such as TextMetric::score(), or the
/// perplexity of sums of log-probabilities and numbers of tokens.
using ScoreOfSums = std::function<double(std::span<const double> sums)>;

struct BootstrapOptions {
  int resamples = 1000;
  double level = 0.95;  ///< of confidence
  std::uint64_t seed = 1;
};

/// The numbers from `low` to `high`.
struct ConfidenceInterval {
  double low = 0, high = 0;
};

/// The scores of resamples: each has as many texts as there are, drawn with replacement. They
/// depend on the seed and the number of texts only, so that resamples of two systems have the same
/// texts. Errors: no texts; fewer than one resample.
std::vector<double> resampled_scores(const TextStatistics& statistics, const ScoreOfSums& score,
                                     const BootstrapOptions& options = {});

/// The interval of the given scores without a share of (1 - level) / 2 at either end (percentile
/// bootstrap): with 1000 scores and a level of 0.95, without the lowest 25 and the highest 25.
/// Errors: no scores; a level that is not above 0 and below 1.
ConfidenceInterval percentile_interval(std::vector<double> scores, double level = 0.95);

/// The confidence interval of a score (Koehn 2004), percentile_interval() of
/// resampled_scores().
ConfidenceInterval bootstrap_interval(const TextStatistics& statistics, const ScoreOfSums& score,
                                      const BootstrapOptions& options = {});

/// Two systems compared on the same texts.
struct PairedComparison {
  double difference = 0;  ///< score of the first minus score of the second
  /// The probability of a difference this large if the systems were equally good, by the paired
  /// bootstrap test of sacreBLEU: (1 + #{i : |d_i| - mean |d| > |difference|}) / (1 + resamples)
  /// for the differences d_i of resamples.
  double p_value = 1;
  double wins = 0;  ///< the share of resamples in which the first has the higher score (Koehn 2004)
};

/// The comparison from the scores of the same resamples for both systems. Errors: not equally many,
/// or none.
PairedComparison paired_comparison(double difference, std::span<const double> first,
                                   std::span<const double> second);

/// The paired bootstrap test (Koehn 2004). Koehn concludes from the share of wins; the
/// p-value is that of later programs. Errors: the systems have different numbers of texts; as
/// resampled_scores().
PairedComparison paired_bootstrap(const TextStatistics& first, const TextStatistics& second,
                                  const ScoreOfSums& score, const BootstrapOptions& options = {});

}  // namespace attune
