#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdlib>

#include "attune/autograd/array/error.h"
#include "attune/data/utf8_words.h"
#include "attune/metrics/ngrams.h"
#include "attune/metrics/text_metric.h"
#include "attune/metrics/tokenizer.h"

namespace attune {
namespace {

constexpr int kOrders = 4;

// Positions in the statistics: lengths, then numbers of n-grams for n = 1 to 4.
constexpr std::size_t kOutputLength = 0, kReferenceLength = 1, kMatches = 2,
                      kNgrams = kMatches + kOrders, kStatistics = kNgrams + kOrders;

enum class Smoothing { exp, floor, add_k, none };

struct SmoothingMethod {
  const char* name;
  Smoothing smoothing;
  double value;  // the default
};
constexpr std::array<SmoothingMethod, 4> kSmoothing = {{{"exp", Smoothing::exp, 0},
                                                        {"floor", Smoothing::floor, 0.1},
                                                        {"add-k", Smoothing::add_k, 1},
                                                        {"none", Smoothing::none, 0}}};

/// BLEU (Papineni et al. 2002) with the form and the defaults of sacreBLEU (Post 2018):
///
///     BLEU = 100 BP (p_1 p_2 p_3 p_4)^(1/4),   BP = exp(1 - r / c) if c < r, otherwise 1
///
/// c is the length of the outputs in tokens, r the sum of the reference lengths, for each text that
/// of the reference closest to its output's (the shorter one of two). p_n is the share of the
/// outputs' n-grams that a reference has, where an n-gram counts at most as often as it occurs in
/// one reference. Options:
///
/// - tokenize: see tokenizers();
/// - lowercase: compares texts in lower case;
/// - smooth: how precisions of 0 are replaced (Chen and Cherry 2014): exp by 1/2, 1/4, ... matches,
///   floor by smooth_value (0.1) matches; add-k adds smooth_value (1) to the numerators and
///   denominators of p_2 to p_4; none replaces nothing, so that the score may be 0;
/// - effective_order: the mean is over the orders up to the longest n-gram that an output has, for
///   scores of single texts.
///
/// The paper does not smooth, so that its BLEU is 0 if no 4-gram matches, and leaves tokenization
/// open.
class Bleu : public TextMetric {
 public:
  explicit Bleu(const Arguments& arguments)
      : tokenization_(arguments.text("tokenize", "13a")),
        tokenize_(tokenizers().at(tokenization_).make),
        lowercase_(arguments.flag("lowercase", false)),
        effective_order_(arguments.flag("effective_order", false)) {
    const std::string name = arguments.text("smooth", "exp");
    const auto* method = std::find_if(kSmoothing.begin(), kSmoothing.end(),
                                      [&](const SmoothingMethod& m) { return m.name == name; });
    ATTUNE_CHECK(method != kSmoothing.end(),
                 "metric 'bleu': smooth is '{}'; expected exp, floor, add-k or none", name);
    method_ = *method;
    const double value = arguments.number("smooth_value", method_.value, {.above = 0});
    ATTUNE_CHECK(has_value() || value == method_.value,
                 "metric 'bleu': smooth_value is for smooth=floor and smooth=add-k, not {}", name);
    method_.value = value;
  }

  std::string name() const override { return "BLEU"; }

  std::string settings() const override {
    return fmt::format("case:{}|eff:{}|tok:{}|smooth:{}{}", lowercase_ ? "lc" : "mixed",
                       effective_order_ ? "yes" : "no", tokenization_, method_.name,
                       has_value() ? fmt::format("[{:.2f}]", method_.value) : "");
  }

