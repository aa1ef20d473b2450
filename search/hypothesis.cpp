#include "attune/search/hypothesis.h"

#include <algorithm>

#include "attune/autograd/array/error.h"

namespace attune {

std::vector<int> Hypothesis::argmax(std::size_t source_length) const {
  if (weights.empty()) return {};
  ATTUNE_CHECK(source_length > 0 && weights.size() % source_length == 0,
               "argmax: {} weights are not whole rows for a source of {} tokens", weights.size(),
               source_length);
  std::vector<int> positions;
  for (auto row = weights.begin(); row != weights.end();) {
    const auto end = row + static_cast<std::ptrdiff_t>(source_length);
    positions.push_back(static_cast<int>(std::max_element(row, end) - row));
    row = end;
  }
  return positions;
}

}  // namespace attune
