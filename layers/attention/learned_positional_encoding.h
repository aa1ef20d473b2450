#pragma once

#include "attune/layers/attention/positional_encoding.h"

namespace attune {

/// Adds a learned vector for each position (Gehring et al. 2017, sec. 3.1): x_t + weight[first +
/// t]. "learned:longest=1024" is its name and option in make_positional_encoding(), with the
/// default.
/// Parameters: weight [longest, features], normal with standard deviation 0.02.
/// Errors: a position of `longest` or above; as PositionalEncoding::check().
class LearnedPositionalEncoding : public PositionalEncoding {
 public:
  LearnedPositionalEncoding(std::int64_t features, std::int64_t longest);
  Tensor operator()(const Tensor& x, std::int64_t first = 0) const override;

 private:
  Tensor weight_;
};

}  // namespace attune
