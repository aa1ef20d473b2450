#include "attune/autograd/ops/normalization.h"

#include "attune/autograd/array/random.h"
#include "attune/autograd/kernels/elementwise.h"
#include "attune/autograd/kernels/l2_normalize.h"
#include "attune/autograd/kernels/layer_norm.h"
#include "attune/autograd/kernels/reduce.h"
#include "attune/autograd/kernels/rms_norm.h"
#include "attune/autograd/scopes.h"

namespace attune {

using namespace kernels;

Tensor layer_norm(const Tensor& x, const Tensor& gain, const Tensor& bias, double eps) {
  ATTUNE_CHECK(
      x.rank() >= 1 && gain.shape() == Shape{x.shape().last()} && bias.shape() == gain.shape(),
      "layer_norm: x {} needs gain and bias of its last axis' size; got gain {} and bias "
      "{}",
      x.shape(), gain.shape(), bias.shape());
  ATTUNE_CHECK(x.dtype() == gain.dtype() && x.dtype() == bias.dtype(),
               "layer_norm: dtypes differ: x is {}, gain {}, bias {}; convert them",
               name_of(x.dtype()), name_of(gain.dtype()), name_of(bias.dtype()));
  const LayerNormSizes n{x.shape().elements(0, x.rank() - 1), x.shape().last()};
  Array y(x.shape(), x.dtype());
  Array rows(Shape{n.rows, 2}, x.dtype());  // one LayerNormRow per row
  dispatch(x.dtype(), [&](auto type) {
    using T = decltype(type);
    layer_norm_forward<T>(
        n, x.value().data<T>(), gain.value().data<T>(), bias.value().data<T>(), static_cast<T>(eps),
        reinterpret_cast<LayerNormRow<T>*>(rows.mutable_raw()), y.mutable_data<T>());
  });
  return record("layer_norm", std::move(y), {x, gain, bias},
                [n, rows, eps, x = Saved(x), gain = Saved(gain)](Grads& g) {
                  const Array dy = g.dy();
                  dispatch(dy.dtype(), [&](auto type) {
                    using T = decltype(type);
                    const auto* saved = reinterpret_cast<const LayerNormRow<T>*>(rows.raw());
                    if (g.needs(0)) {
                      Into dx = g.into(0);
                      layer_norm_backward_x<T>(n, x->data<T>(), gain->data<T>(),
                                               static_cast<T>(eps), saved, dy.data<T>(),
                                               dx.buffer.template mutable_data<T>(), dx.accumulate);
                    }
                    if (g.needs(1)) {
                      Into dgain = g.into(1);
                      layer_norm_backward_gain<T>(
                          n, x->data<T>(), static_cast<T>(eps), saved, dy.data<T>(),
                          dgain.buffer.template mutable_data<T>(), dgain.accumulate);
                    }
                    if (g.needs(2)) {
                      Into dbias = g.into(2);
                      sum_axis<T>(dy.data<T>(), AxisLayout(1, n.rows, n.n),
                                  dbias.buffer.template mutable_data<T>(), dbias.accumulate);
                    }
                  });
                });
}

Tensor rms_norm(const Tensor& x, const Tensor& gain, double eps) {
  ATTUNE_CHECK(x.rank() >= 1 && gain.shape() == Shape{x.shape().last()},
               "rms_norm: x {} needs a gain of its last axis' size; got {}", x.shape(),
               gain.shape());
  ATTUNE_CHECK(x.dtype() == gain.dtype(), "rms_norm: x is {}, gain {}; convert one",
               name_of(x.dtype()), name_of(gain.dtype()));
  const RmsNormSizes n{x.shape().elements(0, x.rank() - 1), x.shape().last()};
  Array y(x.shape(), x.dtype()), scales(Shape{n.rows}, x.dtype());
  dispatch(x.dtype(), [&](auto type) {
    using T = decltype(type);
    rms_norm_forward<T>(n, x.value().data<T>(), gain.value().data<T>(), eps,
                        scales.mutable_data<T>(), y.mutable_data<T>());
  });
  return record(
      "rms_norm", std::move(y), {x, gain}, [n, scales, x = Saved(x), gain = Saved(gain)](Grads& g) {
        const Array dy = g.dy();
        dispatch(dy.dtype(), [&](auto type) {
          using T = decltype(type);
          if (g.needs(0)) {
            Into dx = g.into(0);
            rms_norm_backward_x<T>(n, x->data<T>(), gain->data<T>(), scales.data<T>(), dy.data<T>(),
                                   dx.buffer.template mutable_data<T>(), dx.accumulate);
          }
          if (g.needs(1)) {
            Into dgain = g.into(1);
            rms_norm_backward_gain<T>(n, x->data<T>(), scales.data<T>(), dy.data<T>(),
                                      dgain.buffer.template mutable_data<T>(), dgain.accumulate);
          }
        });
      });
}

Tensor l2_normalize(const Tensor& x, double eps) {
  ATTUNE_CHECK(x.rank() >= 1, "l2_normalize: x is a scalar; it needs an axis to normalise");
  const std::int64_t rows = x.shape().elements(0, x.rank() - 1), n = x.shape().last();
  Array y(x.shape(), x.dtype()), scales(Shape{rows}, x.dtype());  // 1 / sqrt(|x|^2 + eps)
  dispatch(x.dtype(), [&](auto type) {
    using T = decltype(type);
    l2_normalize_forward<T>({rows, n}, x.value().data<T>(), eps, scales.mutable_data<T>(),
                            y.mutable_data<T>());
  });
  return record("l2_normalize", y, {x}, [=, y = Saved(y)](Grads& g) {
    const Array dy = g.dy();
    Into dx = g.into(0);
    dispatch(dy.dtype(), [&](auto type) {
      using T = decltype(type);
      l2_normalize_backward<T>({rows, n}, y->data<T>(), scales.data<T>(), dy.data<T>(),
                               dx.buffer.template mutable_data<T>(), dx.accumulate);
    });
  });
}

Tensor dropout(const Tensor& x, double p) {
  ATTUNE_CHECK(p >= 0 && p < 1, "dropout: p is {}; it must be a probability in [0, 1)", p);
  if (p == 0 || Eval::active()) return x;
  const auto product = [](auto a, auto b) { return a * b; };
  Array mask(x.shape(), x.dtype());
  generator().dropout_mask(mask, p);
  return record("dropout", map_same(product, x.value(), mask), {x},
                [product, mask](Grads& g) { g.add(0, map_same(product, g.dy(), mask)); });
}

}  // namespace attune
