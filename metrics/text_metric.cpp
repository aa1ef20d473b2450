#include "attune/metrics/text_metric.h"

#include <algorithm>
#include <cstddef>

namespace attune {
namespace {

// The parts of a list of metrics. A comma followed by NAME=VALUE separates the options of a metric
// rather than metrics.
std::vector<std::string> parts_of(std::string_view list) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    const std::string part(list.substr(begin, end - begin));
    begin = end + 1;
    const std::size_t equals = part.find('=');
    const bool is_option = equals != part.npos && part.find(':') > equals;
    if (is_option && !parts.empty())
      parts.back() += "," + part;
    else if (part == "rouge")
      parts.insert(parts.end(), {"rouge1", "rouge2", "rougeL"});
    else
      parts.push_back(part);
  }
  return parts;
}

}  // namespace

Family<TextMetricMaker>& text_metrics() {
  static Family<TextMetricMaker> family(
      "metric",
      {
          {"bleu", "geometric mean of n-gram precisions, with a brevity penalty",
           "Papineni et al. 2002; Post 2018", ATTUNE_MAKER(TextMetricMaker, make_bleu)},
          {"chrf", "F-score of character n-grams", "Popovic 2015",
           ATTUNE_MAKER(TextMetricMaker, make_chrf)},
          {"chrf++", "F-score of n-grams of characters and words", "Popovic 2017",
           ATTUNE_MAKER(TextMetricMaker, make_chrf_plus_plus)},
          {"ter", "edits and shifts of phrases, of the words of the reference; lower is better",
           "Snover et al. 2006", ATTUNE_MAKER(TextMetricMaker, make_ter)},
          {"rouge1", "F-score of words", "Lin 2004, sec. 2",
           ATTUNE_MAKER(TextMetricMaker, make_rouge1)},
          {"rouge2", "F-score of pairs of words", "Lin 2004, sec. 2",
           ATTUNE_MAKER(TextMetricMaker, make_rouge2)},
          {"rougeL", "F-score of the longest common subsequence", "Lin 2004, sec. 3.1",
           ATTUNE_MAKER(TextMetricMaker, make_rouge_l)},
          {"rougeLsum", "the same for each line of a text, united", "Lin 2004, sec. 3.2",
           ATTUNE_MAKER(TextMetricMaker, make_rouge_lsum)},
          {"repeated_ngrams", "n-grams of an output that repeat an earlier one in it",
           "Welleck et al. 2020", ATTUNE_MAKER(TextMetricMaker, make_repeated_ngrams)},
          {"copied_words", "words of an output that its source has", "",
           ATTUNE_MAKER(TextMetricMaker, make_copied_words)},
          {"novel_ngrams", "n-grams of an output that its source does not have", "See et al. 2017",
           ATTUNE_MAKER(TextMetricMaker, make_novel_ngrams)},
      });
  return family;
}

std::shared_ptr<TextMetric> make_text_metric(std::string_view name) {
  return text_metrics().make(name, TextMetricOptions{});
}

std::vector<std::shared_ptr<TextMetric>> make_text_metrics(std::string_view list) {
  const std::vector<std::string> parts = parts_of(list);
  std::vector<std::shared_ptr<TextMetric>> metrics;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    ATTUNE_CHECK(std::count(parts.begin(), parts.end(), parts[i]) == 1,
                 "metric: '{}' is given twice", parts[i]);
    metrics.push_back(make_text_metric(parts[i]));
  }
  return metrics;
}

double score_of_text(const TextMetric& metric, const TextOutput& text) {
  return metric.score(metric.statistics(text));
}

std::string signature(const TextMetric& metric, std::span<const TextOutput> texts) {
  const std::string settings = metric.settings();
  if (metric.needs() != TextMetric::Needs::references)
    return fmt::format("{}|{}", metric.name(), settings);
  std::string count = texts.empty() ? "0" : std::to_string(texts.front().references.size());
  for (const TextOutput& text : texts)
    if (text.references.size() != texts.front().references.size()) count = "var";
  return fmt::format("{}|nrefs:{}|{}", metric.name(), count, settings);
}

}  // namespace attune
