#include <algorithm>
#include <cstddef>

#include "attune/autograd/array/error.h"
#include "attune/data/utf8_words.h"
#include "attune/metrics/ngrams.h"
#include "attune/metrics/shifted_edits.h"
#include "attune/metrics/text_metric.h"

namespace attune {
namespace {

/// TER, the translation edit rate (Snover et al. 2006), as sacreBLEU computes it:
///
///     TER = 100 (insertions + deletions + substitutions + shifts) / r
///
/// of words (see shifted_edit_distance()), where the edits of a text are those to the reference
/// with the fewest, and r is the mean length of its references. Lower is better, and the score may
/// exceed 100. Texts whose references are all empty have the score 100 unless the output is empty
/// too. Words are compared in lower case, unless case_sensitive=true; punctuation is not separated.
class Ter : public TextMetric {
 public:
  explicit Ter(const Arguments& arguments)
      : case_sensitive_(arguments.flag("case_sensitive", false)) {}

  std::string name() const override { return "TER"; }
  bool higher_is_better() const override { return false; }

  std::string settings() const override {
    return fmt::format("case:{}|tok:tercom|norm:no|punct:yes|asian:no",
                       case_sensitive_ ? "mixed" : "lc");
  }

  std::vector<double> statistics(const TextOutput& text) const override {
    ATTUNE_CHECK(!text.references.empty(), "metric 'ter': a text without references");
    std::vector<std::string> lines = {text.output};
    lines.insert(lines.end(), text.references.begin(), text.references.end());
    std::vector<std::vector<std::string_view>> words;
    for (std::string& line : lines) {
      if (!case_sensitive_) line = utf8::lower(line);
      words.push_back(utf8::words(line));
    }
    const std::vector<std::vector<int>> texts = numbered(words);
    int fewest = 0;
    std::size_t length = 0;
    for (std::size_t i = 1; i < texts.size(); ++i) {
      const int edits = shifted_edit_distance(texts.front(), texts[i]);
      fewest = i == 1 ? edits : std::min(fewest, edits);
      length += texts[i].size();
    }
    return {static_cast<double>(fewest),
            static_cast<double>(length) / static_cast<double>(text.references.size())};
  }

  double score(std::span<const double> sums) const override {
    const double edits = sums[0], length = sums[1];
    if (length > 0) return 100 * (edits / length);
    return edits > 0 ? 100 : 0;
  }

  std::vector<std::pair<std::string, double>> details(std::span<const double> sums) const override {
    return {{"edits", sums[0]}, {"reference_length", sums[1]}};
  }

 private:
  bool case_sensitive_;
};

}  // namespace

std::shared_ptr<TextMetric> make_ter(const TextMetricOptions& options) {
  return std::make_shared<Ter>(options.arguments);
}

}  // namespace attune
