#pragma once

#include <span>
#include <vector>

#include "attune/search/search.h"

namespace attune {

/// Generates the target of each source by taking the most probable token at every step, until
/// `</s>`: search() with a beam of 1. The target of source i has at most max_lengths[i] tokens.
/// Errors: as search(); the number of limits is not that of the sources.
std::vector<Hypothesis> greedy_search(const Seq2Seq& model,
                                      std::span<const std::vector<int>> sources,
                                      std::span<const int> max_lengths, int batch_size = 64);
/// The same with one limit for all sources.
std::vector<Hypothesis> greedy_search(const Seq2Seq& model,
                                      std::span<const std::vector<int>> sources, int max_length,
                                      int batch_size = 64);

}  // namespace attune
