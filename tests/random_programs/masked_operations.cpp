// Operations and layers with lengths, masks and ignored targets, and garbage below them.
#include <algorithm>
#include <limits>
#include <memory>
#include <optional>

#include "attune/autograd/ops/projected_input.h"
#include "attune/layers/all.h"
#include "random_programs/builder.h"

namespace attune::random_programs {

namespace {

// [n, B, ...]: what lies beyond the lengths of sequences with time first.
HiddenMask beyond(const Indices& lengths, const Shape& shape) {
  HiddenMask mask(static_cast<std::size_t>(shape.elements()), 0);
  const std::int64_t width = shape.elements(2, shape.rank());
  for (std::int64_t t = 0, i = 0; t < shape[0]; ++t)
    for (std::int64_t b = 0; b < shape[1]; ++b)
      for (std::int64_t k = 0; k < width; ++k, ++i)
        mask[static_cast<std::size_t>(i)] = lengths.defined() && t >= lengths.at(b);
  return mask;
}

// Rows [..., D] of which some are hidden.
HiddenMask of_rows(const HiddenMask& rows, std::int64_t width) {
  HiddenMask mask;
  for (const char row : rows) mask.insert(mask.end(), static_cast<std::size_t>(width), row);
  return mask;
}

HiddenMask flipped(HiddenMask mask) {
  for (char& flag : mask) flag = !flag;
  return mask;
}

// 1 where nothing is hidden.
Array visible(const HiddenMask& mask, const Shape& shape) {
  Array flags(shape, DType::f64);
  for (std::int64_t i = 0; i < flags.elements(); ++i)
    flags.set(i, !mask[static_cast<std::size_t>(i)]);
  return flags;
}

// A leaf with garbage where `mask` is set, or a value computed from one (and from others) by
// operations that do not mix elements, or rows of the last axis if `whole_rows`.
int garbage(Builder& b, const Shape& shape, HiddenMask mask, bool whole_rows) {
  const int rank = shape.rank();
  const std::size_t elements = mask.size();
  int x = -1;
  switch (rank == 0 || elements == 0 ? 0 : b.below(8)) {
    case 1: {  // part of something longer
      const std::int64_t more = 1 + b.below(2), row = shape.elements(1, rank);
      Shape longer = shape;
      longer[0] += more;
      HiddenMask wide(static_cast<std::size_t>(more * row), 0);
      wide.insert(wide.end(), mask.begin(), mask.end());
      const std::int64_t n = shape[0];
      if (!b.push_moving("slice", fmt::format("axis=0 [{}, {})", more, more + n),
                         {b.hidden_leaf(longer, wide)}, [=](const Tensors& in) {
                           return Tensors{slice(in[0], 0, more, more + n)};
                         }))
        return -1;
      x = b.result();
      break;
    }
    case 2: {  // flat
      if (!b.push_moving("reshape", "", {b.hidden_leaf({shape.elements()}, mask)},
                         [shape](const Tensors& in) { return Tensors{reshape(in[0], shape)}; }))
        return -1;
      x = b.result();
      break;
    }
    case 3: {  // entries one by one
      std::vector<int> parts;
      const std::size_t row = elements / static_cast<std::size_t>(shape[0]);
      for (std::int64_t i = 0; i < shape[0]; ++i) {
        const auto first = mask.begin() + static_cast<std::ptrdiff_t>(row) * i;
        parts.push_back(b.hidden_leaf(shape.without(0),
                                      HiddenMask(first, first + static_cast<std::ptrdiff_t>(row))));
      }
      if (!b.push_moving("stack", "", parts, [](const Tensors& in) { return Tensors{stack(in)}; }))
        return -1;
      x = b.result();
      break;
    }
    case 4: {  // with two axes swapped
      if (rank < 2) break;
      Shape swapped = shape;
      std::swap(swapped[0], swapped[1]);
      const std::int64_t inner = shape.elements(2, rank);
      HiddenMask moved(elements);
      for (std::int64_t i = 0; i < shape[0]; ++i)
        for (std::int64_t j = 0; j < shape[1]; ++j)
          for (std::int64_t k = 0; k < inner; ++k)
            moved[static_cast<std::size_t>((j * shape[0] + i) * inner + k)] =
                mask[static_cast<std::size_t>((i * shape[1] + j) * inner + k)];
      if (!b.push_moving("transpose", "axes 0 1", {b.hidden_leaf(swapped, moved)},
                         [](const Tensors& in) { return Tensors{transpose(in[0], 0, 1)}; }))
        return -1;
      x = b.result();
      break;
    }
    case 5: {  // out of a linear map
      if (!whole_rows) break;
      const std::int64_t width = shape.last(), in_size = b.size();
      Shape from = shape;
      from[rank - 1] = in_size;
      HiddenMask rows;
      for (std::size_t i = 0; i < elements; i += static_cast<std::size_t>(width))
        rows.push_back(mask[i]);
      const int before = b.hidden_leaf(from, of_rows(rows, in_size));
      const int weight = b.of({width, in_size}), bias = b.chance(0.3) ? -1 : b.of({width});
      if (!b.push("linear", "", {before, weight, bias},
                  [](const Tensors& in) { return Tensors{linear(in[0], in[1], in[2])}; }, {mask}))
        return -1;
      x = b.result();
      break;
    }
    default:
      break;
  }
  if (x < 0) x = b.hidden_leaf(shape, mask);
  switch (b.below(6)) {
    case 0:
      return b.push_moving("x * 1.3", "", {x},
                           [](const Tensors& in) { return Tensors{in[0] * 1.3}; })
                 ? b.result()
                 : -1;
    case 1:
      return b.push_moving("add", "", {x, b.broadcast_to_be(shape)},
                           [](const Tensors& in) { return Tensors{in[0] + in[1]}; })
                 ? b.result()
                 : -1;
    default:
      return x;
  }
}

// Lengths, or none.
Indices maybe_lengths(Builder& b, std::int64_t count, std::int64_t longest) {
  return b.chance(0.8) ? b.lengths(count, longest) : Indices();
}

// Replaces hidden elements of the last step's result by others.
bool add_cover(Builder& b, int x) {
  const HiddenMask mask = b.hidden(x);
  if (mask.empty()) return true;
  const Array keep = visible(mask, b.shape_of(x));
  const int other = b.broadcast_to_be(b.shape_of(x));
  return b.push("where", "visible", {x, other}, [keep](const Tensors& in) {
    return Tensors{where(keep.to(in[0].dtype()), in[0], in[1])};
  });
}

bool is_set(const HiddenMask& mask) { return std::find(mask.begin(), mask.end(), 1) != mask.end(); }

// With some probability, returns an `apply` in which the gradient of one result is NaN where `mask`
// is set. The result is constant there, so this gradient must not have any influence. Appends a
// note to `details`.
Apply poisoned(Builder& b, std::string& details, Apply apply, std::size_t result,
               const HiddenMask& mask, const Shape& shape) {
  if (!is_set(mask) || !b.chance(0.4)) return apply;
  details += " with NaN for hidden gradients";
  const Array keep = visible(mask, shape);
  return [=](const Tensors& in) {
    Tensors results = apply(in);
    Tensor& x = results[result];
    x = record("poisoned gradient", x.value(), {x}, [keep](Grads& g) {
      const DType dtype = g.dy().dtype();
      const Array nan = Array::full({}, std::numeric_limits<double>::quiet_NaN(), dtype);
      g.add(0, where(keep.to(dtype), Tensor(g.dy()), nan).value());
    });
    return results;
  };
}

// --- Masks ----------------------------------------------------------------------------------

bool add_masked_where(Builder& b) {
  const Shape shape = b.shape(0, 4);
  HiddenMask mask;
  for (std::int64_t i = 0; i < shape.elements(); ++i) mask.push_back(b.chance(0.3));
  const Array keep = visible(mask, shape);
  const int x = garbage(b, shape, mask, false);
  const int y = b.chance(0.5) ? garbage(b, shape, flipped(mask), false) : b.broadcast_to_be(shape);
  if (x < 0 || y < 0) return false;
  const bool first = b.chance(0.5);
  const Array condition =
      first ? keep : (Tensor(Array::full(shape, 1, DType::f64)) - Tensor(keep)).value();
  return b.push("where", first ? "visible" : "hidden", {first ? x : y, first ? y : x},
                [condition](const Tensors& in) {
                  return Tensors{where(condition.to(in[0].dtype()), in[0], in[1])};
                });
}

bool add_masked_softmax(Builder& b) {
  const Shape shape = b.shape(2, 4);
  int axis = 1 + static_cast<int>(b.below(shape.rank() - 1));
  const Indices lengths = b.lengths(shape[0], shape[axis]);
  const std::int64_t inner = shape.elements(axis + 1, shape.rank());
  HiddenMask mask;
  for (std::int64_t i = 0; i < shape.elements(); ++i) {
    const std::int64_t row = i / std::max<std::int64_t>(1, shape.elements(1, shape.rank()));
    mask.push_back(i / inner % shape[axis] >= lengths.at(row));
  }
  const int x = garbage(b, shape, mask, false);
  if (x < 0) return false;
  const bool log = b.chance(0.5);
  if (b.chance(0.5)) axis -= shape.rank();
  // log_softmax is -infinity at hidden positions, which later operations cannot use.
  const Array keep = visible(mask, shape);
  std::string details = fmt::format("axis={} lengths={}", axis, to_text(lengths));
  if (log)
    return b.push("log_softmax", details, {x}, [=](const Tensors& in) {
      return Tensors{where(keep.to(in[0].dtype()), log_softmax(in[0], axis, lengths),
                           Array::zeros({}, in[0].dtype()))};
    });
  Apply apply = poisoned(
      b, details, [=](const Tensors& in) { return Tensors{softmax(in[0], axis, lengths)}; }, 0,
      mask, shape);
  return b.push("softmax", details, {x}, std::move(apply));
}

bool add_classification_loss(Builder& b) {
  Shape shape = b.shape(1, 3);
  if (shape.last() == 0) shape[shape.rank() - 1] = 2;
  const Shape rows = shape.without(shape.rank() - 1);
  const std::int32_t ignore = b.chance(0.5) ? kIgnore : -1;
  std::vector<std::int32_t> ids = b.ids(rows, shape.last()).to_vector();
  HiddenMask hidden;
  for (std::int32_t& id : ids) {
    hidden.push_back(b.chance(0.3));
    if (hidden.back()) id = ignore;
  }
  const Indices targets(std::span<const std::int32_t>(ids), rows);
  const int x = garbage(b, shape, of_rows(hidden, shape.last()), true);
  if (x < 0) return false;
  const std::string details = fmt::format("targets={}", to_text(targets));
  if (b.chance(0.4))
    return b.push("nll_loss", details, {x},
                  [=](const Tensors& in) { return Tensors{nll_loss(in[0], targets, ignore)}; });
  const double smoothing = b.chance(0.5) ? 0 : b.uniform(0.05, 0.5);
  return b.push(
      "cross_entropy", details + fmt::format(" smoothing={:.2f}", smoothing), {x},
      [=](const Tensors& in) { return Tensors{cross_entropy(in[0], targets, ignore, smoothing)}; });
}

// --- Attention ------------------------------------------------------------------------------

// A mask for scores, and what it hides of [B, H, T, S]. Where it has a bias, `bias` is its value.
struct SomeMask {
  Mask mask;
  int bias = -1;
  HiddenMask hidden;
  std::string details;

