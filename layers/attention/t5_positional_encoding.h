#pragma once

#include "attune/layers/attention/positional_encoding.h"

namespace attune {

struct T5PositionalEncodingOptions {
  std::int64_t heads = 1;       ///< H
  std::int64_t buckets = 32;    ///< N
  std::int64_t furthest = 128;  ///< distances from here on share a bucket
  bool bidirectional = true;    ///< half of the buckets are for later keys
};

/// T5's relative positions (Raffel et al. 2020, sec. 2.1): adds to the score of a query and a key a
/// learned number, one for each head and bucket of distances n = t - s >= 0 of earlier keys:
///
///     bucket(n) = n                                                    for n < N / 2
///                 N / 2 + floor(log(2 n / N) / log(2 F / N) N / 2)     for N / 2 <= n < F
///                 N - 1                                                for n >= F = furthest
///
/// The paper gives the idea and the numbers N = 32 and F = 128; the formula is that of the authors'
/// program. If bidirectional, as in an encoder, earlier keys have the first half of the buckets
/// and later keys the second half, each with N / 2 in place of N; otherwise, as in a decoder, later
/// keys have bucket 0. All layers share the numbers. (T5 does not divide its scores by sqrt(d);
/// here they are scaled as always.) No limit on the length of sequences.
/// "t5:buckets=32,furthest=128" is its name and options in make_positional_encoding(), with the
/// defaults.
/// Parameters: weight [N, H], normal with standard deviation 0.02.
/// Errors: fewer than one head; fewer than 2 buckets, or 4 if bidirectional; `furthest` is not
/// above N / 2, or N / 4 if bidirectional.
class T5PositionalEncoding : public PositionalEncoding {
 public:
  explicit T5PositionalEncoding(const T5PositionalEncodingOptions& options);
  /// [H, T, S]
  Tensor bias(const Tensor& query, const AttentionPlace& place) const override;
  bool has_bias() const override { return true; }
  bool acts_in_attention() const override { return true; }

  /// The bucket of a key at `distance` s - t from the query.
  std::int64_t bucket(std::int64_t distance) const;

 private:
  T5PositionalEncodingOptions options_;
  Tensor weight_;
};

}  // namespace attune
