#include "attune/autograd/ops/attention.h"

#include "attune/autograd/kernels/attention.h"

namespace attune {

using namespace kernels;

namespace {

// The sizes S, B and K of keys or values [S, B, K].
AttentionSizes sizes_of(const char* op, const char* name, const Tensor& sequence) {
  ATTUNE_CHECK(sequence.rank() == 3, "{}: {} must be [S, B, features]; got {}", op, name,
               sequence.shape());
  return {sequence.shape()[0], sequence.shape()[1], sequence.shape()[2]};
}

// Checks the shape and the dtype of an operand that belongs to `sequence`.
void check(const char* op, const char* name, const Tensor& x, const Shape& expected,
           const Tensor& sequence) {
  ATTUNE_CHECK(x.shape() == expected, "{}: {} must be {} to fit {}; got {}", op, name, expected,
               sequence.shape(), x.shape());
  ATTUNE_CHECK(x.dtype() == sequence.dtype(), "{}: {} is {}, expected {}; convert one", op, name,
               name_of(x.dtype()), name_of(sequence.dtype()));
}

}  // namespace

Tensor dot_score(const Tensor& query, const Tensor& keys) {
  const AttentionSizes n = sizes_of("dot_score", "keys", keys);
  check("dot_score", "query", query, {n.batch, n.features}, keys);
  Array scores(Shape{n.batch, n.sources}, keys.dtype());
  dispatch(keys.dtype(), [&](auto type) {
    using T = decltype(type);
    rows_dot<T>(n, query.value().data<T>(), keys.value().data<T>(), scores.mutable_data<T>());
  });
  return record("dot_score", scores, {query, keys},
                [n, query = Saved(query), keys = Saved(keys)](Grads& g) {
                  dispatch(keys->dtype(), [&](auto type) {
                    using T = decltype(type);
                    const Array ds = g.dy();
                    if (g.needs(0)) {
                      Into dq = g.into(0);
                      rows_combine<T>(n, ds.data<T>(), keys->data<T>(),
                                      dq.buffer.template mutable_data<T>(), dq.accumulate);
                    }
                    if (g.needs(1)) {
                      Into dk = g.into(1);
                      rows_spread<T>(n, ds.data<T>(), query->data<T>(),
                                     dk.buffer.template mutable_data<T>(), dk.accumulate);
                    }
                  });
                });
}

Tensor additive_score(const Tensor& query, const Tensor& keys, const Tensor& v) {
  const AttentionSizes n = sizes_of("additive_score", "keys", keys);
  check("additive_score", "query", query, {n.batch, n.features}, keys);
  check("additive_score", "v", v, {n.features}, keys);
  Array scores(Shape{n.batch, n.sources}, keys.dtype());
  dispatch(keys.dtype(), [&](auto type) {
    using T = decltype(type);
    additive_forward<T>(n, query.value().data<T>(), keys.value().data<T>(), v.value().data<T>(),
                        scores.mutable_data<T>());
  });
  return record("additive_score", scores, {query, keys, v},
                [n, query = Saved(query), keys = Saved(keys), v = Saved(v)](Grads& g) {
                  dispatch(keys->dtype(), [&](auto type) {
                    using T = decltype(type);
                    const auto into = [&](int i) { return g.needs(i) ? g.into(i) : Into{}; };
                    Into dq = into(0);
                    // The kernel writes dquery after dkeys, so it must add to dquery if both are
                    // the gradient of one tensor.
                    if (dq.buffer.defined() && !dq.accumulate) dq.buffer.fill(0);
                    dq.accumulate = true;
                    Into dk = into(1), dv = into(2);
                    const auto data = [](Into& to) {
                      return to.buffer.defined() ? to.buffer.template mutable_data<T>() : nullptr;
                    };
                    additive_backward<T>(n, query->data<T>(), keys->data<T>(), v->data<T>(),
                                         g.dy().template data<T>(), {data(dq), dq.accumulate},
                                         {data(dk), dk.accumulate}, {data(dv), dv.accumulate});
                  });
                });
}

Tensor weighted_sum(const Tensor& weights, const Tensor& values) {
  const AttentionSizes n = sizes_of("weighted_sum", "values", values);
  check("weighted_sum", "weights", weights, {n.batch, n.sources}, values);
  Array context(Shape{n.batch, n.features}, values.dtype());
  dispatch(values.dtype(), [&](auto type) {
    using T = decltype(type);
    rows_combine<T>(n, weights.value().data<T>(), values.value().data<T>(),
                    context.mutable_data<T>(), false);
  });
  return record("weighted_sum", context, {weights, values},
                [n, weights = Saved(weights), values = Saved(values)](Grads& g) {
                  dispatch(values->dtype(), [&](auto type) {
                    using T = decltype(type);
                    const Array dc = g.dy();
                    if (g.needs(0)) {
                      Array dw(weights->shape(), weights->dtype());
                      rows_dot<T>(n, dc.data<T>(), values->data<T>(), dw.mutable_data<T>());
                      g.add(0, std::move(dw));
                    }
                    if (g.needs(1)) {
                      Into dv = g.into(1);
                      rows_spread<T>(n, weights->data<T>(), dc.data<T>(),
                                     dv.buffer.template mutable_data<T>(), dv.accumulate);
                    }
                  });
                });
}

}  // namespace attune
