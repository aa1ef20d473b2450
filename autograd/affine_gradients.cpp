#include "attune/autograd/affine_gradients.h"

#include <algorithm>
#include <cstring>

#include "attune/autograd/kernels/gemm.h"
#include "attune/autograd/kernels/reduce.h"
#include "attune/autograd/kernels/vector.h"

namespace attune {

using namespace kernels;

namespace {

// The maximum number of collected rows: the block size of the matrix kernel along k.
constexpr std::int64_t kMostRows = 512;
// This many rows or more are multiplied immediately, without collecting.
constexpr std::int64_t kManyRows = 129;

std::int64_t rows_of(const Array& x) { return x.shape().elements(0, x.shape().rank() - 1); }

// The gradient of a leaf is not read before the pass ends.
bool can_wait(const Edge& edge) { return !edge.node || edge.node->is_leaf(); }

// x, or a copy in which rows that hold NaN or infinity are 0 if their dy is 0. Such rows, padding
// for example, must have no influence, and 0 * NaN would be NaN.
template <typename T>
Array without_idle_rows(std::int64_t rows, const Array& dy, const Array& x) {
  const std::int64_t out = dy.shape().last(), in = x.shape().last();
  const T *d = dy.data<T>(), *values = x.data<T>();
  Array cleared;
  for (std::int64_t row = 0; row < rows; ++row) {
    const T *d_row = d + row * out, *x_row = values + row * in;
    const bool idle = std::all_of(d_row, d_row + out, [](T v) { return v == 0; });
    if (!idle || row_is_finite(x_row, in)) continue;
    if (!cleared.defined()) cleared = x.clone();
    std::fill_n(cleared.mutable_data<T>() + row * in, in, T{0});
  }
  return cleared.defined() ? cleared : x;
}

template <typename T>
void add_now(const AffineGradients::Target& target, std::int64_t rows, const Array& dy,
             const Array& x, Gradients& leaves) {
  const std::int64_t out = dy.shape().last();
  if (const auto& [node, output] = target.weight; node) {
    const std::int64_t in = x.shape().last(), width = node->shape(output)[1];
    Into dw = node->into(output, leaves);
    if (!dw.accumulate && in < width) {  // the other columns
      dw.buffer.fill(0);
      dw.accumulate = true;
    }
    const Array used = without_idle_rows<T>(rows, dy, x);
    gemm<T>(Op::transpose, Op::none, out, in, rows, dy.data<T>(), out, used.data<T>(), in,
            static_cast<T>(dw.beta()), dw.buffer.mutable_data<T>() + target.first_column, width);
  }
  if (const auto& [node, output] = target.bias; node) {
    Into db = node->into(output, leaves);
    sum_axis<T>(dy.data<T>(), AxisLayout(1, rows, out), db.buffer.mutable_data<T>(), db.accumulate);
  }
}

void add_now(const AffineGradients::Target& target, std::int64_t rows, const Array& dy,
             const Array& x, Gradients& leaves) {
  dispatch(dy.dtype(), [&](auto type) { add_now<decltype(type)>(target, rows, dy, x, leaves); });
}

// Copies rows to position `first` of others.
void put(const Array& rows, Array& into, std::int64_t first) {
  const std::size_t row_bytes =
      static_cast<std::size_t>(rows.shape().last()) * size_of(rows.dtype());
  std::memcpy(static_cast<char*>(into.mutable_raw()) + static_cast<std::size_t>(first) * row_bytes,
              rows.raw(), rows.bytes());
}

}  // namespace

void AffineGradients::add(const Target& target, const Array& dy, const Array& x,
                          Gradients& leaves) {
  if (!target.weight.node && !target.bias.node) return;
  const std::int64_t rows = rows_of(dy);
  if (rows >= kManyRows || !can_wait(target.weight) || !can_wait(target.bias))
    return add_now(target, rows, dy, x, leaves);
  const auto same = [&](const Waiting& w) {
    return w.target.weight.node.get() == target.weight.node.get() &&
           w.target.bias.node.get() == target.bias.node.get() &&
           w.target.first_column == target.first_column &&
           (!target.weight.node || w.x.shape().last() == x.shape().last());
  };
  const auto found = std::find_if(waiting_.begin(), waiting_.end(), same);
  if (found == waiting_.end())  // perhaps the only rows: no copy yet
    waiting_.push_back({target, dy, target.weight.node ? x : Array(), rows});
  else
    found->join(rows, dy, x, leaves);
}

void AffineGradients::Waiting::join(std::int64_t more, const Array& more_dy, const Array& more_x,
                                    Gradients& leaves) {
  if (!joined) {
    for (Array* alone : {&dy, &x}) {
      if (!alone->defined()) continue;
      Array place(Shape{kMostRows, alone->shape().last()}, alone->dtype());
      put(*alone, place, 0);
      *alone = place;
    }
    joined = true;
  }
  if (rows + more > kMostRows) {
    add_now(target, rows, dy, x, leaves);
    rows = 0;
  }
  put(more_dy, dy, rows);
  if (x.defined()) put(more_x, x, rows);
  rows += more;
}

void AffineGradients::flush(Gradients& leaves) {
  for (const Waiting& w : waiting_) {
    const BackwardScope scope("weight_gradient", w.layer_path);
    add_now(w.target, w.rows, w.dy, w.x, leaves);
  }
  waiting_.clear();
}

}  // namespace attune
