#pragma once

#include "attune/layers/attention/positional_encoding.h"

namespace attune {

/// Rotates each pair of features of queries and keys by an angle proportional to the position (Su
/// et al. 2021, eq. 14 to 16 and 34; see rotary()), so that a score depends on query, key and the
/// distance between them. Embeddings and values are unchanged. No parameters, and no limit on the
/// length of sequences. "rotary:base=10000" is its name and option in make_positional_encoding(),
/// with the default.
/// Errors: as rotary().
class RotaryPositionalEncoding : public PositionalEncoding {
 public:
  explicit RotaryPositionalEncoding(double base = 10000) : base_(base) {}
  Tensor rotate(const Tensor& x, std::int64_t heads, std::int64_t first) const override;
  bool acts_in_attention() const override { return true; }

 private:
  double base_;
};

}  // namespace attune
