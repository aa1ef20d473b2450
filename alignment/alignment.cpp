#include "attune/alignment/alignment.h"

#include <algorithm>
#include <numeric>

#include "attune/autograd/array/error.h"

namespace attune {
namespace {

// The source position of a target token with these weights.
int position_of(std::span<const float> weights) {
  constexpr double kLeast = 0.1;
  if (std::accumulate(weights.begin(), weights.end(), 0.0) < kLeast) return kNowhere;
  return static_cast<int>(std::max_element(weights.begin(), weights.end()) - weights.begin());
}

}  // namespace

void Alignment::check() const {
  ATTUNE_CHECK(weights.size() == source.size() * target.size(),
               "alignment: {} weights for {} target x {} source tokens; expected {}, one row of "
               "source weights for each target token",
               weights.size(), target.size(), source.size(), source.size() * target.size());
}

std::vector<int> hard_alignment(std::span<const float> weights, std::size_t source_length) {
  if (weights.empty()) return {};
  ATTUNE_CHECK(source_length > 0 && weights.size() % source_length == 0,
               "hard_alignment: {} weights are not whole rows for a source of {} tokens",
               weights.size(), source_length);
  std::vector<int> positions;
  for (std::size_t first = 0; first < weights.size(); first += source_length)
    positions.push_back(position_of(weights.subspan(first, source_length)));
  return positions;
}

std::string to_moses(const Alignment& alignment) {
  alignment.check();
  const std::vector<int> positions = hard_alignment(alignment.weights, alignment.source.size());
  std::string result;
  for (std::size_t t = 0; t < positions.size(); ++t)
    if (positions[t] != kNowhere)
      result += fmt::format("{}{}-{}", result.empty() ? "" : " ", positions[t], t);
  return result;
}

}  // namespace attune
