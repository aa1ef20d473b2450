#include <algorithm>
#include <cstddef>

#include "attune/autograd/array/error.h"
#include "attune/data/utf8.h"
#include "attune/data/utf8_words.h"
#include "attune/metrics/ngrams.h"
#include "attune/metrics/text_metric.h"

namespace attune {
namespace {

bool is_punctuation(char c) {
  return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') ||
         (c >= '{' && c <= '~');
}

// The words of a text, with ASCII punctuation at the end of a word, or else at its start, as a word
// of its own: one character of it, as in the authors' program.
std::vector<std::string_view> words_and_punctuation(std::string_view text) {
  std::vector<std::string_view> result;
  for (const std::string_view word : utf8::words(text)) {
    const std::size_t last = word.size() - 1;
    if (word.size() > 1 && is_punctuation(word.back()))
      result.insert(result.end(), {word.substr(0, last), word.substr(last)});
    else if (word.size() > 1 && is_punctuation(word.front()))
      result.insert(result.end(), {word.substr(0, 1), word.substr(1)});
    else
      result.push_back(word);
  }
  return result;
}

std::vector<int> characters_of(std::string_view text) {
  std::vector<int> result;
  for (const std::string_view word : utf8::words(text))
    for (const char32_t c : utf8::code_points(word)) result.push_back(static_cast<int>(c));
  return result;
}

/// chrF (Popovic 2015) and chrF++ (Popovic 2017) with the form and the defaults of sacreBLEU:
///
///     chrF = 100 (1 + beta^2) P R / (beta^2 P + R)
///
/// P and R are the means, over all orders that outputs and references have, of precision and recall
/// of character n-grams without white space (char_order, by default 6), and in chrF++ of word
/// n-grams too (word_order, by default 2). Of several references, that with the highest score of
/// the text counts. Options: char_order, word_order, beta, lowercase.
///
/// Precision and recall are those of all n-grams of a corpus. The author's program chrF++.py takes
/// the mean of the F-scores of all orders instead.
class Chrf : public TextMetric {
 public:
  Chrf(const Arguments& arguments, int word_order)
      : char_order_(static_cast<int>(arguments.whole("char_order", 6))),
        word_order_(static_cast<int>(arguments.whole("word_order", word_order, /*from=*/0))),
        beta_(static_cast<int>(arguments.whole("beta", 2))),
        lowercase_(arguments.flag("lowercase", false)) {}

  std::string name() const override {
    return fmt::format("chrF{}{}", beta_, std::string(static_cast<std::size_t>(word_order_), '+'));
  }

  std::string settings() const override {
    return fmt::format("case:{}|eff:yes|nc:{}|nw:{}|space:no", lowercase_ ? "lc" : "mixed",
                       char_order_, word_order_);
  }

  std::vector<double> statistics(const TextOutput& text) const override {
    ATTUNE_CHECK(!text.references.empty(), "metric 'chrf': a text without references");
    std::vector<std::string> lines = {text.output};
    lines.insert(lines.end(), text.references.begin(), text.references.end());
    if (lowercase_)
      for (std::string& line : lines) line = utf8::lower(line);

    std::vector<std::vector<double>> of_references(
        text.references.size(), std::vector<double>(3 * static_cast<std::size_t>(orders())));
    std::vector<std::vector<int>> characters;
    for (const std::string& line : lines) characters.push_back(characters_of(line));
    add_ngrams(characters, char_order_, 0, of_references);
    if (word_order_ > 0) {
      std::vector<std::vector<std::string_view>> words;
      for (const std::string& line : lines) words.push_back(words_and_punctuation(line));
      add_ngrams(numbered(words), word_order_, char_order_, of_references);
    }
    // N-grams of the output do not count where the reference is too short to have any.
    for (std::vector<double>& counts : of_references)
      for (std::size_t i = 0; i < counts.size(); i += 3)
        if (counts[i + 1] == 0) counts[i] = 0;
    return *std::max_element(of_references.begin(), of_references.end(),
                             [this](const auto& a, const auto& b) { return score(a) < score(b); });
  }

  double score(std::span<const double> sums) const override {
    const auto [precision, recall] = precision_and_recall(sums);
    const double squared = static_cast<double>(beta_) * beta_;
    if (precision + recall == 0) return 0;
    return 100 * (1 + squared) * precision * recall / (squared * precision + recall);
  }

  std::vector<std::pair<std::string, double>> details(std::span<const double> sums) const override {
    const auto [precision, recall] = precision_and_recall(sums);
    return {{"precision", 100 * precision}, {"recall", 100 * recall}};
  }

 private:
  int orders() const { return char_order_ + word_order_; }

  // Adds, for each reference and each order after the first `before`, the numbers of n-grams of the
  // output, of the reference, and of both.
  static void add_ngrams(std::span<const std::vector<int>> texts, int order, int before,
                         std::vector<std::vector<double>>& of_references) {
    for_each_ngram(texts, order, [&](int n, std::span<const std::int64_t> counts) {
      const auto at = static_cast<std::size_t>(3 * (before + n - 1));
      for (std::size_t i = 0; i < of_references.size(); ++i) {
        of_references[i][at] += static_cast<double>(counts[0]);
        of_references[i][at + 1] += static_cast<double>(counts[i + 1]);
        of_references[i][at + 2] += static_cast<double>(std::min(counts[0], counts[i + 1]));
      }
    });
  }

  // The means over the orders that both outputs and references have.
  static std::pair<double, double> precision_and_recall(std::span<const double> sums) {
    double precision = 0, recall = 0;
    int orders = 0;
    for (std::size_t i = 0; i < sums.size(); i += 3) {
      if (sums[i] == 0 || sums[i + 1] == 0) continue;
      precision += sums[i + 2] / sums[i];
      recall += sums[i + 2] / sums[i + 1];
      ++orders;
    }
    if (orders == 0) return {0, 0};
    return {precision / orders, recall / orders};
  }

  int char_order_, word_order_, beta_;
  bool lowercase_;
};

}  // namespace

std::shared_ptr<TextMetric> make_chrf(const TextMetricOptions& options) {
  return std::make_shared<Chrf>(options.arguments, /*word_order=*/0);
}

std::shared_ptr<TextMetric> make_chrf_plus_plus(const TextMetricOptions& options) {
  return std::make_shared<Chrf>(options.arguments, /*word_order=*/2);
}

}  // namespace attune
