#include "attune/autograd/ops/linear_attention.h"

#include <utility>
#include <vector>

#include "attune/autograd/kernels/linear_attention.h"

namespace attune {

using namespace kernels;

namespace {

// An input that need not be given. `name` is as in the header.
void check_input(const char* op, const char* name, const Tensor& x, const Shape& shape,
                 DType dtype) {
  ATTUNE_CHECK(x.shape() == shape && x.dtype() == dtype, "{}: {} is {} {}; expected {} {}", op,
               name, name_of(x.dtype()), x.shape(), name_of(dtype), shape);
}

LinearAttentionSizes sizes_of(const char* op, const Tensor& query, const Tensor& key,
                              const Tensor& value, const LinearAttentionOptions& options) {
  const std::int64_t heads = options.heads;
  ATTUNE_CHECK(query.rank() == 3 && value.rank() == 3 && heads >= 1 && query.size(2) % heads == 0 &&
                   value.size(2) % heads == 0,
               "{}: query {} and value {} must be [T, B, features], time first, with a multiple of "
               "{} heads as features",
               op, query.shape(), value.shape(), heads);
  const LinearAttentionSizes n{query.size(0), query.size(1), heads, query.size(2) / heads,
                               value.size(2) / heads};
  check_input(op, "key", key, query.shape(), query.dtype());
  check_input(op, "value", value, {n.steps, n.batch, value.size(2)}, query.dtype());
  if (options.log_decay.defined())
    check_input(op, "log_decay", options.log_decay, {n.steps, n.batch, heads}, query.dtype());
  if (options.state.defined())
    check_input(op, "state", options.state, {n.batch, heads, n.key_features, n.value_features},
                query.dtype());
  return n;
}

template <typename T>
const T* data_of(const Array& x) {
  return x.defined() ? x.data<T>() : nullptr;
}

// The inputs, in the order in which they are recorded. Those that are not given are not defined.
struct Inputs {
  Saved query, key, value, beta, log_decay;

  template <typename T>
  LinearAttentionInputs<T> view() const {
    return {query->data<T>(), key->data<T>(), value->data<T>(), data_of<T>(*beta),
            data_of<T>(*log_decay)};
  }
};

void backward(const LinearAttentionSizes& n, const Inputs& in, const Array& starts, Grads& g) {
  const DType dtype = in.query->dtype();
  const Array dy = g.dy(0);
  Array dstate = g.has_dy(1)
                     ? g.dy(1).clone()
                     : Array::zeros({n.batch, n.heads, n.key_features, n.value_features}, dtype);
  Array dquery(in.query->shape(), dtype), dkey(in.key->shape(), dtype),
      dvalue(in.value->shape(), dtype), dbeta, dlog_decay;
  const Shape of_heads{n.steps, n.batch, n.heads};
  if (in.beta->defined()) dbeta = Array(of_heads, dtype);
  if (in.log_decay->defined() && g.needs(4)) dlog_decay = Array(of_heads, dtype);
  dispatch(dtype, [&](auto type) {
    using T = decltype(type);
    linear_attention_backward<T>(
        n, in.view<T>(), starts.data<T>(), dy.data<T>(), dstate.mutable_data<T>(),
        {dquery.mutable_data<T>(), dkey.mutable_data<T>(), dvalue.mutable_data<T>(),
         dbeta.defined() ? dbeta.mutable_data<T>() : nullptr,
         dlog_decay.defined() ? dlog_decay.mutable_data<T>() : nullptr});
  });
  g.add(0, std::move(dquery));
  g.add(1, std::move(dkey));
  g.add(2, std::move(dvalue));
  if (dbeta.defined()) g.add(3, std::move(dbeta));
  if (dlog_decay.defined()) g.add(4, std::move(dlog_decay));
  g.add(5, std::move(dstate));
}

StateResult attend(const char* op, const Tensor& query, const Tensor& key, const Tensor& value,
                   const Tensor& beta, const LinearAttentionOptions& options) {
  const LinearAttentionSizes n = sizes_of(op, query, key, value, options);
  const DType dtype = query.dtype();
  if (beta.defined()) check_input(op, "beta", beta, {n.steps, n.batch, n.heads}, dtype);
  const Shape shape{n.batch, n.heads, n.key_features, n.value_features};
  Array state =
      options.state.defined() ? options.state.value().clone() : Array::zeros(shape, dtype);
  Array y(Shape{n.steps, n.batch, value.size(2)}, dtype), starts;
  bool recorded = false;
  for (const Tensor* x : {&query, &key, &value, &beta, &options.log_decay, &options.state})
    recorded = recorded || (x->requires_grad() && !NoGrad::active());
  if (recorded)
    starts = Array(
        Shape{linear_attention_chunks(n.steps), n.batch, n.heads, n.key_features, n.value_features},
        dtype);
  const Inputs in{query, key, value, beta, options.log_decay};
  dispatch(dtype, [&](auto type) {
    using T = decltype(type);
    linear_attention_forward<T>(n, in.view<T>(), state.mutable_data<T>(),
                                starts.defined() ? starts.mutable_data<T>() : nullptr,
                                y.mutable_data<T>());
  });
  const std::vector<Tensor> results =
      record(op, {std::move(y), std::move(state)},
             {query, key, value, beta, options.log_decay, options.state},
             [n, in, starts](Grads& g) { backward(n, in, starts, g); });
  return {results[0], results[1]};
}

}  // namespace

StateResult linear_attention(const Tensor& query, const Tensor& key, const Tensor& value,
                             const LinearAttentionOptions& options) {
  return attend("linear_attention", query, key, value, {}, options);
}

StateResult delta_rule(const Tensor& query, const Tensor& key, const Tensor& value,
                       const Tensor& beta, const LinearAttentionOptions& options) {
  ATTUNE_CHECK(beta.defined(), "delta_rule: beta is not defined; expected [T, B, H]");
  return attend("delta_rule", query, key, value, beta, options);
}

}  // namespace attune
