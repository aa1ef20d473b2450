#include "attune/seq2seq/metrics.h"

#include <algorithm>
#include <cstddef>
#include <numeric>

#include "attune/autograd/array/error.h"

namespace attune {
namespace {

double share(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

// The number of positions that both have and that hold the same.
std::int64_t equal_positions(std::span<const int> a, std::span<const int> b) {
  std::int64_t equal = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) equal += a[i] == b[i];
  return equal;
}

}  // namespace

int edit_distance(std::span<const int> a, std::span<const int> b) {
  // row[j] is the distance from the part of a read so far to the first j tokens of b.
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

void Scores::add(std::span<const int> predicted, std::span<const std::vector<int>> references) {
  ATTUNE_CHECK(!references.empty(), "scores: no reference to compare with; expected at least one");
  const std::vector<int>* closest = nullptr;
  int smallest = 0;
  for (const std::vector<int>& reference : references) {
    const int distance = edit_distance(predicted, reference);
    if (closest != nullptr && distance >= smallest) continue;
    closest = &reference;
    smallest = distance;
  }
  add(predicted, *closest);
}

void Scores::add_alignment(std::span<const int> heaviest, std::span<const int> truth) {
  aligned_ += static_cast<std::int64_t>(truth.size());
  rightly_aligned_ += equal_positions(heaviest, truth);
}

double Scores::sequence_accuracy() const { return share(right_sequences_, sequences_); }
double Scores::token_accuracy() const { return share(right_tokens_, tokens_); }
double Scores::token_error_rate() const { return share(edits_, tokens_); }

std::optional<double> Scores::alignment_accuracy() const {
  if (aligned_ == 0) return std::nullopt;
  return share(rightly_aligned_, aligned_);
}

}  // namespace attune
