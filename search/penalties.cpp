#include "attune/search/penalties.h"

#include <algorithm>
#include <cmath>

namespace attune {

double length_penalty(std::int64_t tokens, double alpha) {
  return std::pow((5 + static_cast<double>(tokens)) / 6, alpha);
}

double coverage_penalty(std::span<const double> coverage, double beta) {
  if (beta == 0) return 0;
  double sum = 0;
  for (const double covered : coverage) sum += std::log(std::clamp(covered, 0.0, 1.0));
  return beta * sum;
}

}  // namespace attune
