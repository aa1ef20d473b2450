#include <algorithm>
#include <array>
#include <cstddef>
#include <unordered_map>

#include "attune/autograd/array/error.h"
#include "attune/data/utf8_words.h"
#include "attune/metrics/ngrams.h"
#include "attune/metrics/text_metric.h"

namespace attune {
namespace {

using Words = std::vector<std::string_view>;
using Lines = std::vector<std::vector<int>>;  // words as numbers

// The runs of letters a to z and digits in `text`, which is in lower case.
Words alphanumeric_words(std::string_view text) {
  Words result;
  std::size_t begin = 0;
  for (std::size_t at = 0; at <= text.size(); ++at) {
    const char c = at < text.size() ? text[at] : ' ';
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) continue;
    if (at > begin) result.push_back(text.substr(begin, at - begin));
    begin = at + 1;
  }
  return result;
}

std::size_t words_in(std::span<const std::vector<int>> lines) {
  std::size_t sum = 0;
  for (const std::vector<int>& line : lines) sum += line.size();
  return sum;
}

// The lengths of the longest common subsequences of the beginnings of two texts.
class CommonLengths {
 public:
  CommonLengths(std::span<const int> a, std::span<const int> b)
      : a_(a), b_(b), lengths_((a.size() + 1) * (b.size() + 1)) {
    for (std::size_t i = 1; i <= a.size(); ++i)
      for (std::size_t j = 1; j <= b.size(); ++j)
        at(i, j) =
            a[i - 1] == b[j - 1] ? at(i - 1, j - 1) + 1 : std::max(at(i - 1, j), at(i, j - 1));
  }

  // Marks the words of `a` that are in a longest common subsequence: of several, the one that
  // rouge-score takes.
  void mark(std::vector<bool>& in_common) {
    for (std::size_t i = a_.size(), j = b_.size(); i > 0 && j > 0;) {
      if (a_[i - 1] == b_[j - 1]) {
        in_common[--i] = true;
        --j;
      } else if (at(i, j - 1) > at(i - 1, j)) {
        --j;
      } else {
        --i;
      }
    }
  }

 private:
  int& at(std::size_t i, std::size_t j) { return lengths_[i * (b_.size() + 1) + j]; }

  std::span<const int> a_, b_;
  std::vector<int> lengths_;
};

// The number of words of the reference that are in a longest common subsequence of their line and
// any line of the output. A word counts at most as often as it occurs in output and reference.
std::int64_t united_matches(std::span<const std::vector<int>> reference,
                            std::span<const std::vector<int>> output) {
  std::unordered_map<int, std::int64_t> left;  // occurrences in the output that are not matched
  for (const std::vector<int>& line : output)
    for (const int word : line) ++left[word];
  std::int64_t matches = 0;
  for (const std::vector<int>& line : reference) {
    std::vector<bool> in_common(line.size());
    for (const std::vector<int>& other : output) CommonLengths(line, other).mark(in_common);
    for (std::size_t i = 0; i < line.size(); ++i) {
      if (!in_common[i] || left[line[i]] == 0) continue;
      --left[line[i]];
      ++matches;
    }
  }
  return matches;
}

/// ROUGE (Lin 2004) as the package rouge-score computes it: the mean over texts of
///
///     F = 100 * 2 P R / (P + R),   P = matches / output,   R = matches / reference
///
/// where matches, output and reference are numbers of n-grams (rouge1, rouge2) or of words
/// (rougeL, rougeLsum). Common n-grams match, each as often as it occurs in both; for rougeL, the
/// longest common subsequence; for rougeLsum, in each line of the reference, the union of its
/// longest common subsequences with all lines of the output. Of several references, that with the
/// largest F counts. Words are runs of ASCII letters and digits, in lower case, so texts in other
/// scripts have none.
///
/// The paper's ROUGE-N is a recall. As by the defaults of rouge-score, words are not stemmed. The
/// option `separator` of rougeLsum is what separates lines, by default the line feed.
class Rouge : public TextMetric {
 public:
  enum class Kind { one, two, l, l_sum };

