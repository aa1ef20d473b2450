#pragma once

#include <cstdint>
#include <vector>

#include "attune/autograd/tensor.h"

namespace attune {

/// The largest elements of a row of logits, and their normaliser.
struct TopOfRow {
  std::vector<int> positions;  ///< the largest first, and equal ones in order of position; none if
                               ///< an element is NaN
  double log_sum;              ///< log sum exp of the row; NaN if an element is NaN
};

/// The k largest of the first n elements of row `row` of x [R, N], or all n if there are fewer.
/// Gradients are not recorded. The logits of many rows and a large vocabulary do not fit into the
/// L2 cache, so they are read once, for the maximum and the sum of each block; only blocks whose
/// maximum is among the k largest are looked at again.
TopOfRow top_of_row(const Tensor& x, std::int64_t row, std::int64_t n, std::int64_t k);

}  // namespace attune
