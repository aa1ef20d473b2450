#include "attune/layers/multi_head_attention.h"

#include "attune/autograd/ops/multi_head_attention.h"
#include "attune/autograd/ops/padding.h"
#include "attune/autograd/ops/shaping.h"

namespace attune {
namespace {

// `size`, or `otherwise` where it is not given.
std::int64_t size_or(std::int64_t size, std::int64_t otherwise) {
  return size == 0 ? otherwise : size;
}

std::int64_t checked_heads(std::int64_t features, std::int64_t heads) {
  ATTUNE_CHECK(heads >= 1 && features % heads == 0,
               "MultiHeadAttention: {} features cannot be shared out over {} heads; use a multiple "
               "of the heads",
               features, heads);
  return heads;
}

}  // namespace

MultiHeadAttention::MultiHeadAttention(std::int64_t features, std::int64_t heads,
                                       const MultiHeadAttentionOptions& options)
    : heads_(checked_heads(features, heads)),
      query_(child("query", Linear(features, features, options.bias))),
      key_(child("key", Linear(size_or(options.key_size, features), features, options.bias))),
      value_(
          child("value", Linear(size_or(options.value_size, key_.in()), features, options.bias))),
      out_(child("out", Linear(features, features, options.bias))) {}

Memory MultiHeadAttention::memorize(const Tensor& source, const Indices& lengths) const {
  return memorize(source, source, lengths);
}

Memory MultiHeadAttention::memorize(const Tensor& keys, const Tensor& values,
                                    const Indices& lengths) const {
  // The projections' weights would take padding into their gradients: see mask_padding().
  const Tensor masked = mask_padding(keys, lengths);
  return {key_(masked), value_(&values == &keys ? masked : mask_padding(values, lengths)), lengths};
}

Memory MultiHeadAttention::append(const Memory& memory, const Tensor& more) const {
  const Memory added = memorize(more);
  if (!memory.keys.defined()) return added;
  ATTUNE_CHECK(!memory.lengths.defined(),
               "MultiHeadAttention: a memory with lengths cannot be extended: new positions would "
               "stand behind the padding");
  return {concat({memory.keys, added.keys}), concat({memory.values, added.values}), {}};
}

MultiHeadResult MultiHeadAttention::attend(const Tensor& query, const Memory& memory,
                                           const AttendOptions& options) const {
  ATTUNE_CHECK(memory.keys.defined(), "MultiHeadAttention: the memory is empty; memorize() first");
  const DotProductOptions how{.heads = heads_,
                              .lengths = memory.lengths,
                              .causal = options.causal,
                              .offset = memory.keys.size(0) - query.size(0)};
  const Tensor asked = query_(query);
  if (!options.weights)
    return {out_(scaled_dot_product_attention(asked, memory.keys, memory.values, how)), {}};
  const auto [context, weights] =
      scaled_dot_product_attention_with_weights(asked, memory.keys, memory.values, how);
  return {out_(context), weights};
}

Tensor MultiHeadAttention::operator()(const Tensor& x, const Indices& lengths, bool causal) const {
  const Tensor masked = mask_padding(x, lengths);
  return mask_padding(attend(masked, memorize(masked, lengths), {.causal = causal}).output,
                      lengths);
}

}  // namespace attune
