#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "attune/alignment/reference_alignment.h"

namespace attune {

/// Compares hard alignments with references. With the links A of all alignments, and the sure links
/// S and possible links P of all references, where S is a subset of P (Och and Ney 2003):
///
///     precision  = |A & P| / |A|
///     recall     = |A & S| / |S|
///     error rate = 1 - (|A & S| + |A & P|) / (|A| + |S|)
///
/// Where there is nothing to count, precision and recall are 1 and the error rate is 0.
class AlignmentScores {
 public:
  /// Counts an alignment: the source position of each target token, as from hard_alignment(), and
  /// the reference for a target of `target_length` tokens. Positions beyond them are ignored;
  /// missing ones have no link, and are not accurate.
  void add(std::span<const int> positions, const ReferenceAlignment& reference,
           std::size_t target_length);

  /// Counts an alignment in which a token may have several links, for all measures but accuracy().
  void add(std::span<const Link> links, const ReferenceAlignment& reference);

  /// Whether no positions have been added.
  bool empty() const { return tokens_ == 0; }

  double precision() const;
  double recall() const;
  double error_rate() const;

  /// The fraction of target tokens whose position is one of their possible links, or is kNowhere if
  /// they have none; 0 if there are no tokens.
  double accuracy() const;

 private:
  bool count(const Link& link, const ReferenceAlignment& reference);

  std::int64_t tokens_ = 0, accurate_ = 0;
  std::int64_t links_ = 0, sure_ = 0;                 // |A|, |S|
  std::int64_t sure_links_ = 0, possible_links_ = 0;  // |A & S|, |A & P|
};

/// Measures how attention weights a [T, S] are distributed. Each row is divided by its sum, since
/// not every normaliser's weights add up to 1: p_ts = a_ts / sum_j a_tj. Rows of zeros are left out
/// of the first two measures. All are 0 if there are no weights.
class WeightStatistics {
 public:
  /// Adds the weights [T, S], row-major, of a target over a source of S tokens. Errors: the number
  /// of weights is not a multiple of `source_length`.
  void add(std::span<const float> weights, std::size_t source_length);

  /// Whether no weights have been added.
  bool empty() const { return weights_ == 0; }

  /// The mean over all rows of the entropy -sum_s p_ts ln p_ts, in nats: 0 if all weight is
  /// on one position, ln S if all weights are equal (Ghader and Monz 2017).
  double entropy() const;
  /// The mean over all rows of the expected distance from the diagonal, sum_s p_ts |t/T - s/S|,
  /// with positions counted from 1 (Dyer et al. 2013): from 0 to 1.
  double diagonal_distance() const;
  /// The fraction of weights that are exactly 0.
  double zeros() const;

 private:
  std::int64_t rows_ = 0, weights_ = 0, zeros_ = 0;
  double entropy_ = 0, distance_ = 0;  // sums over rows
};

}  // namespace attune
