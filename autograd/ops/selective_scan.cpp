#include "attune/autograd/ops/selective_scan.h"

#include <utility>
#include <vector>

#include "attune/autograd/kernels/reduce.h"
#include "attune/autograd/kernels/selective_scan.h"

namespace attune {

using namespace kernels;

namespace {

void check_input(const char* name, const Tensor& x, const Shape& shape, DType dtype) {
  ATTUNE_CHECK(x.shape() == shape && x.dtype() == dtype,
               "selective_scan: {} is {} {}; expected {} {}", name, name_of(x.dtype()), x.shape(),
               name_of(dtype), shape);
}

SelectiveScanSizes sizes_of(const Tensor& x, const Tensor& delta, const Tensor& a, const Tensor& b,
                            const Tensor& c, const Tensor& state) {
  ATTUNE_CHECK(x.rank() == 3 && a.rank() == 2 && a.size(1) == x.size(2),
               "selective_scan: x {} and a {} do not fit; expected [T, B, E] and [N, E]", x.shape(),
               a.shape());
  const SelectiveScanSizes n{x.size(0), x.size(1), x.size(2), a.size(0)};
  check_input("delta", delta, x.shape(), x.dtype());
  check_input("a", a, a.shape(), x.dtype());
  check_input("b", b, {n.steps, n.batch, n.states}, x.dtype());
  check_input("c", c, {n.steps, n.batch, n.states}, x.dtype());
  if (state.defined()) check_input("state", state, {n.batch, n.states, n.channels}, x.dtype());
  return n;
}

struct Inputs {
  Saved x, delta, a, b, c;

  template <typename T>
  SelectiveScanInputs<T> view() const {
    return {x->data<T>(), delta->data<T>(), a->data<T>(), b->data<T>(), c->data<T>()};
  }
};

void backward(const SelectiveScanSizes& n, const Inputs& in, const Array& starts, Grads& g) {
  const DType dtype = in.x->dtype();
  const Shape of_state{n.batch, n.states, n.channels};
  const Array dy = g.dy(0);
  Array dstate = g.has_dy(1) ? g.dy(1).clone() : Array::zeros(of_state, dtype);
  Array dx(in.x->shape(), dtype), ddelta(in.x->shape(), dtype), of_rows(of_state, dtype),
      db(in.b->shape(), dtype), dc(in.c->shape(), dtype), da(in.a->shape(), dtype);
  dispatch(dtype, [&](auto type) {
    using T = decltype(type);
    selective_scan_backward<T>(
        n, in.view<T>(), starts.data<T>(), dy.data<T>(), dstate.mutable_data<T>(),
        {dx.mutable_data<T>(), ddelta.mutable_data<T>(), of_rows.mutable_data<T>(),
         db.mutable_data<T>(), dc.mutable_data<T>()});
    sum_axis<T>(of_rows.data<T>(), AxisLayout(1, n.batch, n.states * n.channels),
                da.mutable_data<T>());
  });
  for (const auto& [input, gradient] :
       {std::pair{0, &dx}, {1, &ddelta}, {2, &da}, {3, &db}, {4, &dc}, {5, &dstate}})
    g.add(input, std::move(*gradient));
}

}  // namespace

StateResult selective_scan(const Tensor& x, const Tensor& delta, const Tensor& a, const Tensor& b,
                           const Tensor& c, const Tensor& state) {
  const SelectiveScanSizes n = sizes_of(x, delta, a, b, c, state);
  const Shape of_state{n.batch, n.states, n.channels};
  Array last = state.defined() ? state.value().clone() : Array::zeros(of_state, x.dtype());
  Array y(x.shape(), x.dtype()), starts;
  bool recorded = false;
  for (const Tensor* input : {&x, &delta, &a, &b, &c, &state})
    recorded = recorded || (input->requires_grad() && !NoGrad::active());
  if (recorded)
    starts = Array(Shape{selective_scan_chunks(n.steps), n.batch, n.states, n.channels}, x.dtype());
  const Inputs in{x, delta, a, b, c};
  dispatch(x.dtype(), [&](auto type) {
    using T = decltype(type);
    selective_scan_forward<T>(n, in.view<T>(), last.mutable_data<T>(),
                              starts.defined() ? starts.mutable_data<T>() : nullptr,
                              y.mutable_data<T>());
  });
  const std::vector<Tensor> results =
      record("selective_scan", {std::move(y), std::move(last)}, {x, delta, a, b, c, state},
             [n, in, starts](Grads& g) { backward(n, in, starts, g); });
  return {results[0], results[1]};
}

}  // namespace attune
