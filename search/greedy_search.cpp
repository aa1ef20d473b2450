#include "attune/search/greedy_search.h"

#include <utility>

namespace attune {

std::vector<Hypothesis> greedy_search(const Seq2Seq& model,
                                      std::span<const std::vector<int>> sources,
                                      std::span<const int> max_lengths, int batch_size) {
  ATTUNE_CHECK(max_lengths.size() == sources.size(),
               "greedy_search: {} limits for {} sources; expected one for each", max_lengths.size(),
               sources.size());
  std::vector<SearchInput> inputs;
  for (std::size_t i = 0; i < sources.size(); ++i)
    inputs.push_back({.source = sources[i], .max_length = max_lengths[i]});
  std::vector<Hypothesis> found;
  for (std::vector<Hypothesis>& best : search(model, inputs, {.batch_size = batch_size}))
    found.push_back(std::move(best.front()));
  return found;
}

std::vector<Hypothesis> greedy_search(const Seq2Seq& model,
                                      std::span<const std::vector<int>> sources, int max_length,
                                      int batch_size) {
  return greedy_search(model, sources, std::vector<int>(sources.size(), max_length), batch_size);
}

}  // namespace attune
