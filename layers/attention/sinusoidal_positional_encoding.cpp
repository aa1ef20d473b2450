#include "attune/layers/attention/sinusoidal_positional_encoding.h"

#include <cmath>
#include <memory>

#include "attune/autograd/ops/arithmetic.h"

namespace attune {

SinusoidalPositionalEncoding::SinusoidalPositionalEncoding(std::int64_t features)
    : features_(features) {
  ATTUNE_CHECK(features >= 1, "SinusoidalPositionalEncoding: {} features; it needs at least 1",
               features);
  for (std::int64_t i = 0; i < features; i += 2)
    frequencies_.push_back(
        std::pow(10000.0, -static_cast<double>(i) / static_cast<double>(features)));
}

Tensor SinusoidalPositionalEncoding::operator()(const Tensor& x, std::int64_t first) const {
  const LayerScope scope(*this);
  check("SinusoidalPositionalEncoding", x, features_, first);
  Array waves(Shape{x.size(0), 1, features_}, x.dtype());
  dispatch(x.dtype(), [&](auto type) {
    using T = decltype(type);
    T* to = waves.mutable_data<T>();
    for (std::int64_t t = 0; t < x.size(0); ++t)
      for (std::int64_t i = 0; i < features_; ++i) {
        const double angle = (static_cast<double>(first) + static_cast<double>(t)) *
                             frequencies_[static_cast<std::size_t>(i / 2)];
        *to++ = static_cast<T>(i % 2 == 0 ? std::sin(angle) : std::cos(angle));
      }
  });
  return x + Tensor(waves);
}

std::shared_ptr<PositionalEncoding> make_sinusoidal_positional_encoding(
    const PositionalEncodingOptions& options) {
  return std::make_shared<SinusoidalPositionalEncoding>(options.features);
}

}  // namespace attune
