#include "attune/layers/attention/rotary_positional_encoding.h"

#include <memory>

#include "attune/autograd/ops/positions.h"

namespace attune {

Tensor RotaryPositionalEncoding::rotate(const Tensor& x, std::int64_t heads,
                                        std::int64_t first) const {
  const LayerScope scope(*this);
  return rotary(x, {.heads = heads, .first = first, .base = base_});
}

std::shared_ptr<PositionalEncoding> make_rotary_positional_encoding(
    const PositionalEncodingOptions& options) {
  return std::make_shared<RotaryPositionalEncoding>(
      options.arguments.number("base", 10000, {.above = 0}));
}

}  // namespace attune
