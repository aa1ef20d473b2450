#pragma once

#include <cmath>
#include <span>

namespace attune {

/// The perplexity of a token: exp(-log p / n), for tokens with a log-probability of log p together
/// (natural logarithm) and their number n. NaN without tokens.
inline double perplexity(double log_probability, double tokens) {
  return std::exp(-log_probability / tokens);
}

/// The same from the sums of TextStatistics with a row {log p, n} for each text, for its confidence
/// interval and comparison:
///
///     bootstrap_interval(statistics, perplexity_of_sums)
inline double perplexity_of_sums(std::span<const double> sums) {
  return perplexity(sums[0], sums[1]);
}

}  // namespace attune
