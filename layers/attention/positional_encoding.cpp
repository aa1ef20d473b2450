#include "attune/layers/attention/positional_encoding.h"

#include <cmath>
#include <functional>

#include "attune/autograd/array/lookup.h"
#include "attune/autograd/ops/arithmetic.h"
#include "attune/autograd/ops/shaping.h"

namespace attune {
namespace {

void check(const char* layer, const Tensor& x, std::int64_t features, std::int64_t first) {
  ATTUNE_CHECK(x.rank() == 3 && x.size(2) == features,
               "{}: x must be [T, B, {}], time first; got {}", layer, features, x.shape());
  ATTUNE_CHECK(first >= 0, "{}: the first position is {}; they are counted from 0", layer, first);
}

// Leaves x as it is: for models that tell positions apart by other means.
class NoPositions : public PositionalEncoding {
 public:
  Tensor operator()(const Tensor& x, std::int64_t) const override { return x; }
};

}  // namespace

SinusoidalPositionalEncoding::SinusoidalPositionalEncoding(std::int64_t features)
    : features_(features) {
  ATTUNE_CHECK(features >= 1, "SinusoidalPositionalEncoding: {} features; it needs at least 1",
               features);
  for (std::int64_t i = 0; i < features; i += 2)
    frequencies_.push_back(
        std::pow(10000.0, -static_cast<double>(i) / static_cast<double>(features)));
}

Tensor SinusoidalPositionalEncoding::operator()(const Tensor& x, std::int64_t first) const {
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

LearnedPositionalEncoding::LearnedPositionalEncoding(std::int64_t features, std::int64_t longest)
    : weight_(param("weight", {longest, features}, normal(0, 0.02))) {}

Tensor LearnedPositionalEncoding::operator()(const Tensor& x, std::int64_t first) const {
  check("LearnedPositionalEncoding", x, weight_.size(1), first);
  ATTUNE_CHECK(first <= weight_.size(0) && x.size(0) <= weight_.size(0) - first,
               "LearnedPositionalEncoding: {} positions from {} on were asked for but there are "
               "vectors for {} "
               "only; shorten the sequence, or use sinusoidal positions, which have no end",
               x.size(0), first, weight_.size(0));
  return x + reshape(slice(weight_, 0, first, first + x.size(0)), {x.size(0), 1, weight_.size(1)});
}

// The choice by name

namespace {

using PositionsPointer = std::shared_ptr<PositionalEncoding>;
using PositionsMaker = std::function<PositionsPointer(std::int64_t features, std::int64_t longest)>;

const NameTable<PositionsMaker>& table() {
  static const NameTable<PositionsMaker> positions = {
      {"sinusoidal", [](auto features,
                        auto) { return std::make_shared<SinusoidalPositionalEncoding>(features); }},
      {"learned",
       [](auto features, auto longest) {
         return std::make_shared<LearnedPositionalEncoding>(features, longest);
       }},
      {"none", [](auto, auto) { return std::make_shared<NoPositions>(); }},
  };
  return positions;
}

}  // namespace

std::shared_ptr<PositionalEncoding> make_positional_encoding(std::string_view kind,
                                                             std::int64_t features,
                                                             std::int64_t longest) {
  return look_up(table(), kind, "positions")(features, longest);
}

std::vector<std::string> positional_encoding_names() { return names_of(table()); }

}  // namespace attune
