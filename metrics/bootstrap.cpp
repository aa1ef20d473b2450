#include "attune/metrics/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "attune/autograd/array/error.h"
#include "attune/autograd/array/parallel.h"
#include "attune/autograd/array/random.h"

namespace attune {

void TextStatistics::add(std::span<const double> row) {
  if (texts_ == 0) width_ = row.size();
  ATTUNE_CHECK(row.size() == width_, "text statistics: a row of {} numbers; expected {}",
               row.size(), width_);
  values_.insert(values_.end(), row.begin(), row.end());
  ++texts_;
}

std::span<const double> TextStatistics::row(std::int64_t text) const {
  return std::span(values_).subspan(static_cast<std::size_t>(text) * width_, width_);
}

std::vector<double> TextStatistics::sums() const {
  std::vector<double> sums(width_);
  for (std::int64_t text = 0; text < texts_; ++text)
    for (std::size_t i = 0; i < width_; ++i) sums[i] += row(text)[i];
  return sums;
}

TextStatistics statistics_of(const TextMetric& metric, std::span<const TextOutput> texts) {
  std::vector<std::vector<double>> rows(texts.size());
  parallel_for(std::ssize(texts), /*grain=*/16, [&](std::int64_t first, std::int64_t last) {
    for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i)
      rows[i] = metric.statistics(texts[i]);
  });
  TextStatistics statistics;
  for (const std::vector<double>& row : rows) statistics.add(row);
  return statistics;
}

std::vector<double> resampled_scores(const TextStatistics& statistics, const ScoreOfSums& score,
                                     const BootstrapOptions& options) {
  const std::int64_t texts = statistics.texts();
  ATTUNE_CHECK(texts > 0, "bootstrap: there are no texts; expected at least one");
  ATTUNE_CHECK(options.resamples > 0, "bootstrap: {} resamples; expected at least one",
               options.resamples);
  std::vector<Generator> generators = Generator(options.seed).split(options.resamples);
  std::vector<double> scores(generators.size());
  parallel_for(options.resamples, /*grain=*/16, [&](std::int64_t first, std::int64_t last) {
    for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i) {
      std::vector<double> sums(statistics.row(0).size());
      for (std::int64_t drawn = 0; drawn < texts; ++drawn) {
        const std::span<const double> row = statistics.row(generators[i].below(texts));
        for (std::size_t j = 0; j < sums.size(); ++j) sums[j] += row[j];
      }
      scores[i] = score(sums);
    }
  });
  return scores;
}

ConfidenceInterval percentile_interval(std::vector<double> scores, double level) {
  ATTUNE_CHECK(!scores.empty(), "confidence interval: there are no scores; expected at least one");
  ATTUNE_CHECK(level > 0 && level < 1,
               "confidence interval: the level is {}; expected above 0 and below 1", level);
  std::sort(scores.begin(), scores.end());
  // Not 24 for 24.999...
  const double share = std::floor(static_cast<double>(scores.size()) * (1 - level) / 2 + 1e-9);
  const auto outside = static_cast<std::size_t>(share);
  return {.low = scores[outside], .high = scores[scores.size() - 1 - outside]};
}

ConfidenceInterval bootstrap_interval(const TextStatistics& statistics, const ScoreOfSums& score,
                                      const BootstrapOptions& options) {
  return percentile_interval(resampled_scores(statistics, score, options), options.level);
}

PairedComparison paired_comparison(double difference, std::span<const double> first,
                                   std::span<const double> second) {
  ATTUNE_CHECK(!first.empty() && first.size() == second.size(),
               "paired comparison: {} and {} scores; expected equally many, and at least one",
               first.size(), second.size());
  const auto count = static_cast<double>(first.size());
  std::vector<double> distances;
  double wins = 0;
  for (std::size_t i = 0; i < first.size(); ++i) {
    distances.push_back(std::fabs(first[i] - second[i]));
    wins += first[i] > second[i];
  }
  const double mean = std::accumulate(distances.begin(), distances.end(), 0.0) / count;
  const auto larger =
      static_cast<double>(std::count_if(distances.begin(), distances.end(), [&](double distance) {
        return distance - mean > std::fabs(difference);
      }));
  return {.difference = difference, .p_value = (larger + 1) / (count + 1), .wins = wins / count};
}

PairedComparison paired_bootstrap(const TextStatistics& first, const TextStatistics& second,
                                  const ScoreOfSums& score, const BootstrapOptions& options) {
  ATTUNE_CHECK(first.texts() == second.texts(),
               "paired bootstrap: the systems have {} and {} texts; expected the same texts",
               first.texts(), second.texts());
  return paired_comparison(score(first.sums()) - score(second.sums()),
                           resampled_scores(first, score, options),
                           resampled_scores(second, score, options));
}

}  // namespace attune
