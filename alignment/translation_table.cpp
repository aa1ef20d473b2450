#include "attune/alignment/translation_table.h"

#include <algorithm>
#include <numeric>

#include "attune/alignment/alignment.h"
#include "attune/autograd/array/error.h"

namespace attune {
namespace {

// The number of different words, which is one more than the largest.
int words_of(std::span<const WordPair> pairs, std::vector<int> WordPair::*side) {
  int largest = -1;
  for (const WordPair& pair : pairs)
    for (const int word : pair.*side) {
      ATTUNE_CHECK(word >= 0, "word aligner: a word has the number {}; expected one from 0 up",
                   word);
      largest = std::max(largest, word);
    }
  return largest + 1;
}

std::size_t row_of(int source) { return static_cast<std::size_t>(source + 1); }
static_assert(kNowhere == -1);

}  // namespace

TranslationTable::TranslationTable(std::span<const WordPair> pairs) {
  const int sources = words_of(pairs, &WordPair::source),
            targets = words_of(pairs, &WordPair::target);
  std::vector<std::vector<std::size_t>> pairs_with(static_cast<std::size_t>(sources));
  for (std::size_t i = 0; i < pairs.size(); ++i)
    for (const int word : pairs[i].source) {
      std::vector<std::size_t>& with = pairs_with[static_cast<std::size_t>(word)];
      if (with.empty() || with.back() != i) with.push_back(i);
    }

  targets_.resize(static_cast<std::size_t>(targets));
  std::iota(targets_.begin(), targets_.end(), 0);
  rows_ = {0, targets_.size()};
  std::vector<int> last_seen(static_cast<std::size_t>(targets), kNowhere);
  for (int source = 0; source < sources; ++source) {
    for (const std::size_t i : pairs_with[static_cast<std::size_t>(source)])
      for (const int target : pairs[i].target) {
        int& last = last_seen[static_cast<std::size_t>(target)];
        if (last != source) targets_.push_back(target);
        last = source;
      }
    std::sort(targets_.begin() + static_cast<std::ptrdiff_t>(rows_.back()), targets_.end());
    rows_.push_back(targets_.size());
  }
  probabilities_.resize(targets_.size());
  set(std::vector<double>(targets_.size(), 1));
}

std::size_t TranslationTable::cell(int source, int target) const {
  const std::size_t row = row_of(source);
  if (row + 1 >= rows_.size()) return cells();
  const auto first = targets_.begin() + static_cast<std::ptrdiff_t>(rows_[row]),
             last = targets_.begin() + static_cast<std::ptrdiff_t>(rows_[row + 1]);
  const auto found = std::lower_bound(first, last, target);
  if (found == last || *found != target) return cells();
  return static_cast<std::size_t>(found - targets_.begin());
}

void TranslationTable::set(std::span<const double> counts) {
  for (std::size_t row = 0; row + 1 < rows_.size(); ++row) {
    double sum = 0;
    for (std::size_t i = rows_[row]; i < rows_[row + 1]; ++i) sum += counts[i];
    if (sum == 0) continue;
    for (std::size_t i = rows_[row]; i < rows_[row + 1]; ++i)
      probabilities_[i] = std::max(counts[i] / sum, kLeast);
  }
}

}  // namespace attune
