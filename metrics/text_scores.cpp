#include "attune/metrics/text_scores.h"

#include <nlohmann/json.hpp>

#include "attune/autograd/array/error.h"
#include "attune/data/utf8.h"

namespace attune {

std::vector<TextScore> score_texts(std::span<const std::shared_ptr<TextMetric>> metrics,
                                   std::span<const TextOutput> texts,
                                   std::span<const TextOutput> others,
                                   const BootstrapOptions& options) {
  ATTUNE_CHECK(!texts.empty(), "text scores: there are no texts; expected at least one");
  ATTUNE_CHECK(others.empty() || others.size() == texts.size(),
               "text scores: {} texts of the other system; expected as many as of the first, {}",
               others.size(), texts.size());
  std::vector<TextScore> scores;
  for (const std::shared_ptr<TextMetric>& metric : metrics) {
    const auto score = [&](std::span<const double> sums) { return metric->score(sums); };
    const TextStatistics statistics = statistics_of(*metric, texts);
    const std::vector<double> sums = statistics.sums();
    const std::vector<double> samples = resampled_scores(statistics, score, options);
    TextScore& result = scores.emplace_back();
    result.name = metric->name();
    result.signature = signature(*metric, texts);
    result.score = metric->score(sums);
    result.interval = percentile_interval(samples, options.level);
    result.details = metric->details(sums);
    if (others.empty()) continue;
    const TextStatistics of_others = statistics_of(*metric, others);
    const std::vector<double> other_samples = resampled_scores(of_others, score, options);
    const double other_score = metric->score(of_others.sums());
    result.other = TextScore::Other{
        .score = other_score,
        .interval = percentile_interval(other_samples, options.level),
        .comparison = paired_comparison(result.score - other_score, samples, other_samples)};
  }
  return scores;
}

std::string text_score_table(std::span<const TextScore> scores, std::string_view other) {
  const auto interval_text = [](const ConfidenceInterval& interval) {
    return fmt::format("{:.2f} to {:.2f}", interval.low, interval.high);
  };
  std::string text =
      fmt::format("{:<21} {:>6}   {:<16} {}\n", "metric", "score", "95% interval", "signature");
  for (const TextScore& score : scores)
    text += fmt::format("{:<21} {:>6.2f}   {:<16} {}\n", score.name, score.score,
                        interval_text(score.interval), score.signature);
  if (scores.empty() || !scores.front().other) return text;
  text += fmt::format("\ncompared with {}\n{:<21} {:>6}   {:<16} {:>10} {:>8}\n",
                      utf8::printable(other), "metric", "score", "95% interval", "difference",
                      "p-value");
  for (const TextScore& score : scores)
    text += fmt::format("{:<21} {:>6.2f}   {:<16} {:>+10.2f} {:>8.4f}\n", score.name,
                        score.other->score, interval_text(score.other->interval),
                        score.other->comparison.difference, score.other->comparison.p_value);
  return text;
}

std::string text_score_json(std::span<const TextScore> scores) {
  nlohmann::ordered_json array = nlohmann::ordered_json::array();
  const auto interval_json = [](const ConfidenceInterval& interval) {
    return nlohmann::ordered_json{interval.low, interval.high};
  };
  for (const TextScore& score : scores) {
    nlohmann::ordered_json object = {{"name", score.name},
                                     {"score", score.score},
                                     {"interval", interval_json(score.interval)},
                                     {"signature", score.signature}};
    for (const auto& [name, value] : score.details) object[name] = value;
    if (score.other)
      object["compared_with"] = {{"score", score.other->score},
                                 {"interval", interval_json(score.other->interval)},
                                 {"difference", score.other->comparison.difference},
                                 {"p_value", score.other->comparison.p_value},
                                 {"wins", score.other->comparison.wins}};
    array.push_back(std::move(object));
  }
  return array.dump();
}

}  // namespace attune
