#pragma once

#include <vector>

#include "attune/layers/attention/positional_encoding.h"

namespace attune {

/// Adds sine and cosine waves of different wavelengths (Vaswani et al. 2017, sec. 3.5),
/// y_t = x_t + p[first + t]:
///
///     p[t, 2i]     = sin(t / 10000^(2i / features))
///     p[t, 2i + 1] = cos(t / 10000^(2i / features))
///
/// Shapes: x [T, B, features] -> [T, B, features]. No parameters, and no limit on the length of
/// sequences. Errors: `features` below 1; as PositionalEncoding::check().
class SinusoidalPositionalEncoding : public PositionalEncoding {
 public:
  explicit SinusoidalPositionalEncoding(std::int64_t features);
  Tensor operator()(const Tensor& x, std::int64_t first = 0) const override;

 private:
  std::int64_t features_;
  std::vector<double> frequencies_;  // 1 / 10000^(2i / features)
};

}  // namespace attune
