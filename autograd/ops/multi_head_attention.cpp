#include "attune/autograd/ops/multi_head_attention.h"

#include <algorithm>
#include <cmath>

#include "attune/autograd/array/random.h"
#include "attune/autograd/kernels/multi_head_attention.h"
#include "attune/autograd/ops/shaping.h"
#include "attune/autograd/scopes.h"

namespace attune {

using namespace kernels;

namespace {

constexpr const char* kName = "scaled_dot_product_attention";

void check_sequence(const char* name, const Tensor& x, std::int64_t heads) {
  ATTUNE_CHECK(x.rank() == 3, "{}: {} must be [positions, B, features], time first; got {}", kName,
               name, x.shape());
  ATTUNE_CHECK(x.size(2) % heads == 0,
               "{}: the {} features of {} {} cannot be divided among {} heads; use a multiple",
               kName, x.size(2), name, x.shape(), heads);
}

void check_key_rows(const Indices& rows, const Tensor& query, const Tensor& key) {
  if (!rows.defined()) return;
  const bool has_positions = rows.shape().rank() == 2;
  ATTUNE_CHECK(
      rows.shape() == (has_positions ? Shape{key.size(0), query.size(1)} : Shape{query.size(1)}),
      "{}: rows of the key of shape {} for query {} and key {}; expected one for each row "
      "of the query, or for each position of the key and row of the query",
      kName, rows.shape(), query.shape(), key.shape());
  for (std::int64_t i = 0; i < rows.elements(); ++i)
    ATTUNE_CHECK(rows.at(i) >= 0 && rows.at(i) < key.size(1),
                 "{}: row {} of key {}, which query row {} attends to, does not exist", kName,
                 rows.at(i), key.shape(), i % query.size(1));
}

MultiHeadSizes sizes_of(const Tensor& query, const Tensor& key, const Tensor& value,
                        const DotProductOptions& options) {
  const std::int64_t heads = options.heads;
  const std::int64_t key_heads = options.key_heads == 0 ? heads : options.key_heads;
  const std::int64_t value_heads = options.value_heads == 0 ? key_heads : options.value_heads;
  ATTUNE_CHECK(heads >= 1, "{}: {} heads; expected at least 1", kName, heads);
  ATTUNE_CHECK(key_heads >= 1 && value_heads >= 1 && heads % key_heads == 0 &&
                   heads % value_heads == 0 &&
                   std::max(key_heads, value_heads) % std::min(key_heads, value_heads) == 0,
               "{}: {} heads cannot share {} heads of keys and {} of values; expected divisors",
               kName, heads, key_heads, value_heads);
  check_sequence("query", query, heads);
  check_sequence("key", key, key_heads);
  check_sequence("value", value, value_heads);
  check_key_rows(options.key_rows, query, key);
  const Indices& rows = options.key_rows;
  ATTUNE_CHECK((rows.defined() || query.size(1) == key.size(1)) &&
                   query.size(2) / heads == key.size(2) / key_heads,
               "{}: query {} does not fit key {}; batch and features {}must be equal", kName,
               query.shape(), key.shape(), key_heads == heads ? "" : "of a head ");
  ATTUNE_CHECK(key.size(0) == value.size(0) && key.size(1) == value.size(1),
               "{}: value {} does not fit key {}; positions and batch must be equal", kName,
               value.shape(), key.shape());
  ATTUNE_CHECK(query.dtype() == key.dtype() && key.dtype() == value.dtype(),
               "{}: query is {}, key {}, value {}; convert them", kName, name_of(query.dtype()),
               name_of(key.dtype()), name_of(value.dtype()));
  MultiHeadSizes n{.queries = query.size(0),
                   .keys = key.size(0),
                   .batch = query.size(1),
                   .heads = heads,
                   .key_features = query.size(2) / heads,
                   .value_features = value.size(2) / value_heads,
                   .scale = 1,
                   .key_heads = key_heads,
                   .value_heads = value_heads,
                   .key_batch = key.size(1),
                   .key_rows = rows.defined() ? rows.data() : nullptr,
                   .key_rows_step = rows.defined() && rows.shape().rank() == 2 ? query.size(1) : 0};
  const auto features = static_cast<double>(std::max<std::int64_t>(1, n.key_features));
  n.scale = options.scale.value_or(1 / std::sqrt(features));
  ATTUNE_CHECK(options.dropout >= 0 && options.dropout < 1, "{}: dropout {} is outside [0, 1)",
               kName, options.dropout);
  if (options.dropout > 0 && !Eval::active())
    n.dropout = {.p = options.dropout, .key = generator().split(1)[0].seed()};
  n.mask = options.mask.view(kName, {n.batch, heads, n.queries, n.keys}, query.dtype());
  return n;
}

// Whether the kernel can read shared rows: it neither adds up their gradients nor, if they differ
// from position to position, does all that attention can do.
bool can_share(const MultiHeadSizes& n, DType dtype, bool with_weights) {
  if (!NoGrad::active()) return false;
  return n.key_rows_step == 0 || (!with_weights && dispatch(dtype, [&](auto type) {
           return takes_rows_of_positions<decltype(type)>(n);
         }));
}

// The context, and the weights if `with_weights`.
std::vector<Tensor> attention(const Tensor& query, const Tensor& key, const Tensor& value,
                              const DotProductOptions& options, bool with_weights) {
  const MultiHeadSizes n = sizes_of(query, key, value, options);
  const DType dtype = query.dtype();
  if (n.key_rows && !can_share(n, dtype, with_weights)) {
    DotProductOptions own = options;
    own.key_rows = {};
    return attention(query, index_select(key, 1, options.key_rows),
                     index_select(value, 1, options.key_rows), own, with_weights);
  }
  Array context(Shape{n.queries, n.batch, n.heads * n.value_features}, dtype), weights;
  Array log_sums(Shape{n.batch, n.heads, n.queries, 2}, dtype);  // a LogSumExp each
  if (with_weights) weights = Array(Shape{n.batch, n.heads, n.queries, n.keys}, dtype);
  dispatch(dtype, [&](auto type) {
    using T = decltype(type);
    const T *q = query.value().data<T>(), *k = key.value().data<T>();
    multi_head_forward<T>(n, q, k, value.value().data<T>(), context.mutable_data<T>(),
                          reinterpret_cast<LogSumExp<T>*>(log_sums.mutable_raw()));
    if (with_weights)
      multi_head_weights<T>(n, q, k, reinterpret_cast<const LogSumExp<T>*>(log_sums.raw()),
                            weights.mutable_data<T>());
  });
  std::vector<Array> results = {context};
  if (with_weights) results.push_back(weights);
  return record(
      kName, results, {query, key, value, options.mask.added()},
      [n, log_sums, mask = options.mask.detach(), bias = Saved(options.mask.added()),
       query = Saved(query), key = Saved(key), value = Saved(value), context = Saved(context),
       weights = Saved(weights)](Grads& g) {
        const DType dtype = log_sums.dtype();
        dispatch(dtype, [&](auto type) {
          using T = decltype(type);
          MultiHeadSaved<T> saved{.query = query->data<T>(),
                                  .key = key->data<T>(),
                                  .value = value->data<T>(),
                                  .context = context->data<T>(),
                                  .log_sums = reinterpret_cast<const LogSumExp<T>*>(log_sums.raw()),
                                  .dcontext = g.dy(0).template data<T>(),
                                  .weights = nullptr,
                                  .dweights = nullptr};
          if ((*weights).defined() && g.has_dy(1)) {
            saved.weights = weights->data<T>();
            saved.dweights = g.dy(1).template data<T>();
          }
          // The kernel runs pairs in parallel, which must not write to the same elements. If an
          // operand shares memory with an earlier one (all three may be one tensor), its gradient
          // is computed in a separate buffer and added afterwards.
          const Saved* const operands[] = {&query, &key, &value};
          Array beside[3];
          const auto target = [&](int i) -> Target<T> {
            if (!g.needs(i)) return {nullptr, false};
            for (int j = 0; j < i; ++j)
              if ((*operands[i])->shares_memory_with(**operands[j])) {
                beside[i] = Array((*operands[i])->shape(), dtype);
                return {beside[i].template mutable_data<T>(), false};
              }
            Into into = g.into(i);
            return {into.buffer.template mutable_data<T>(), into.accumulate};
          };
          const Target<T> dquery = target(0), dkey = target(1), dvalue = target(2);
          Array dbias;
          if (bias->defined() && g.needs(3)) {
            const BroadcastSteps& steps = n.mask.bias_steps;
            dbias = Array::zeros(
                {n.batch, n.heads, steps.query ? n.queries : 1, steps.key ? n.keys : 1}, dtype);
          }
          multi_head_backward<T>(n, saved, dquery, dkey, dvalue,
                                 dbias.defined() ? dbias.template mutable_data<T>() : nullptr);
          for (int i = 0; i < 3; ++i)
            if (beside[i].defined()) g.add(i, std::move(beside[i]));
          if (dbias.defined()) g.add(3, std::move(dbias));
        });
      });
}

}  // namespace

Tensor scaled_dot_product_attention(const Tensor& query, const Tensor& key, const Tensor& value,
                                    const DotProductOptions& options) {
  return attention(query, key, value, options, /*with_weights=*/false)[0];
}

SequenceAttention scaled_dot_product_attention_with_weights(const Tensor& query, const Tensor& key,
                                                            const Tensor& value,
                                                            const DotProductOptions& options) {
  const std::vector<Tensor> results = attention(query, key, value, options, /*with_weights=*/true);
  return {results[0], results[1]};
}

}  // namespace attune
