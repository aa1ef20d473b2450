#include "attune/models/output_layer.h"

#include <algorithm>
#include <unordered_map>

#include "attune/autograd/array/random.h"
#include "attune/autograd/ops/indexing.h"
#include "attune/autograd/ops/shaping.h"
#include "attune/data/vocabulary.h"

namespace attune {
namespace {

// A matrix of indices, its rows repeated as a whole.
Indices repeated(const Indices& tokens, std::int64_t times, const Shape& shape) {
  std::vector<std::int32_t> all;
  const std::vector<std::int32_t> once = tokens.to_vector();
  for (std::int64_t i = 0; i < times; ++i) all.insert(all.end(), once.begin(), once.end());
  return Indices(all, shape);
}

// Rows of a matrix.
Indices rows_of(const Indices& matrix, const Indices& rows) {
  const std::int64_t size = matrix.shape()[1];
  std::vector<std::int32_t> ids;
  for (const std::int32_t row : rows.to_vector())
    for (std::int64_t s = 0; s < size; ++s) ids.push_back(matrix.at(row * size + s));
  return Indices(ids, {rows.elements(), size});
}

// The tokens of one source as target tokens.
class TokensOfSource {
 public:
  TokensOfSource(const char* layer, const OutputLayerOptions& options)
      : layer_(layer),
        options_(options),
        known_(source_vocabulary(options)),
        next_(static_cast<std::int32_t>(options.vocabulary)) {}

  std::int32_t operator()(std::int32_t token) {
    if (token >= known_) return own(token - static_cast<std::int32_t>(known_), token);
    const std::vector<std::int32_t>& map = options_.copied_as;
    const std::int32_t id = map.empty() || token < 0 ? token : map[static_cast<std::size_t>(token)];
    ATTUNE_CHECK(id >= 0 && id < options_.vocabulary,
                 "{}: source token {} is copied as {}, which is none of the {} target tokens; "
                 "correct copied_as",
                 layer_, token, id, options_.vocabulary);
    if (id != Vocabulary::unknown || token < Vocabulary::specials) return id;
    const auto [place, is_new] = ids_.emplace(token, next_);
    next_ += is_new;
    return place->second;
  }

  std::int32_t vocabulary() const { return next_; }

 private:
  // A token without an id among the source tokens, of which `id` is a target token or the next one
  // beyond these.
  std::int32_t own(std::int32_t id, std::int32_t token) {
    ATTUNE_CHECK(id >= Vocabulary::specials && id <= next_,
                 "{}: source token {} is none of the {} source tokens, and as one of this source "
                 "alone it would be copied as {}; expected {} to {}; set copied_as",
                 layer_, token, known_, id, int{Vocabulary::specials}, next_);
    next_ += id == next_;
    return id;
  }

  const char* layer_;
  const OutputLayerOptions& options_;
  std::int64_t known_;
  std::int32_t next_;
  std::unordered_map<std::int32_t, std::int32_t> ids_;
};

}  // namespace

std::int64_t source_vocabulary(const OutputLayerOptions& options) {
  return options.copied_as.empty() ? options.vocabulary : std::ssize(options.copied_as);
}

std::int64_t CopiedTokens::size() const {
  return *std::max_element(vocabulary.data(), vocabulary.data() + vocabulary.elements());
}

CopiedTokens CopiedTokens::select(const Indices& rows) const {
  std::vector<std::int32_t> sizes;
  for (const std::int32_t row : rows.to_vector()) sizes.push_back(vocabulary.at(row));
  return {rows_of(ids, rows), Indices(sizes)};
}

OutputSource OutputLayer::read(const Encoded&) const { return {}; }

OutputSource OutputSource::select(const Indices& rows) const {
  OutputSource selected;
  if (logits.defined()) selected.logits = index_select(logits, 0, rows);
  if (tokens.ids.defined()) selected.tokens = tokens.select(rows);
  return selected;
}

CopiedTokens tokens_to_copy(const char* layer, const Encoded& encoded,
                            const OutputLayerOptions& options) {
  ATTUNE_CHECK(encoded.tokens.defined(), "{}: the source has no tokens that could be copied",
               layer);
  const std::int64_t size = encoded.tokens.shape()[0], batch = encoded.tokens.shape()[1];
  std::vector<std::int32_t> ids, sizes;
  for (std::int64_t b = 0; b < batch; ++b) {
    TokensOfSource tokens(layer, options);
    const std::int64_t length = encoded.lengths.defined() ? encoded.lengths.at(b) : size;
    for (std::int64_t s = 0; s < size; ++s)
      ids.push_back(s < length ? tokens(encoded.tokens.at(s * batch + b)) : Vocabulary::pad);
    sizes.push_back(tokens.vocabulary());
  }
  return {Indices(ids, {batch, size}), Indices(sizes)};
}

Tensor copy_distribution(const Tensor& weights, const CopiedTokens& tokens) {
  Shape shape = weights.shape();
  const Indices index = repeated(tokens.ids, shape.elements() / tokens.ids.elements(), shape);
  const int last = shape.rank() - 1;
  shape[last] = tokens.size();
  return scatter_add(Tensor(Array::zeros(shape, weights.dtype())), last, index, weights);
}

Family<OutputLayerMaker>& output_layers() {
  static Family<OutputLayerMaker> family(
      "output layer",
      {
          {"linear", "softmax(W [s ; c] + b)", "Bahdanau et al. 2015, sec. 3.1",
           ATTUNE_MAKER(OutputLayerMaker, make_linear_output)},
          {"pointer", "a source token, by the weights", "Vinyals et al. 2015, sec. 2.3",
           ATTUNE_MAKER(OutputLayerMaker, make_pointer_output)},
          {"pointer_generator", "p softmax(W [s ; c] + b) + (1 - p) pointer",
           "See et al. 2017, eq. 8 and 9",
           ATTUNE_MAKER(OutputLayerMaker, make_pointer_generator_output)},
          {"marginal", "sum_i a_i softmax(W [s ; h_i] + b)", "Deng et al. 2018, sec. 2",
           ATTUNE_MAKER(OutputLayerMaker, make_marginal_output)},
      });
  return family;
}

std::shared_ptr<OutputLayer> make_output_layer(std::string_view name,
                                               const OutputLayerOptions& options) {
  return output_layers().make(name, options);
}

bool copies_tokens(std::string_view name) {
  const GeneratorScope draws{Generator()};  // initial values are not used
  return make_output_layer(name, {.combined = 1,
                                  .state = 1,
                                  .embedding = 1,
                                  .source_size = 1,
                                  .vocabulary = Vocabulary::specials})
             ->copied_vocabulary() > 0;
}

std::vector<std::string> output_layer_names() { return output_layers().names(); }

}  // namespace attune
