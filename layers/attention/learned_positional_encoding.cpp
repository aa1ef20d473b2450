#include "attune/layers/attention/learned_positional_encoding.h"

#include <memory>

#include "attune/autograd/ops/arithmetic.h"
#include "attune/autograd/ops/shaping.h"

namespace attune {

LearnedPositionalEncoding::LearnedPositionalEncoding(std::int64_t features, std::int64_t longest)
    : weight_(param("weight", {longest, features}, normal(0, 0.02))) {}

Tensor LearnedPositionalEncoding::operator()(const Tensor& x, std::int64_t first) const {
  const LayerScope scope(*this);
  check("LearnedPositionalEncoding", x, weight_.size(1), first);
  ATTUNE_CHECK(first <= weight_.size(0) && x.size(0) <= weight_.size(0) - first,
               "LearnedPositionalEncoding: {} positions from {} on exceed the {} learned ones; "
               "shorten the sequence, or use sinusoidal positions, which have no limit",
               x.size(0), first, weight_.size(0));
  return x + reshape(slice(weight_, 0, first, first + x.size(0)), {x.size(0), 1, weight_.size(1)});
}

std::shared_ptr<PositionalEncoding> make_learned_positional_encoding(
    const PositionalEncodingOptions& options) {
  return std::make_shared<LearnedPositionalEncoding>(options.features,
                                                     options.arguments.whole("longest", 1024));
}

}  // namespace attune