  // The mask with a bias that the program has computed.
  Mask with(const Tensor& added) const { return added.defined() ? mask & Mask::bias(added) : mask; }
};

// Hides what is beyond `lengths`, too, but the returned mask does not apply them.
SomeMask some_mask(Builder& b, const Shape& scores, const Indices& lengths) {
  const std::int64_t heads = scores[1], queries = scores[2], keys = scores[3];
  const bool causal = b.chance(0.4), window = b.chance(0.3), array = b.chance(0.3);
  const bool aligned = b.chance(0.5);
  const std::int64_t offset = aligned ? keys - queries : b.below(5) - 2;
  const std::int64_t left = b.below(4), right = b.below(3);
  const auto given = aligned ? std::optional<std::int64_t>() : offset;
  SomeMask some;
  if (causal) some.mask = some.mask & Mask::causal(given);
  if (window) some.mask = some.mask & Mask::window(left, right, given);
  Array allowed = Array::full(
      {b.chance(0.5) ? scores[0] : 1, b.chance(0.5) ? heads : 1, b.chance(0.5) ? queries : 1, keys},
      1);
  for (std::int64_t i = 0; array && i < allowed.elements(); ++i) allowed.set(i, b.chance(0.7));
  if (array) some.mask = some.mask & Mask::of(allowed);
  const Shape& own = allowed.shape();
  for (std::int64_t i = 0; i < scores.elements(); ++i) {
    const std::int64_t s = i % keys, t = i / keys % queries;
    const std::int64_t row = i / (keys * queries * heads), h = i / (keys * queries) % heads;
    const auto at = [&](int axis, std::int64_t index) { return own[axis] == 1 ? 0 : index; };
    const std::int64_t entry =
        ((at(0, row) * own[1] + at(1, h)) * own[2] + at(2, t)) * own[3] + at(3, s);
    some.hidden.push_back(
        (lengths.defined() && s >= lengths.at(row)) || (causal && s > t + offset) ||
        (window && (s < t + offset - left || s > t + offset + right)) || allowed.at(entry) == 0);
  }
  if (b.chance(0.3)) {
    some.bias = b.chance(0.5) ? b.hidden_leaf(scores, some.hidden)
                              : b.of({heads, b.chance(0.5) ? queries : 1, keys});
  }
  some.details = fmt::format("lengths={} causal={} window={} ({}, {}) offset={}{} array={} bias={}",
                             to_text(lengths), causal, window, left, right, offset,
                             aligned ? " (S - T)" : "", array, some.bias >= 0);
  return some;
}

// Keys [S, B, ...] that no query of [B, H, T, S] sees.
HiddenMask unseen_keys(const HiddenMask& hidden, const Shape& scores, const Shape& keys) {
  const std::int64_t per_row = scores[1] * scores[2], width = keys.elements(2, keys.rank());
  HiddenMask unseen(static_cast<std::size_t>(keys.elements()), 1);
  for (std::int64_t i = 0; i < scores.elements(); ++i) {
    if (hidden[static_cast<std::size_t>(i)]) continue;
    const std::int64_t s = i % scores[3], row = i / (scores[3] * per_row);
    std::fill_n(unseen.begin() + (s * scores[0] + row) * width, width, 0);
  }
  return unseen;
}

bool add_dot_product_attention(Builder& b) {
  const std::int64_t heads = 1 + b.below(3), d = 1 + b.below(b.program.large ? 20 : 4);
  const std::int64_t e = 1 + b.below(4), queries = b.size(), batch = 1 + b.below(4);
  const bool itself = b.chance(0.2);
  const std::int64_t keys = itself ? queries : b.size();
  const Indices lengths = maybe_lengths(b, batch, keys);
  const Shape scores = {batch, heads, queries, keys};
  const SomeMask some = some_mask(b, scores, lengths);
  const std::optional<double> scale =
      b.chance(0.3) ? std::optional<double>(b.uniform(0.1, 1.5)) : std::optional<double>();
  const bool weights = b.chance(0.5);
  const std::int64_t key_heads = itself || b.chance(0.6) ? heads : 1;
  const std::int64_t value_heads = itself || b.chance(0.6) ? key_heads : 1;
  const std::string details = fmt::format("heads={}, {}, {} {} scale={}", heads, key_heads,
                                          value_heads, some.details, scale.value_or(0));
  const auto apply = [=](const Tensors& in) {
    const DotProductOptions options{.heads = heads,
                                    .mask = some.with(in[3]) & Mask::lengths(lengths),
                                    .scale = scale,
                                    .key_heads = key_heads,
                                    .value_heads = value_heads};
    if (!weights) return Tensors{scaled_dot_product_attention(in[0], in[1], in[2], options)};
    const SequenceAttention result =
        scaled_dot_product_attention_with_weights(in[0], in[1], in[2], options);
    return Tensors{result.context, result.weights};
  };
  const char* const name =
      weights ? "scaled_dot_product_attention_with_weights" : "scaled_dot_product_attention";
  const Shape key_shape = {keys, batch, key_heads * d};
  if (itself) {
    const int x = b.of(key_shape);
    const int v = b.chance(0.5) ? x : b.of(key_shape);
    return b.push(name, details, {x, x, v, some.bias}, apply);
  }
  const Shape value_shape = {keys, batch, value_heads * e};
  const int q = b.of({queries, batch, heads * d});
  const int k = garbage(b, key_shape, unseen_keys(some.hidden, scores, key_shape), true);
  const int v = d == e && key_heads == value_heads && b.chance(0.3)
                    ? k
                    : garbage(b, value_shape, unseen_keys(some.hidden, scores, value_shape), true);
  if (k < 0 || v < 0) return false;
  if (!weights) return b.push(name, details, {q, k, v, some.bias}, apply);
  std::string with_poison = details;
  Apply poisoned_apply = poisoned(b, with_poison, apply, 1, some.hidden, scores);
  return b.push(name, with_poison, {q, k, v, some.bias}, std::move(poisoned_apply));
}

// The steps of attention for one query for each row.
bool add_scores(Builder& b) {
  const std::int64_t sources = b.size(), batch = 1 + b.below(4), features = 1 + b.below(5);
  const Indices lengths = maybe_lengths(b, batch, sources);
  const Shape shape = {sources, batch, features};
  const int query = b.of({batch, features});
  const int keys = garbage(b, shape, beyond(lengths, shape), true);
  const int values = b.chance(0.5) ? keys : garbage(b, shape, beyond(lengths, shape), true);
  const int v = b.chance(0.5) ? b.of({features}) : -1;
  return keys >= 0 && values >= 0 &&
         b.push("attention by hand", fmt::format("lengths={}", to_text(lengths)),
                {query, keys, values, v}, [lengths](const Tensors& in) {
                  const Tensor scores = in[3].defined() ? additive_score(in[0], in[1], in[3])
                                                        : dot_score(in[0], in[1]);
                  const Tensor weights = softmax(scores, 1, lengths);
                  return Tensors{weighted_sum(weights, in[2]), weights};
                });
}

// One query for each row, or several, by every score.
bool add_attention_layer(Builder& b) {
  const std::int64_t sources = b.size(), batch = 1 + b.below(4), features = 1 + b.below(5);
  const std::vector<std::string> kinds = score_names();
  const std::string& kind =
      kinds[static_cast<std::size_t>(b.below(static_cast<std::int64_t>(kinds.size())))];
  const bool equal_sizes = kind != "general" && kind != "additive";
  const std::int64_t heads = 1 + b.below(3);
  const std::int64_t query_size = heads > 1     ? heads * (1 + b.below(3))
                                  : equal_sizes ? features
                                                : 1 + b.below(5);
  const DefaultDType float64(DType::f64);
  seed(static_cast<std::uint64_t>(b.below(1000)));
  const auto layer = std::make_shared<Attention>(kind, AttentionOptions{.query_size = query_size,
                                                                        .key_size = features,
                                                                        .hidden = 1 + b.below(5),
                                                                        .heads = heads});
  const Indices lengths = maybe_lengths(b, batch, sources);
  const Shape shape = {sources, batch, features};
  const std::int64_t queries = b.chance(0.5) ? 0 : 1 + b.below(4);  // 0: one, without an axis
  const Shape scores = {batch, heads, std::max<std::int64_t>(1, queries), sources};
  const SomeMask some = some_mask(b, scores, lengths);
  const HiddenMask unseen = unseen_keys(some.hidden, scores, shape);
  const int query = queries == 0 ? b.of({batch, query_size}) : b.of({queries, batch, query_size});
  const int keys = garbage(b, shape, unseen, true);
  const int values = b.chance(0.5) ? keys : garbage(b, shape, unseen, true);
  if (keys < 0 || values < 0) return false;
  std::vector<int> inputs = {query, keys, values, some.bias};
  for (const Param& param : layer->parameters()) inputs.push_back(b.leaf(param.value));
  const bool again = b.chance(0.3);  // call twice
  return b.push(
      "Attention " + kind, fmt::format("heads={} {}", heads, some.details), inputs,
      [=](const Tensors& in) {
        const AttendOptions options{.mask = some.with(in[3]), .weights = true};
        const Memory memory = layer->memorize(in[1], in[2], lengths);
        AttentionResult result = layer->attend(in[0], memory, options);
        if (again) result = layer->attend(in[0] * 0.5, memory, result.next, options);
        return Tensors{result.context, result.weights};
      },
      {}, true);
}

bool add_multi_head_attention(Builder& b) {
  const std::int64_t heads = 1 + b.below(3), features = heads * (1 + b.below(3));
  const std::int64_t queries = b.size(), sources = b.size(), batch = 1 + b.below(3);
  const std::int64_t key_size = 1 + b.below(5);
  const DefaultDType float64(DType::f64);
  seed(static_cast<std::uint64_t>(b.below(1000)));
  const auto layer = std::make_shared<MultiHeadAttention>(
      features, heads, MultiHeadAttentionOptions{.key_size = key_size, .bias = b.chance(0.7)});
  const Indices lengths = maybe_lengths(b, batch, sources);
  const Shape shape = {sources, batch, key_size}, scores = {batch, heads, queries, sources};
  const SomeMask some = some_mask(b, scores, lengths);
  const bool weights = b.chance(0.5);
  const int query = b.of({queries, batch, features});
  const int source = garbage(b, shape, unseen_keys(some.hidden, scores, shape), true);
  if (source < 0) return false;
  std::vector<int> inputs = {query, source, some.bias};
  for (const Param& param : layer->parameters()) inputs.push_back(b.leaf(param.value));
  return b.push(
      "MultiHeadAttention", fmt::format("heads={} {}", heads, some.details), inputs,
      [=](const Tensors& in) {
        const AttentionResult result = layer->attend(
            in[0], layer->memorize(in[1], lengths), {.mask = some.with(in[2]), .weights = weights});
        return weights ? Tensors{result.context, result.weights} : Tensors{result.context};
      },
      {}, true);
}

bool add_transformer_encoder(Builder& b) {
  const std::int64_t heads = 1 + b.below(2), steps = b.size(), batch = 1 + b.below(3);
  const TransformerOptions options{.features = heads * (1 + b.below(3)),
                                   .heads = heads,
                                   .feed_forward = 1 + b.below(6),
                                   .activation = b.chance(0.5) ? "gelu" : "tanh",
                                   .dropout = b.chance(0.5) ? 0 : 0.2,
                                   .norm_first = b.chance(0.5)};
  const DefaultDType float64(DType::f64);
  const auto key = static_cast<std::uint64_t>(b.below(1000));
  seed(key);
  const int layers = 1 + static_cast<int>(b.below(2));
  const auto layer = std::make_shared<TransformerEncoder>(options, layers);
  const Indices lengths = maybe_lengths(b, batch, steps);
  const Shape shape = {steps, batch, options.features};
  const HiddenMask mask = beyond(lengths, shape);
  const int x = garbage(b, shape, mask, true);
  if (x < 0) return false;
  std::vector<int> inputs = {x};
  for (const Param& param : layer->parameters()) inputs.push_back(b.leaf(param.value));
  return b.push(
             "TransformerEncoder",
             fmt::format("heads={} layers={} norm_first={} dropout={} lengths={}", heads, layers,
                         options.norm_first, options.dropout, to_text(lengths)),
             inputs,
             [=](const Tensors& in) {
               seed(key);
               return Tensors{(*layer)(in[0], lengths)};
             },
             {is_set(mask) ? mask : HiddenMask()}, true) &&
         add_cover(b, b.result());
}

// --- Recurrent ------------------------------------------------------------------------------

bool add_sequence(Builder& b) {
  const int kind = static_cast<int>(b.below(4));  // rnn tanh, rnn relu, gru, lstm
  const std::int64_t gates = kind < 2 ? 1 : kind == 2 ? 3 : 4;
  const std::int64_t steps = b.size(), batch = 1 + b.below(4), features = 1 + b.below(4);
  const std::int64_t hidden = b.size();
  const SequenceOptions options{.lengths = maybe_lengths(b, batch, steps),
                                .reverse = b.chance(0.5)};
  const Shape shape = {steps, batch, features}, projected_shape = {steps, batch, gates * hidden};
  const bool known = b.chance(0.25), bias = b.chance(0.7), state = b.chance(0.6);
  const bool alone = known && b.chance(0.4);  // nothing but the known part
  const std::int64_t columns = known ? 1 + b.below(3) : 0;
  const int x = alone ? -1 : garbage(b, shape, beyond(options.lengths, shape), true);
  const int projected =
      known ? garbage(b, projected_shape, beyond(options.lengths, projected_shape), true) : -1;
  if ((x < 0 && !alone) || (known && projected < 0)) return false;
  const Shape state_shape = {batch, hidden};
  const int h = state ? b.of(state_shape) : -1, c = state && kind == 3 ? b.of(state_shape) : -1;
  const int weight_ih = b.of({gates * hidden, columns + (alone ? 0 : features)});
  const int weight_hh = b.of({gates * hidden, hidden});
  const int bias_ih = bias ? b.of({gates * hidden}) : -1;
  const int bias_hh = bias ? b.of({gates * hidden}) : -1;
  static const char* const kNames[] = {"rnn_sequence", "rnn_sequence relu", "gru_sequence",
                                       "lstm_sequence"};
  std::string details =
      fmt::format("lengths={} reverse={}{}", to_text(options.lengths), options.reverse,
                  known ? fmt::format(" known columns={}", columns) : "");
  const auto apply = [=](const Tensors& in) {
    const RecurrentWeights weights{in[3], in[4], in[5], in[6]};
    const RecurrentInput input{in[0], {in[7], columns}};
    const SequenceResult result = recurrent_sequence(static_cast<kernels::Cell>(kind), input,
                                                     {in[1], in[2]}, weights, options);
    return kind == 3 ? Tensors{result.output, result.h, result.c}
                     : Tensors{result.output, result.h};
  };
  const Shape output_shape = {steps, batch, hidden};
  Apply with_poison =
      poisoned(b, details, apply, 0, beyond(options.lengths, output_shape), output_shape);
  return b.push(kNames[kind], details, {x, h, c, weight_ih, weight_hh, bias_ih, bias_hh, projected},
                std::move(with_poison));
}

bool add_recurrent_layer(Builder& b) {
  const std::vector<std::string> kinds = cell_names();
  const std::string& kind =
      kinds[static_cast<std::size_t>(b.below(static_cast<std::int64_t>(kinds.size())))];
  const std::int64_t steps = b.size(), batch = 1 + b.below(3), features = 1 + b.below(4);
  const RecurrentOptions options{.layers = 1 + static_cast<int>(b.below(2)),
                                 .bidirectional = b.chance(0.6),
                                 .dropout = b.chance(0.3) ? 0.3 : 0};
  const DefaultDType float64(DType::f64);
  const auto key = static_cast<std::uint64_t>(b.below(1000));
  seed(key);
  const auto layer = std::make_shared<Recurrent>(kind, features, 1 + b.below(4), options);
  const Indices lengths = maybe_lengths(b, batch, steps);
  const Shape shape = {steps, batch, features};
  const int x = garbage(b, shape, beyond(lengths, shape), true);
  if (x < 0) return false;
  std::vector<int> inputs = {x};
  for (const Param& param : layer->parameters()) inputs.push_back(b.leaf(param.value));
  std::string details =
      fmt::format("layers={} bidirectional={} dropout={} lengths={}", options.layers,
                  options.bidirectional, options.dropout, to_text(lengths));
  const auto apply = [=](const Tensors& in) {
    seed(key);
    const RecurrentResult result = (*layer)(in[0], lengths);
    Tensors all = {result.output};
    for (const RecurrentState& state : result.states) {
      all.push_back(state.h);
      if (state.c.defined()) all.push_back(state.c);
    }
    return all;
  };
  const Shape output_shape = {steps, batch, layer->output_size()};
  Apply with_poison = poisoned(b, details, apply, 0, beyond(lengths, output_shape), output_shape);
  return b.push("Recurrent " + kind, details, inputs, std::move(with_poison), {}, true);
}

}  // namespace

std::vector<Operation> masked_operations() {
  return {
      {"masked where", add_masked_where},
      {"masked softmax", add_masked_softmax},
      {"masked softmax", add_masked_softmax},
      {"classification loss", add_classification_loss},
      {"classification loss", add_classification_loss},
      {"dot product attention", add_dot_product_attention},
      {"dot product attention", add_dot_product_attention},
      {"scores", add_scores},
      {"Attention", add_attention_layer},
      {"MultiHeadAttention", add_multi_head_attention},
      {"TransformerEncoder", add_transformer_encoder},
      {"sequence", add_sequence},
      {"sequence", add_sequence},
      {"Recurrent", add_recurrent_layer},
  };
}

}  // namespace attune::random_programs
