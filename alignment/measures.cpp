#include "attune/alignment/measures.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "attune/alignment/alignment.h"
#include "attune/autograd/array/error.h"

namespace attune {
namespace {

double share(std::int64_t part, std::int64_t whole, double of_nothing) {
  return whole == 0 ? of_nothing : static_cast<double>(part) / static_cast<double>(whole);
}

// Whether a target position has a link, sure or possible.
bool has_link(const ReferenceAlignment& reference, int target) {
  const auto is_of = [&](const Link& link) { return link.target == target; };
  return std::any_of(reference.sure.begin(), reference.sure.end(), is_of) ||
         std::any_of(reference.possible.begin(), reference.possible.end(), is_of);
}

}  // namespace

void AlignmentScores::add(std::span<const int> positions, const ReferenceAlignment& reference,
                          std::size_t target_length) {
  tokens_ += static_cast<std::int64_t>(target_length);
  sure_ += std::ssize(reference.sure);
  for (std::size_t t = 0; t < std::min(positions.size(), target_length); ++t) {
    const Link link{positions[t], static_cast<int>(t)};
    if (link.source == kNowhere) {
      accurate_ += !has_link(reference, link.target);
      continue;
    }
    accurate_ += count(link, reference);
  }
}

void AlignmentScores::add(std::span<const Link> links, const ReferenceAlignment& reference) {
  sure_ += std::ssize(reference.sure);
  for (const Link& link : links) count(link, reference);
}

// Counts a link of A. Returns whether it is in P.
bool AlignmentScores::count(const Link& link, const ReferenceAlignment& reference) {
  const bool is_possible = reference.is_possible(link);
  ++links_;
  sure_links_ += reference.is_sure(link);
  possible_links_ += is_possible;
  return is_possible;
}

double AlignmentScores::precision() const { return share(possible_links_, links_, 1); }
double AlignmentScores::recall() const { return share(sure_links_, sure_, 1); }
double AlignmentScores::error_rate() const {
  return 1 - share(sure_links_ + possible_links_, links_ + sure_, 1);
}
double AlignmentScores::accuracy() const { return share(accurate_, tokens_, 0); }

void WeightStatistics::add(std::span<const float> weights, std::size_t source_length) {
  ATTUNE_CHECK(source_length > 0 && weights.size() % source_length == 0,
               "weight statistics: {} weights are not whole rows for a source of {} tokens",
               weights.size(), source_length);
  const std::size_t target_length = weights.size() / source_length;
  weights_ += std::ssize(weights);
  zeros_ += std::count(weights.begin(), weights.end(), 0.0f);
  for (std::size_t t = 0; t < target_length; ++t) {
    const auto row = weights.subspan(t * source_length, source_length);
    const double sum = std::accumulate(row.begin(), row.end(), 0.0);
    if (sum == 0) continue;
    ++rows_;
    const double height = static_cast<double>(t + 1) / static_cast<double>(target_length);
    for (std::size_t s = 0; s < source_length; ++s) {
      const double p = static_cast<double>(row[s]) / sum;
      if (p > 0) entropy_ -= p * std::log(p);
      distance_ +=
          p * std::abs(height - static_cast<double>(s + 1) / static_cast<double>(source_length));
    }
  }
}

double WeightStatistics::entropy() const {
  return rows_ == 0 ? 0 : entropy_ / static_cast<double>(rows_);
}
double WeightStatistics::diagonal_distance() const {
  return rows_ == 0 ? 0 : distance_ / static_cast<double>(rows_);
}
double WeightStatistics::zeros() const { return share(zeros_, weights_, 0); }

}  // namespace attune
