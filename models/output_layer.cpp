#include "attune/models/output_layer.h"

#include "attune/autograd/ops/indexing.h"
#include "attune/autograd/ops/shaping.h"

namespace attune {
namespace {

// A matrix of indices, its rows repeated as a whole.
Indices repeated(const Indices& tokens, std::int64_t times, const Shape& shape) {
  std::vector<std::int32_t> all;
  const std::vector<std::int32_t> once = tokens.to_vector();
  for (std::int64_t i = 0; i < times; ++i) all.insert(all.end(), once.begin(), once.end());
  return Indices(all, shape);
}

}  // namespace

OutputSource OutputLayer::read(const Encoded&) const { return {}; }

OutputSource OutputSource::select(const Indices& rows) const {
  OutputSource selected;
  if (logits.defined()) selected.logits = index_select(logits, 0, rows);
  if (!tokens.defined()) return selected;
  const std::int64_t size = tokens.shape()[1];
  std::vector<std::int32_t> ids;
  for (const std::int32_t row : rows.to_vector())
    for (std::int64_t s = 0; s < size; ++s) ids.push_back(tokens.at(row * size + s));
  selected.tokens = Indices(ids, {rows.elements(), size});
  return selected;
}

Indices tokens_to_copy(const char* layer, const Encoded& encoded,
                       const OutputLayerOptions& options) {
  ATTUNE_CHECK(encoded.tokens.defined(), "{}: the source has no tokens that could be copied",
               layer);
  const std::int64_t size = encoded.tokens.shape()[0], batch = encoded.tokens.shape()[1];
  const std::vector<std::int32_t>& map = options.copied_as;
  std::vector<std::int32_t> ids;
  for (std::int64_t b = 0; b < batch; ++b)
    for (std::int64_t s = 0; s < size; ++s) {
      const std::int32_t token = encoded.tokens.at(s * batch + b);
      const bool is_known = map.empty() || token < std::ssize(map);
      const std::int32_t id =
          map.empty() ? token : (is_known ? map[static_cast<std::size_t>(token)] : -1);
      ATTUNE_CHECK(id >= 0 && id < options.vocabulary,
                   "{}: source token {} is none of the {} target tokens; set copied_as", layer,
                   token, options.vocabulary);
      ids.push_back(id);
    }
  return Indices(ids, {batch, size});
}

Tensor copy_distribution(const Tensor& weights, const Indices& tokens, std::int64_t vocabulary) {
  Shape shape = weights.shape();
  const Indices index = repeated(tokens, shape.elements() / tokens.elements(), shape);
  const int last = shape.rank() - 1;
  shape[last] = vocabulary;
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

std::vector<std::string> output_layer_names() { return output_layers().names(); }

}  // namespace attune
