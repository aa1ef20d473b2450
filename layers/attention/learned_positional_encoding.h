#pragma once

#include "attune/layers/attention/positional_encoding.h"

namespace attune {

/// Adds a vector that is learnt for each position (Gehring et al. 2017, sec. 3.1).
/// Parameters: weight [longest, features], normal with deviation 0.02.
/// Errors: a position from `longest` on, for which there is nothing to be learnt from.
class LearnedPositionalEncoding : public PositionalEncoding {
 public:
  LearnedPositionalEncoding(std::int64_t features, std::int64_t longest);
  Tensor operator()(const Tensor& x, std::int64_t first = 0) const override;

 private:
  Tensor weight_;
};

}  // namespace attune
