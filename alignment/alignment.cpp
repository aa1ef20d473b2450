#include "attune/alignment/alignment.h"

#include <algorithm>
#include <cstddef>

#include "attune/autograd/array/error.h"

namespace attune {

void Alignment::check() const {
  ATTUNE_CHECK(weights.size() == source.size() * target.size(),
               "alignment: {} weights for {} target x {} source tokens; expected {}, one row of "
               "source weights for each target token",
               weights.size(), target.size(), source.size(), source.size() * target.size());
}

int Alignment::argmax(int t) const {
  check();
  ATTUNE_CHECK(t >= 0 && t < static_cast<int>(target.size()) && !source.empty(),
               "alignment: index {} has no weights in {} target x {} source tokens", t,
               target.size(), source.size());
  const auto row =
      weights.begin() + static_cast<std::ptrdiff_t>(t) * static_cast<std::ptrdiff_t>(source.size());
  return static_cast<int>(std::max_element(row, row + static_cast<std::ptrdiff_t>(source.size())) -
                          row);
}

std::string to_moses(const Alignment& alignment) {
  alignment.check();
  std::string result;
  for (int t = 0; t < static_cast<int>(alignment.target.size()) && !alignment.source.empty(); ++t) {
    result += fmt::format("{}{}-{}", t == 0 ? "" : " ", alignment.argmax(t), t);
  }
  return result;
}

}  // namespace attune
