#pragma once

#include <cstdint>
#include <span>

namespace attune {

/// The length normalisation of Wu et al. 2016, eq. 14: lp = (5 + n)^alpha / (5 + 1)^alpha for a
/// target of n tokens. Log-probabilities are divided by it; with alpha 0 it is 1, and the larger
/// alpha is, the longer are the targets that a search prefers.
double length_penalty(std::int64_t tokens, double alpha);

/// The coverage penalty of Wu et al. 2016, eq. 14: cp = beta sum_s log(min(c_s, 1)), where c_s is
/// the sum of the attention weights of source position s over all steps of the target. It is
/// negative if some position received little attention, and -infinity if one received none, or less
/// than none, as differential attention may give. 0 with beta 0.
double coverage_penalty(std::span<const double> coverage, double beta);

}  // namespace attune
