#include "attune/layers/attention/positional_encoding.h"

namespace attune {

Tensor PositionalEncoding::operator()(const Tensor& x, std::int64_t) const { return x; }

Tensor PositionalEncoding::rotate(const Tensor& x, std::int64_t, std::int64_t) const { return x; }

Tensor PositionalEncoding::bias(const Tensor&, const AttentionPlace&) const { return {}; }

Tensor PositionalEncoding::values(const Tensor&, const AttentionPlace&) const { return {}; }

void PositionalEncoding::check(const char* layer, const Tensor& x, std::int64_t features,
                               std::int64_t first) {
  ATTUNE_CHECK(x.rank() == 3 && x.size(2) == features,
               "{}: x must be [T, B, {}], time first; got {}", layer, features, x.shape());
  ATTUNE_CHECK(first >= 0, "{}: the first position is {}; they are counted from 0", layer, first);
}

Indices by_distance(const AttentionPlace& place,
                    const std::function<std::int64_t(std::int64_t distance)>& f) {
  // Diagonals have the same distance: that of query 0 and key 0 is -first.
  std::vector<std::int32_t> diagonals;
  for (std::int64_t i = 1 - place.queries; i < place.keys; ++i)
    diagonals.push_back(static_cast<std::int32_t>(f(i - place.first())));
  std::vector<std::int32_t> all;
  all.reserve(static_cast<std::size_t>(place.queries * place.keys));
  for (std::int64_t t = 0; t < place.queries; ++t) {
    const auto of_key_0 = diagonals.begin() + (place.queries - 1 - t);
    all.insert(all.end(), of_key_0, of_key_0 + place.keys);
  }
  return Indices(all, {place.queries, place.keys});
}

Family<PositionalEncodingMaker>& positional_encodings() {
  static Family<PositionalEncodingMaker> family(
      "positional encoding",
      {
          {"sinusoidal", "adds sines and cosines of many wavelengths",
           "Vaswani et al. 2017, sec. 3.5",
           ATTUNE_MAKER(PositionalEncodingMaker, make_sinusoidal_positional_encoding)},
          {"learned", "adds a learned vector for each position; longest=1024",
           "Gehring et al. 2017, sec. 3.1",
           ATTUNE_MAKER(PositionalEncodingMaker, make_learned_positional_encoding)},
          {"none", "no positions; a decoder's causal mask still shows the order", "",
           [](const PositionalEncodingOptions&) { return std::make_shared<PositionalEncoding>(); }},
          {"rotary", "rotates queries and keys in proportion to the position; base=10000",
           "Su et al. 2021, eq. 14 to 16",
           ATTUNE_MAKER(PositionalEncodingMaker, make_rotary_positional_encoding)},
          {"alibi", "lowers scores in proportion to the distance", "Press et al. 2021, sec. 3",
           ATTUNE_MAKER(PositionalEncodingMaker, make_alibi_positional_encoding)},
          {"relative", "adds learned vectors of distances to keys and values; clip=16",
           "Shaw et al. 2018, eq. 3 to 5",
           ATTUNE_MAKER(PositionalEncodingMaker, make_relative_positional_encoding)},
          {"t5", "adds learned numbers of distances to scores; buckets=32, furthest=128",
           "Raffel et al. 2020, sec. 2.1",
           ATTUNE_MAKER(PositionalEncodingMaker, make_t5_positional_encoding)},
      });
  return family;
}

std::shared_ptr<PositionalEncoding> make_positional_encoding(
    std::string_view name, const PositionalEncodingOptions& options) {
  return positional_encodings().make(name, options);
}

std::vector<std::string> positional_encoding_names() { return positional_encodings().names(); }

}  // namespace attune
