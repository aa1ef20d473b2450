#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "attune/autograd/array/arguments.h"
#include "attune/autograd/array/family.h"

namespace attune {

/// A text that a system has written, and what metrics compare it with. All are UTF-8.
struct TextOutput {
  std::string output;
  std::vector<std::string> references = {};  ///< correct texts
  std::string source = {};                   ///< what the output was made from
};

/// A metric of texts. The score of a corpus is a function of sums over its texts, so that the score
/// of one text, of a corpus and of a resample of it (see bootstrap_interval()) are computed alike:
///
///     score = metric.score(sum of metric.statistics(text) over all texts)
///
/// Scores are percentages. A metric is chosen by name with make_text_metric().
class TextMetric {
 public:
  /// What a metric compares outputs with.
  enum class Needs { nothing, references, source };

  virtual ~TextMetric() = default;

  /// The name as papers write it, such as BLEU or chrF2++.
  virtual std::string name() const = 0;
  virtual Needs needs() const { return Needs::references; }
  /// Whether better texts have higher scores.
  virtual bool higher_is_better() const { return true; }
  /// The options that affect scores, in the form of sacreBLEU's signatures: "case:mixed|eff:no".
  virtual std::string settings() const = 0;

  /// The statistics of a text, always equally many. Errors: no references, if the metric needs
  /// them; a text is not UTF-8 (only metrics of characters or of lower case notice).
  virtual std::vector<double> statistics(const TextOutput& text) const = 0;
  /// The score of texts whose statistics have these sums.
  virtual double score(std::span<const double> sums) const = 0;
  /// Quantities that explain the score, under their names in JSON.
  virtual std::vector<std::pair<std::string, double>> details(std::span<const double>) const {
    return {};
  }
};

/// The options of a metric, which follow its name: "bleu:tokenize=char,lowercase=true".
struct TextMetricOptions {
  Arguments arguments = {};
};

using TextMetricMaker = std::function<std::shared_ptr<TextMetric>(const TextMetricOptions&)>;

/// The metrics that can be chosen by name: bleu, chrf, chrf++, ter, rouge1, rouge2, rougeL,
/// rougeLsum, repeated_ngrams, copied_words, novel_ngrams.
Family<TextMetricMaker>& text_metrics();

/// The metric of that name, which may have options. Errors: an unknown name (the message lists the
/// known ones), or an option that the metric does not have.
std::shared_ptr<TextMetric> make_text_metric(std::string_view name);

/// The metrics of a list such as "bleu:lowercase=true,smooth=none,chrf". `rouge` stands for rouge1,
/// rouge2 and rougeL. Errors: as make_text_metric(); a metric that is listed twice; an empty list.
std::vector<std::shared_ptr<TextMetric>> make_text_metrics(std::string_view list);

/// The score of a single text. For BLEU, the option effective_order is recommended.
double score_of_text(const TextMetric& metric, const TextOutput& text);

/// How a score was computed, as sacreBLEU writes it, without a version:
/// "BLEU|nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp". `nrefs` is "var" if texts have different
/// numbers of references, and left out if the metric needs none.
std::string signature(const TextMetric& metric, std::span<const TextOutput> texts);

}  // namespace attune