  explicit Rouge(Kind kind, std::string_view separator = "\n")
      : kind_(kind), separator_(utf8::lower(separator)) {
    ATTUNE_CHECK(!separator_.empty(), "metric 'rougeLsum': separator is empty");
  }

  std::string name() const override {
    constexpr std::array<const char*, 4> kNames = {"ROUGE-1", "ROUGE-2", "ROUGE-L", "ROUGE-Lsum"};
    return kNames[static_cast<std::size_t>(kind_)];
  }
  std::string settings() const override { return "case:lc|tok:rouge|stem:no"; }

  std::vector<double> statistics(const TextOutput& text) const override {
    ATTUNE_CHECK(!text.references.empty(), "metric 'rouge': a text without references");
    std::vector<double> best = {0, 0, 0, 1};
    for (const std::string& reference : text.references) {
      const std::vector<double> found = compare(text.output, reference);
      if (found[2] > best[2] || &reference == &text.references.front()) best = found;
    }
    return best;
  }

  double score(std::span<const double> sums) const override { return mean(sums, 2); }

  std::vector<std::pair<std::string, double>> details(std::span<const double> sums) const override {
    return {{"precision", mean(sums, 0)}, {"recall", mean(sums, 1)}};
  }

 private:
  static double mean(std::span<const double> sums, std::size_t i) {
    return sums[3] == 0 ? 0 : 100 * (sums[i] / sums[3]);
  }

  // Precision, recall, F-score, and 1, which counts texts.
  std::vector<double> compare(const std::string& output, const std::string& reference) const {
    const std::string a = utf8::lower(output), b = utf8::lower(reference);
    std::vector<Words> words = lines_of(a);
    const std::size_t output_lines = words.size();
    for (Words& line : lines_of(b)) words.push_back(std::move(line));
    const Lines all = numbered(words);
    const std::span<const std::vector<int>> lines = all;
    const auto of_output = lines.subspan(0, output_lines),
               of_reference = lines.subspan(output_lines);

    std::int64_t matches = 0;
    std::int64_t output_size = static_cast<std::int64_t>(words_in(of_output));
    std::int64_t reference_size = static_cast<std::int64_t>(words_in(of_reference));
    if (kind_ == Kind::one || kind_ == Kind::two) {
      const int order = kind_ == Kind::one ? 1 : 2;
      for_each_ngram(lines, order, [&](int n, std::span<const std::int64_t> counts) {
        if (n == order) matches += std::min(counts[0], counts[1]);
      });
      output_size = std::max<std::int64_t>(0, output_size - order + 1);
      reference_size = std::max<std::int64_t>(0, reference_size - order + 1);
    } else {
      matches = united_matches(of_reference, of_output);
    }
    if (matches == 0) return {0, 0, 0, 1};
    const double precision = static_cast<double>(matches) / static_cast<double>(output_size);
    const double recall = static_cast<double>(matches) / static_cast<double>(reference_size);
    return {precision, recall, 2 * precision * recall / (precision + recall), 1};
  }

  // The lines of a text; all of it is one but for rougeLsum.
  std::vector<Words> lines_of(std::string_view text) const {
    std::vector<Words> lines;
    while (kind_ == Kind::l_sum && text.find(separator_) != text.npos) {
      lines.push_back(alphanumeric_words(text.substr(0, text.find(separator_))));
      text.remove_prefix(text.find(separator_) + separator_.size());
    }
    lines.push_back(alphanumeric_words(text));
    return lines;
  }

  Kind kind_;
  std::string separator_;
};

}  // namespace

std::shared_ptr<TextMetric> make_rouge1(const TextMetricOptions&) {
  return std::make_shared<Rouge>(Rouge::Kind::one);
}
std::shared_ptr<TextMetric> make_rouge2(const TextMetricOptions&) {
  return std::make_shared<Rouge>(Rouge::Kind::two);
}
std::shared_ptr<TextMetric> make_rouge_l(const TextMetricOptions&) {
  return std::make_shared<Rouge>(Rouge::Kind::l);
}
std::shared_ptr<TextMetric> make_rouge_lsum(const TextMetricOptions& options) {
  return std::make_shared<Rouge>(Rouge::Kind::l_sum, options.arguments.text("separator", "\n"));
}

}  // namespace attune
