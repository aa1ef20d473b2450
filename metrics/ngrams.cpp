#include "attune/metrics/ngrams.h"

#include <algorithm>
#include <cstddef>
#include <unordered_map>

namespace attune {

std::vector<std::vector<int>> numbered(std::span<const std::vector<std::string_view>> texts) {
  std::unordered_map<std::string_view, int> numbers;
  std::vector<std::vector<int>> result;
  for (const std::vector<std::string_view>& words : texts) {
    std::vector<int>& of_text = result.emplace_back();
    for (const std::string_view word : words)
      of_text.push_back(numbers.emplace(word, static_cast<int>(numbers.size())).first->second);
  }
  return result;
}

void for_each_ngram(std::span<const std::vector<int>> texts, int orders,
                    const NgramVisitor& visit) {
  // The tokens from a position on, `orders` at most. In sorted order, the occurrences of an n-gram
  // are adjacent.
  struct Start {
    std::span<const int> tokens;
    std::size_t text;
  };
  std::vector<Start> starts;
  for (std::size_t text = 0; text < texts.size(); ++text) {
    const std::span<const int> tokens = texts[text];
    for (std::size_t at = 0; at < tokens.size(); ++at)
      starts.push_back(
          {tokens.subspan(at, std::min(static_cast<std::size_t>(orders), tokens.size() - at)),
           text});
  }
  std::sort(starts.begin(), starts.end(), [](const Start& a, const Start& b) {
    return std::lexicographical_compare(a.tokens.begin(), a.tokens.end(), b.tokens.begin(),
                                        b.tokens.end());
  });

  std::vector<std::vector<std::int64_t>> counts(static_cast<std::size_t>(orders),
                                                std::vector<std::int64_t>(texts.size()));
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const auto& [tokens, text] = starts[i];
    for (std::size_t n = 0; n < tokens.size(); ++n) ++counts[n][text];
    std::size_t common = 0;  // tokens that the next start begins with, too
    if (i + 1 < starts.size()) {
      const std::span<const int> next = starts[i + 1].tokens;
      while (common < std::min(tokens.size(), next.size()) && tokens[common] == next[common])
        ++common;
    }
    for (std::size_t n = common; n < tokens.size(); ++n) {
      visit(static_cast<int>(n) + 1, counts[n]);
      std::fill(counts[n].begin(), counts[n].end(), 0);
    }
  }
}

}  // namespace attune
