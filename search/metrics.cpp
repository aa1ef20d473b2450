#include "attune/search/metrics.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <numeric>

#include "attune/autograd/array/error.h"

namespace attune {
namespace {

double share(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

// The number of positions at which both have the same token.
std::int64_t equal_positions(std::span<const int> a, std::span<const int> b) {
  std::int64_t equal = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) equal += a[i] == b[i];
  return equal;
}

}  // namespace

int edit_distance(std::span<const int> a, std::span<const int> b) {
  // row[j] is the distance from the first i tokens of a to the first j tokens of b.
  std::vector<int> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 0; i < a.size(); ++i) {
    int diagonal = row[0]++;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const int replaced = diagonal + (a[i] != b[j]);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

void Scores::add(std::span<const int> predicted, std::span<const int> reference) {
  const int distance = edit_distance(predicted, reference);
  ++sequences_;
  right_sequences_ += distance == 0;
  tokens_ += static_cast<std::int64_t>(reference.size());
  right_tokens_ += equal_positions(predicted, reference);
  edits_ += distance;
}

std::size_t closest(std::span<const int> predicted, std::span<const std::vector<int>> references) {
  ATTUNE_CHECK(!references.empty(), "scores: no reference to compare with; expected at least one");
  std::size_t best = 0;
  int smallest = std::numeric_limits<int>::max();
  for (std::size_t i = 0; i < references.size(); ++i) {
    const int distance = edit_distance(predicted, references[i]);
    if (distance >= smallest) continue;
    best = i;
    smallest = distance;
  }
  return best;
}

void Scores::add(std::span<const int> predicted, std::span<const std::vector<int>> references) {
  add(predicted, references[closest(predicted, references)]);
}

double Scores::sequence_accuracy() const { return share(right_sequences_, sequences_); }
double Scores::token_accuracy() const { return share(right_tokens_, tokens_); }
double Scores::token_error_rate() const { return share(edits_, tokens_); }

}  // namespace attune
