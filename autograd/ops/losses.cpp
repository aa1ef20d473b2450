#include "attune/autograd/ops/losses.h"

#include <cmath>

#include "attune/autograd/array/parallel.h"
#include "attune/autograd/kernels/elementwise.h"
#include "attune/autograd/kernels/math.h"
#include "attune/autograd/kernels/reduce.h"
#include "attune/autograd/kernels/rows.h"

namespace attune {

using namespace kernels;

namespace {

// Class targets for the rows of scores [rows, classes]. `share` is 1 / (number of targets that are
// not ignored), or 0 if there are none.
struct Targets {
  Targets(const char* op, const char* what, const Tensor& scores, const Indices& targets,
          std::int32_t ignore);

  bool counts(std::int64_t row) const { return ids.at(row) != ignore; }
  std::int64_t operator[](std::int64_t row) const { return ids.at(row); }

  Indices ids;
  std::int32_t ignore;
  std::int64_t rows, classes;
  double share;
};

Targets::Targets(const char* op, const char* what, const Tensor& scores, const Indices& targets,
                 std::int32_t ignore)
    : ids(targets), ignore(ignore), rows(targets.elements()) {
  ATTUNE_CHECK(scores.rank() >= 1, "{}: {} must be [..., classes]; got {}", op, what,
               scores.shape());
  const Shape expected = scores.shape().without(scores.rank() - 1);
  ATTUNE_CHECK(
      targets.defined() && targets.shape() == expected,
      "{}: {} {} need targets of shape {}; got {}; one class for each row of the last axis", op,
      what, scores.shape(), expected, targets.shape());
  classes = scores.shape().last();
  std::int64_t counted = 0;
  for (std::int64_t row = 0; row < rows; ++row) {
    ATTUNE_CHECK(!counts(row) || (ids.at(row) >= 0 && ids.at(row) < classes),
                 "{}: target {} at position {} is outside [0, {}), the classes of {} {}; only {} "
                 "is ignored",
                 op, ids.at(row), row, classes, what, scores.shape(), ignore);
    counted += counts(row);
  }
  share = counted > 0 ? 1.0 / static_cast<double>(counted) : 0;
}

// The loss of each row, and its log-sum-exp for backward. In a row of only -infinity the target has
// probability 0: the loss is infinite, and does not depend on the logits.
template <typename T>
void cross_entropy_forward(const Targets& targets, T smoothing, const T* logits, LogSumExp<T>* sums,
                           T* losses) {
  const std::int64_t n = targets.classes;
  parallel_for(targets.rows, row_grain(n), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t row = first; row < last; ++row) {
      if (!targets.counts(row)) {
        losses[row] = 0;
        continue;
      }
      const T* x = logits + row * n;
      sums[row] = row_logsumexp(x, n);
      if (sums[row].empty()) {
        losses[row] = std::numeric_limits<T>::infinity();
        continue;
      }
      const T largest = sums[row].largest;
      T expected = (1 - smoothing) * (x[targets[row]] - largest);
      if (smoothing != 0)
        expected += smoothing / static_cast<T>(n) *
                    lane_sum<T>(n, [&](std::int64_t i) { return x[i] - largest; });
      losses[row] = sums[row].log_total - expected;
    }
  });
}

// dlogits (+)= scale (softmax(logits) - target)
template <typename T>
void cross_entropy_backward(const Targets& targets, T smoothing, const T* logits,
                            const LogSumExp<T>* sums, T scale, T* dlogits, bool accumulate) {
  const std::int64_t n = targets.classes;
  const T spread = smoothing / static_cast<T>(n);
  parallel_for(targets.rows, row_grain(n), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t row = first; row < last; ++row) {
      const T* x = logits + row * n;
      T* dx = dlogits + row * n;
      if (!accumulate) std::fill_n(dx, n, T{0});
      if (!targets.counts(row) || sums[row].empty()) continue;
      row_add_probabilities(x, sums[row], spread, scale, n, dx);
      dx[targets[row]] -= scale * (1 - smoothing);
    }
  });
}

// The mean of f(x, t) over all elements, summed in double or wider, so that the sum does not
// overflow if the mean does not.
template <typename F>
Array mean_of(const Array& x, const Array& t, const F& f) {
  const std::int64_t n = x.elements(), parts = (n + kElementGrain - 1) / kElementGrain;
  Array sums(Shape{parts}, DType::f64);
  double* const to = sums.mutable_data<double>();
  dispatch(x.dtype(), [&](auto type) {
    using T = decltype(type);
    const T *a = x.data<T>(), *b = t.data<T>();
    parallel_for(n, kElementGrain, [&](std::int64_t first, std::int64_t last) {
      to[first / kElementGrain] = lane_sum<double>(last - first, [&](std::int64_t i) {
        return static_cast<double>(f(a[first + i], b[first + i]));
      });
    });
  });
  return sum_all(sums, 1 / static_cast<double>(n)).to(x.dtype());
}