  std::vector<double> statistics(const TextOutput& text) const override {
    ATTUNE_CHECK(!text.references.empty(), "metric 'bleu': a text without references");
    std::vector<std::string> tokenized = {tokenized_text(text.output)};
    for (const std::string& reference : text.references)
      tokenized.push_back(tokenized_text(reference));
    std::vector<std::vector<std::string_view>> words;
    for (const std::string& line : tokenized) words.push_back(utf8::words(line));

    std::vector<double> result(kStatistics);
    const auto length = static_cast<double>(words.front().size());
    result[kOutputLength] = length;
    double closest = static_cast<double>(words[1].size());
    for (std::size_t i = 2; i < words.size(); ++i) {
      const auto other = static_cast<double>(words[i].size());
      const double distance = std::fabs(other - length), best = std::fabs(closest - length);
      if (distance < best || (distance == best && other < closest)) closest = other;
    }
    result[kReferenceLength] = closest;
    for_each_ngram(numbered(words), kOrders, [&](int n, std::span<const std::int64_t> counts) {
      const auto order = static_cast<std::size_t>(n - 1);
      const std::int64_t in_reference = *std::max_element(counts.begin() + 1, counts.end());
      result[kMatches + order] += static_cast<double>(std::min(counts[0], in_reference));
      result[kNgrams + order] += static_cast<double>(counts[0]);
    });
    return result;
  }

  double score(std::span<const double> sums) const override {
    int order = 0;  // of the mean
    const std::array<double, kOrders> precisions = precisions_of(sums, order);
    if (order == 0) return 0;
    double sum = 0;
    for (int n = 0; n < order; ++n) {
      if (precisions[static_cast<std::size_t>(n)] == 0) return 0;
      sum += std::log(precisions[static_cast<std::size_t>(n)]);
    }
    return brevity_penalty(sums) * std::exp(sum / order);
  }

  std::vector<std::pair<std::string, double>> details(std::span<const double> sums) const override {
    int order = 0;
    const std::array<double, kOrders> p = precisions_of(sums, order);
    return {{"precision_1", p[0]},
            {"precision_2", p[1]},
            {"precision_3", p[2]},
            {"precision_4", p[3]},
            {"brevity_penalty", brevity_penalty(sums)},
            {"output_length", sums[kOutputLength]},
            {"reference_length", sums[kReferenceLength]}};
  }

 private:
  bool has_value() const {
    return method_.smoothing == Smoothing::floor || method_.smoothing == Smoothing::add_k;
  }

  std::string tokenized_text(const std::string& text) const {
    std::string_view view = text;
    const std::vector<std::string_view> words = utf8::words(view);
    // Without white space at the end.
    view = words.empty() ? "" : view.substr(0, words.back().end() - view.begin());
    return tokenize_(lowercase_ ? utf8::lower(view) : std::string(view));
  }

  static double brevity_penalty(std::span<const double> sums) {
    const double length = sums[kOutputLength], reference = sums[kReferenceLength];
    if (length >= reference) return 1;
    return length > 0 ? std::exp(1 - reference / length) : 0;
  }

  // The precisions in percent, smoothed; `order` becomes the number of them in the mean, 0 if no
  // word matches.
  std::array<double, kOrders> precisions_of(std::span<const double> sums, int& order) const {
    std::array<double, kOrders> result = {};
    const std::span<const double> matches = sums.subspan(kMatches, kOrders);
    if (std::all_of(matches.begin(), matches.end(), [](double count) { return count == 0; }))
      return result;
    order = kOrders;
    double halves = 1;
    for (std::size_t n = 0; n < kOrders; ++n) {
      const double added = method_.smoothing == Smoothing::add_k && n > 0 ? method_.value : 0;
      const double right = matches[n] + added, all = sums[kNgrams + n] + added;
      if (all == 0) break;
      if (effective_order_) order = static_cast<int>(n) + 1;
      if (right > 0) {
        result[n] = 100 * right / all;
      } else if (method_.smoothing == Smoothing::exp) {
        halves *= 2;
        result[n] = 100 / (halves * all);
      } else if (method_.smoothing == Smoothing::floor) {
        result[n] = 100 * method_.value / all;
      }
    }
    return result;
  }

  std::string tokenization_;
  Tokenizer tokenize_;
  bool lowercase_, effective_order_;
  SmoothingMethod method_ = kSmoothing[0];
};

}  // namespace

std::shared_ptr<TextMetric> make_bleu(const TextMetricOptions& options) {
  return std::make_shared<Bleu>(options.arguments);
}

}  // namespace attune
