#include <algorithm>
#include <cstddef>

#include "attune/data/utf8_words.h"
#include "attune/metrics/ngrams.h"
#include "attune/metrics/text_metric.h"

namespace attune {
namespace {

/// Shares of an output's n-grams of words (between white space) in all n-grams of the outputs:
///
/// - repeated_ngrams: that occurred before in the same output, 100 (1 - distinct / all), with
///   n = 3 by default. Welleck et al. 2020 take the mean over texts instead;
/// - copied_words: words that occur in the source;
/// - novel_ngrams: that do not occur in the source, with n = 2 by default (See et al. 2017).
///
/// 0 if no output has n words.
class NgramShare : public TextMetric {
 public:
  enum class Kind { repeated, copied, novel };

  NgramShare(Kind kind, std::int64_t n) : kind_(kind), n_(static_cast<int>(n)) {}

  std::string name() const override {
    if (kind_ == Kind::copied) return "copied words";
    return fmt::format("{} {}-grams", kind_ == Kind::repeated ? "repeated" : "novel", n_);
  }
  bool higher_is_better() const override { return kind_ == Kind::novel; }
  Needs needs() const override { return kind_ == Kind::repeated ? Needs::nothing : Needs::source; }
  std::string settings() const override { return "case:mixed|tok:none"; }

  std::vector<double> statistics(const TextOutput& text) const override {
    std::vector<std::vector<std::string_view>> words = {utf8::words(text.output)};
    if (kind_ != Kind::repeated) words.push_back(utf8::words(text.source));
    std::int64_t counted = 0, all = 0;
    for_each_ngram(numbered(words), n_, [&](int n, std::span<const std::int64_t> counts) {
      if (n != n_) return;
      all += counts[0];
      if (kind_ == Kind::repeated)
        counted += counts[0] - 1;
      else if ((counts[1] > 0) == (kind_ == Kind::copied))
        counted += counts[0];
    });
    return {static_cast<double>(counted), static_cast<double>(all)};
  }

  double score(std::span<const double> sums) const override {
    return sums[1] == 0 ? 0 : 100 * (sums[0] / sums[1]);
  }

 private:
  Kind kind_;
  int n_;
};

}  // namespace

std::shared_ptr<TextMetric> make_repeated_ngrams(const TextMetricOptions& options) {
  return std::make_shared<NgramShare>(NgramShare::Kind::repeated, options.arguments.whole("n", 3));
}
std::shared_ptr<TextMetric> make_copied_words(const TextMetricOptions&) {
  return std::make_shared<NgramShare>(NgramShare::Kind::copied, 1);
}
std::shared_ptr<TextMetric> make_novel_ngrams(const TextMetricOptions& options) {
  return std::make_shared<NgramShare>(NgramShare::Kind::novel, options.arguments.whole("n", 2));
}

}  // namespace attune
