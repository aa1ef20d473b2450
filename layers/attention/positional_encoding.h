#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "attune/layers/layer.h"

namespace attune {

/// Tells a sequence's positions apart: attention by itself sees a set and no order. Adds to every
/// x_t something that depends on t alone.
class PositionalEncoding : public Layer {
 public:
  /// x [T, B, features] -> [T, B, features]. Position t of x is position first + t of the sequence:
  /// in decoding x is the newest position only.
  virtual Tensor operator()(const Tensor& x, std::int64_t first = 0) const = 0;
};

/// Adds waves of many lengths (Vaswani et al. 2017, sec. 3.5):
///
///     p[t, 2i]     = sin(t / 10000^(2i / features))
///     p[t, 2i + 1] = cos(t / 10000^(2i / features))
///
/// No parameters, and no longest sequence.
class SinusoidalPositionalEncoding : public PositionalEncoding {
 public:
  explicit SinusoidalPositionalEncoding(std::int64_t features);
  Tensor operator()(const Tensor& x, std::int64_t first = 0) const override;

 private:
  std::int64_t features_;
  std::vector<double> frequencies_;  // 1 / 10000^(2i / features)
};

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

/// Positional encodings by name: "sinusoidal", "learned" (up to `longest` positions), or "none".
/// Errors: an unknown name; the message lists the known ones.
std::shared_ptr<PositionalEncoding> make_positional_encoding(std::string_view kind,
                                                             std::int64_t features,
                                                             std::int64_t longest);
/// The names that make_positional_encoding() knows.
std::vector<std::string> positional_encoding_names();

}  // namespace attune
