#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Counting n-grams, for metrics. Internal.
namespace attune {

/// The words of several texts as numbers: equal words have the same number, in all of the texts.
std::vector<std::vector<int>> numbered(std::span<const std::vector<std::string_view>> texts);

/// Called with the order n of an n-gram and the number of its occurrences in each text.
using NgramVisitor = std::function<void(int n, std::span<const std::int64_t> counts)>;

/// Calls `visit` for each distinct n-gram of 1 to `orders` tokens that occurs in any of the texts.
/// Time O(T log T) comparisons of n-grams for T tokens.
void for_each_ngram(std::span<const std::vector<int>> texts, int orders, const NgramVisitor& visit);

}  // namespace attune
