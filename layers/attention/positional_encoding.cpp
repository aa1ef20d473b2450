#include "attune/layers/attention/positional_encoding.h"

#include "attune/layers/attention/learned_positional_encoding.h"
#include "attune/layers/attention/sinusoidal_positional_encoding.h"

namespace attune {
namespace {

// Returns x unchanged, for models that distinguish positions in another way.
class NoPositions : public PositionalEncoding {
 public:
  Tensor operator()(const Tensor& x, std::int64_t) const override { return x; }
};

}  // namespace

void PositionalEncoding::check(const char* layer, const Tensor& x, std::int64_t features,
                               std::int64_t first) {
  ATTUNE_CHECK(x.rank() == 3 && x.size(2) == features,
               "{}: x must be [T, B, {}], time first; got {}", layer, features, x.shape());
  ATTUNE_CHECK(first >= 0, "{}: the first position is {}; they are counted from 0", layer, first);
}

Family<PositionalEncodingMaker>& positional_encodings() {
  static Family<PositionalEncodingMaker> family(
      "positional encoding",
      {
          {"sinusoidal", "sines and cosines of many wavelengths", "Vaswani et al. 2017, sec. 3.5",
           [](std::int64_t features, std::int64_t) {
             return std::make_shared<SinusoidalPositionalEncoding>(features);
           }},
          {"learned", "a learned vector for each position", "Gehring et al. 2017, sec. 3.1",
           [](std::int64_t features, std::int64_t longest) {
             return std::make_shared<LearnedPositionalEncoding>(features, longest);
           }},
          {"none", "x as it is", "",
           [](std::int64_t, std::int64_t) { return std::make_shared<NoPositions>(); }},
      });
  return family;
}

std::shared_ptr<PositionalEncoding> make_positional_encoding(std::string_view kind,
                                                             std::int64_t features,
                                                             std::int64_t longest) {
  return positional_encodings().at(kind).make(features, longest);
}

std::vector<std::string> positional_encoding_names() { return positional_encodings().names(); }

}  // namespace attune