void check_alike(const char* op, const char* what, const Tensor& x, const Tensor& target) {
  ATTUNE_CHECK(x.shape() == target.shape(),
               "{}: {} {} and target {} differ in shape; they must be equal (losses do not "
               "broadcast)",
               op, what, x.shape(), target.shape());
  ATTUNE_CHECK(x.dtype() == target.dtype(), "{}: {} is {}, target {}; convert one with to()", op,
               what, name_of(x.dtype()), name_of(target.dtype()));
  ATTUNE_CHECK(x.elements() > 0, "{}: {} {} has no elements to average", op, what, x.shape());
}

}  // namespace

Tensor cross_entropy(const Tensor& logits, const Indices& target_ids, std::int32_t ignore,
                     double smoothing) {
  const Targets targets("cross_entropy", "logits", logits, target_ids, ignore);
  ATTUNE_CHECK(smoothing >= 0 && smoothing < 1,
               "cross_entropy: smoothing is {}; it must be in [0, 1)", smoothing);
  Array sums(Shape{targets.rows, 2}, logits.dtype());  // one LogSumExp per row
  Array losses(Shape{targets.rows}, logits.dtype());
  dispatch(logits.dtype(), [&](auto type) {
    using T = decltype(type);
    cross_entropy_forward<T>(targets, static_cast<T>(smoothing), logits.value().data<T>(),
                             reinterpret_cast<LogSumExp<T>*>(sums.mutable_raw()),
                             losses.mutable_data<T>());
  });
  return record("cross_entropy", sum_all(losses, targets.share), {logits},
                [targets, smoothing, sums, logits = Saved(logits)](Grads& g) {
                  Into dx = g.into(0);
                  dispatch(sums.dtype(), [&](auto type) {
                    using T = decltype(type);
                    cross_entropy_backward<T>(targets, static_cast<T>(smoothing), logits->data<T>(),
                                              reinterpret_cast<const LogSumExp<T>*>(sums.raw()),
                                              static_cast<T>(g.dy().item() * targets.share),
                                              dx.buffer.template mutable_data<T>(), dx.accumulate);
                  });
                });
}

Tensor nll_loss(const Tensor& log_probabilities, const Indices& target_ids, std::int32_t ignore) {
  const Targets targets("nll_loss", "log probabilities", log_probabilities, target_ids, ignore);
  Array losses = Array::zeros(Shape{targets.rows}, log_probabilities.dtype());
  dispatch(losses.dtype(), [&](auto type) {
    using T = decltype(type);
    const T* x = log_probabilities.value().data<T>();
    T* to = losses.mutable_data<T>();
    for (std::int64_t row = 0; row < targets.rows; ++row)
      if (targets.counts(row)) to[row] = -x[row * targets.classes + targets[row]];
  });
  return record("nll_loss", sum_all(losses, targets.share), {log_probabilities},
                [targets](Grads& g) {
                  Into dx = g.into(0);
                  if (!dx.accumulate) dx.buffer.fill(0);
                  dispatch(dx.buffer.dtype(), [&](auto type) {
                    using T = decltype(type);
                    const T scale = static_cast<T>(g.dy().item() * targets.share);
                    T* to = dx.buffer.template mutable_data<T>();
                    for (std::int64_t row = 0; row < targets.rows; ++row)
                      if (targets.counts(row)) to[row * targets.classes + targets[row]] -= scale;
                  });
                });
}

Tensor mse_loss(const Tensor& prediction, const Tensor& target) {
  check_alike("mse_loss", "prediction", prediction, target);
  const double share = 1.0 / static_cast<double>(prediction.elements());
  const auto square = [](auto p, auto t) {
    const double difference = static_cast<double>(p) - static_cast<double>(t);
    return difference * difference;
  };
  return record("mse_loss", mean_of(prediction.value(), target.value(), square),
                {prediction, target},
                [share, prediction = Saved(prediction), target = Saved(target)](Grads& g) {
                  const double scale = 2 * share * g.dy().item();
                  const auto slope = [scale](auto p, auto t) {
                    return static_cast<decltype(p)>(scale) * (p - t);
                  };
                  if (g.needs(0)) g.add(0, map_same(slope, *prediction, *target));
                  if (g.needs(1)) g.add(1, map_same(slope, *target, *prediction));
                });
}

Tensor binary_cross_entropy_with_logits(const Tensor& logits, const Tensor& target) {
  check_alike("binary_cross_entropy_with_logits", "logits", logits, target);
  const double share = 1.0 / static_cast<double>(logits.elements());
  // log(1 + e^x) - t x, rearranged so that the argument of exp is never positive; 0 * infinity is
  // taken as 0.
  const auto loss = [](auto x, auto t) {
    using T = decltype(x);
    const T weight = x < 0 ? -t : 1 - t;
    return (weight == 0 ? T(0) : weight * x) + math::log1p_exp(-std::fabs(x));
  };
  return record(
      "binary_cross_entropy_with_logits", mean_of(logits.value(), target.value(), loss),
      {logits, target}, [share, x = Saved(logits), t = Saved(target)](Grads& g) {
        const double scale = share * g.dy().item();
        const auto dx = [scale](auto x, auto t) {
          return static_cast<decltype(x)>(scale) * (math::sigmoid(x) - t);
        };
        if (g.needs(0)) g.add(0, map_same(dx, *x, *t));
        if (g.needs(1))
          g.add(1, map(*x, [scale](auto x) { return -static_cast<decltype(x)>(scale) * x; }));
      });
}

}  // namespace attune
