#include "attune/autograd/ops/copy_mixture.h"

#include <algorithm>

#include "attune/autograd/kernels/copy_mixture.h"

namespace attune {

using namespace kernels;

namespace {

CopyMixtureSizes sizes_of(const Tensor& logits, const Tensor& generate, const Tensor& copies,
                          const Indices& tokens, std::int64_t vocabulary) {
  ATTUNE_CHECK(logits.rank() >= 2, "log_copy_mixture: logits must be [..., B, V]; got {}",
               logits.shape());
  const Shape& shape = logits.shape();
  const int last = shape.rank() - 1;
  ATTUNE_CHECK(
      tokens.defined() && tokens.shape().rank() == 2 && tokens.shape()[0] == shape[last - 1],
      "log_copy_mixture: logits {} need tokens [{}, S]; got {}", shape, shape[last - 1],
      tokens.shape());
  const std::int64_t positions = tokens.shape()[1];
  Shape of_gate = shape, of_copies = shape;
  of_gate[last] = 1, of_copies[last] = positions;
  ATTUNE_CHECK(generate.shape() == of_gate && copies.shape() == of_copies,
               "log_copy_mixture: logits {} and tokens {} need generate {} and copies {}; got {} "
               "and {}",
               shape, tokens.shape(), of_gate, of_copies, generate.shape(), copies.shape());
  ATTUNE_CHECK(generate.dtype() == logits.dtype() && copies.dtype() == logits.dtype(),
               "log_copy_mixture: logits are {}, generate {} and copies {}; convert them",
               name_of(logits.dtype()), name_of(generate.dtype()), name_of(copies.dtype()));
  ATTUNE_CHECK(vocabulary >= shape[last],
               "log_copy_mixture: {} tokens in all are fewer than the {} of logits {}", vocabulary,
               shape[last], shape);
  for (std::int64_t i = 0; i < tokens.elements(); ++i)
    ATTUNE_CHECK(tokens.at(i) >= 0 && tokens.at(i) < vocabulary,
                 "log_copy_mixture: token {} at position {} of {} is outside [0, {})", tokens.at(i),
                 i, tokens.shape(), vocabulary);
  return {shape.elements() / std::max<std::int64_t>(1, shape[last]), shape[last - 1], shape[last],
          positions, vocabulary};
}

}  // namespace

Tensor log_copy_mixture(const Tensor& logits, const Tensor& generate, const Tensor& copies,
                        const Indices& tokens, std::int64_t vocabulary, double least) {
  const CopyMixtureSizes n = sizes_of(logits, generate, copies, tokens, vocabulary);
  ATTUNE_CHECK(least > 0, "log_copy_mixture: the least probability is {}; expected more than 0",
               least);
  Shape shape = logits.shape();
  shape[shape.rank() - 1] = vocabulary;
  Array y(shape, logits.dtype());
  Array sums(Shape{n.rows, 2}, logits.dtype());  // one LogSumExp per row
  dispatch(logits.dtype(), [&](auto type) {
    using T = decltype(type);
    copy_mixture_forward<T>(n,
                            {logits.value().data<T>(), generate.value().data<T>(),
                             copies.value().data<T>(), tokens.data(), static_cast<T>(least)},
                            reinterpret_cast<LogSumExp<T>*>(sums.mutable_raw()),
                            y.mutable_data<T>());
  });
  return record("log_copy_mixture", y, {logits, generate, copies},
                [n, tokens, least, sums, logits = Saved(logits), generate = Saved(generate),
                 y = Saved(y), shape = copies.shape()](Grads& g) {
                  const DType dtype = logits->dtype();
                  Into dx = g.needs(0) ? g.into(0) : Into{Array(logits->shape(), dtype)};
                  Array dgenerate(generate->shape(), dtype), dcopies(shape, dtype);
                  dispatch(dtype, [&](auto type) {
                    using T = decltype(type);
                    copy_mixture_backward<T>(
                        n,
                        {logits->data<T>(), generate->data<T>(), nullptr, tokens.data(),
                         static_cast<T>(least)},
                        reinterpret_cast<const LogSumExp<T>*>(sums.raw()), y->data<T>(),
                        g.dy().template data<T>(), dx.buffer.template mutable_data<T>(),
                        dx.accumulate, dgenerate.mutable_data<T>(), dcopies.mutable_data<T>());
                  });
                  if (g.needs(1)) g.add(1, std::move(dgenerate));
                  if (g.needs(2)) g.add(2, std::move(dcopies));
                });
}

}  // namespace attune
