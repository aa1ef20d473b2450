#include "attune/autograd/kernels/recurrent.h"

#include <algorithm>

#include "attune/autograd/array/array.h"
#include "attune/autograd/array/parallel.h"
#include "attune/autograd/kernels/gemm.h"
#include "attune/autograd/kernels/math.h"

namespace attune::kernels {
namespace {

// b_ih and b_hh, [G H] each.
template <typename T>
struct Biases {
  const T *ih, *hh;
};

// Forward for one batch row and step; states have H elements. `gates` holds W_ih x on entry and the
// activated gates on return; `u` is W_hh h.

template <typename T, typename F>
void rnn_row(std::int64_t hidden, T* gates, const T* u, Biases<T> b, T* h_new,
             const F& activation) {
#pragma omp simd
  for (std::int64_t i = 0; i < hidden; ++i)
    gates[i] = h_new[i] = activation((gates[i] + b.ih[i]) + (u[i] + b.hh[i]));
}

template <typename T>
void gru_row(std::int64_t hidden, T* gates, const T* u, Biases<T> b, const T* h, T* h_new,
             T* recurrent_n) {
  const auto input = [=](std::int64_t i) { return gates[i] + b.ih[i]; };
  const auto recurrent = [=](std::int64_t i) { return u[i] + b.hh[i]; };
  T *r = gates, *z = gates + hidden, *n = gates + 2 * hidden;
#pragma omp simd
  for (std::int64_t i = 0; i < hidden; ++i) {
    const std::int64_t j = hidden + i, k = 2 * hidden + i;
    const T reset = math::sigmoid(input(i) + recurrent(i));
    const T update = math::sigmoid(input(j) + recurrent(j));
    const T un = recurrent(k);
    const T candidate = math::tanh(input(k) + reset * un);
    r[i] = reset;
    z[i] = update;
    n[i] = candidate;
    recurrent_n[i] = un;
    h_new[i] = (1 - update) * candidate + update * h[i];
  }
}

template <typename T>
void lstm_row(std::int64_t hidden, T* gates, const T* u, Biases<T> b, const T* c, T* c_new,
              T* h_new) {
  const auto sum = [=](std::int64_t i) { return (gates[i] + b.ih[i]) + (u[i] + b.hh[i]); };
  T *in = gates, *forget = gates + hidden, *cell = gates + 2 * hidden, *out = gates + 3 * hidden;
#pragma omp simd
  for (std::int64_t k = 0; k < hidden; ++k) {
    const T i = math::sigmoid(sum(k));
    const T f = math::sigmoid(sum(hidden + k));
    const T g = math::tanh(sum(2 * hidden + k));
    const T o = math::sigmoid(sum(3 * hidden + k));
    const T state = f * c[k] + i * g;
    in[k] = i;
    forget[k] = f;
    cell[k] = g;
    out[k] = o;
    c_new[k] = state;
    h_new[k] = o * math::tanh(state);
  }
}

// Backward for one batch row and step. `dh` is the gradient of the new state on entry; on return it
// is the gradient of the old state without the part through W_hh, which a matrix product adds
// later.

template <typename T, typename F>
void rnn_row_backward(std::int64_t hidden, const T* gates, T* dh, T* dgates, const F& derivative) {
#pragma omp simd
  for (std::int64_t i = 0; i < hidden; ++i) {
    dgates[i] = derivative(dh[i], gates[i]);
    dh[i] = 0;
  }
}

template <typename T>
void gru_row_backward(std::int64_t hidden, const T* gates, const T* recurrent_n, const T* h, T* dh,
                      T* dgates, T* dgates_hh) {
  const T *r = gates, *z = gates + hidden, *n = gates + 2 * hidden;
  T *dr = dgates, *dz = dgates + hidden, *dn = dgates + 2 * hidden;
  T *ur = dgates_hh, *uz = dgates_hh + hidden, *un = dgates_hh + 2 * hidden;
#pragma omp simd
  for (std::int64_t i = 0; i < hidden; ++i) {
    const T d = dh[i];
    const T candidate = d * (1 - z[i]) * (1 - n[i] * n[i]);
    const T update = d * (h[i] - n[i]) * z[i] * (1 - z[i]);
    const T reset = candidate * recurrent_n[i] * r[i] * (1 - r[i]);
    dr[i] = ur[i] = reset;
    dz[i] = uz[i] = update;
    dn[i] = candidate;
    un[i] = candidate * r[i];
    dh[i] = d * z[i];
  }
}

template <typename T>
void lstm_row_backward(std::int64_t hidden, const T* gates, const T* c, const T* c_new, T* dh,
                       T* dc, T* dgates) {
  const T *in = gates, *forget = gates + hidden, *cell = gates + 2 * hidden,
          *out = gates + 3 * hidden;
  T *di = dgates, *df = dgates + hidden, *dg = dgates + 2 * hidden, *dout = dgates + 3 * hidden;
#pragma omp simd
  for (std::int64_t k = 0; k < hidden; ++k) {
    const T i = in[k], f = forget[k], g = cell[k], o = out[k];
    const T squashed = math::tanh(c_new[k]);
    const T d = dc[k] + dh[k] * o * (1 - squashed * squashed);
    di[k] = d * g * i * (1 - i);
    df[k] = d * c[k] * f * (1 - f);
    dg[k] = d * i * (1 - g * g);
    dout[k] = dh[k] * squashed * o * (1 - o);
    dc[k] = d * f;
    dh[k] = 0;
  }
}

// Batch rows are independent, so each range of rows runs through all steps on one thread. The whole
// batch is one range if the products are small (some ten microseconds); otherwise a range is half
// of the batch, at least 16 and at most 64 rows.
std::int64_t rows_per_range(const SequenceSizes& n, std::int64_t features) {
  if (n.steps * n.batch * n.gates() * (n.hidden + features) < (1 << 19))
    return std::max<std::int64_t>(1, n.batch);
  return std::clamp<std::int64_t>((n.batch + 1) / 2, std::min<std::int64_t>(16, n.batch), 64);
}

}  // namespace

template <typename T>
void sequence_forward(const SequenceSizes& n, const std::int32_t* lengths,
                      const SequenceWeights<T>& w, const T* x, const T* projected,
                      const SequenceStates<T>& s) {
  const std::int64_t H = n.hidden, G = n.gates(), D = x ? w.ih->k() : 0;
  const Array zeros = w.bias_ih ? Array() : Array::zeros(Shape{G}, dtype_of<T>);
  const Biases<T> biases =
      w.bias_ih ? Biases<T>{w.bias_ih, w.bias_hh} : Biases<T>{zeros.data<T>(), zeros.data<T>()};
  parallel_for(n.batch, rows_per_range(n, D), [&](std::int64_t first, std::int64_t last) {
    const std::int64_t rows = last - first;
    Array recurrent(Shape{rows, G}, dtype_of<T>);  // W_hh h
    T* u = recurrent.mutable_data<T>();
    for (std::int64_t step = 0; step < n.steps; ++step) {
      const std::int64_t t = n.reverse ? n.steps - 1 - step : step;
      const std::int64_t old_row = n.before(t) * n.batch + first;
      const std::int64_t new_row = n.after(t) * n.batch + first;
      const std::int64_t step_row = t * n.batch + first;
      T* const step_gates = s.gates + step_row * G;
      if (projected) std::copy_n(projected + step_row * G, rows * G, step_gates);
      if (x)
        w.ih->multiply(Op::none, rows, x + step_row * D, D, projected ? T{1} : T{0}, step_gates, G);
      w.hh->multiply(Op::none, rows, static_cast<const T*>(s.h + old_row * H), H, T{0}, u, G);
      for (std::int64_t b = 0; b < rows; ++b) {
        const T* h = s.h + (old_row + b) * H;
        T* h_new = s.h + (new_row + b) * H;
        const T* c = s.c ? s.c + (old_row + b) * H : nullptr;
        T* c_new = s.c ? s.c + (new_row + b) * H : nullptr;
        T* gates = s.gates + (step_row + b) * G;
        if (lengths && t >= lengths[first + b]) {
          std::copy_n(h, H, h_new);
          if (c) std::copy_n(c, H, c_new);
          std::fill_n(gates, G, T{0});
          if (s.recurrent_n) std::fill_n(s.recurrent_n + (step_row + b) * H, H, T{0});
          continue;
        }
        switch (n.cell) {
          case Cell::rnn_tanh:
            rnn_row(H, gates, u + b * G, biases, h_new, [](T v) { return math::tanh(v); });
            break;
          case Cell::rnn_relu:
            rnn_row(H, gates, u + b * G, biases, h_new, [](T v) { return v < 0 ? T{0} : v; });
            break;
          case Cell::gru:
            gru_row(H, gates, u + b * G, biases, h, h_new, s.recurrent_n + (step_row + b) * H);
            break;
          case Cell::lstm:
            lstm_row(H, gates, u + b * G, biases, c, c_new, h_new);
            break;
        }
      }
    }
  });
}

template <typename T>
void sequence_backward(const SequenceSizes& n, const std::int32_t* lengths,
                       const SequenceWeights<T>& w, const SequenceStates<const T>& s,
                       const SequenceGradients<T>& g) {
  const std::int64_t H = n.hidden, G = n.gates(), D = w.ih ? w.ih->n() : 0;
  parallel_for(n.batch, rows_per_range(n, D), [&](std::int64_t first, std::int64_t last) {
    const std::int64_t rows = last - first;
    for (std::int64_t step = n.steps - 1; step >= 0; --step) {
      const std::int64_t t = n.reverse ? n.steps - 1 - step : step;
      const std::int64_t old_row = n.before(t) * n.batch + first;
      const std::int64_t new_row = n.after(t) * n.batch + first;
      const std::int64_t step_row = t * n.batch + first;
      for (std::int64_t b = 0; b < rows; ++b) {
        const T* gates = s.gates + (step_row + b) * G;
        const T* h = s.h + (old_row + b) * H;
        T* dg = g.dgates + (step_row + b) * G;
        T* du = g.dgates_hh ? g.dgates_hh + (step_row + b) * G : nullptr;
        T* dh = g.dh + (first + b) * H;
        if (lengths && t >= lengths[first + b]) {
          std::fill_n(dg, G, T{0});
          if (du) std::fill_n(du, G, T{0});
          continue;
        }
        if (g.dy) {
          const T* dy = g.dy + (step_row + b) * H;
#pragma omp simd
          for (std::int64_t i = 0; i < H; ++i) dh[i] += dy[i];
        }
        switch (n.cell) {
          case Cell::rnn_tanh:
            rnn_row_backward(H, gates, dh, dg, [](T d, T y) { return d * (1 - y * y); });
            break;
          case Cell::rnn_relu:
            rnn_row_backward(H, gates, dh, dg, [](T d, T y) { return y <= 0 ? T{0} : d; });
            break;
          case Cell::gru:
            gru_row_backward(H, gates, s.recurrent_n + (step_row + b) * H, h, dh, dg, du);
            break;
          case Cell::lstm:
            lstm_row_backward(H, gates, s.c + (old_row + b) * H, s.c + (new_row + b) * H, dh,
                              g.dc + (first + b) * H, dg);
            break;
        }
      }
      const T* through = (g.dgates_hh ? g.dgates_hh : g.dgates) + step_row * G;
      w.hh->multiply(Op::none, rows, through, G, T{1}, g.dh + first * H, H);
      if (g.dx)
        w.ih->multiply(Op::none, rows, static_cast<const T*>(g.dgates + step_row * G), G,
                       g.add_to_dx ? T{1} : T{0}, g.dx + step_row * D, D);
    }
  });
}

#define ATTUNE_INSTANTIATE(T)                                                                \
  template void sequence_forward(const SequenceSizes&, const std::int32_t*,                  \
                                 const SequenceWeights<T>&, const T*, const T*,              \
                                 const SequenceStates<T>&);                                  \
  template void sequence_backward(const SequenceSizes&, const std::int32_t*,                 \
                                  const SequenceWeights<T>&, const SequenceStates<const T>&, \
                                  const SequenceGradients<T>&)
ATTUNE_INSTANTIATE(float);
ATTUNE_INSTANTIATE(double);
#undef ATTUNE_INSTANTIATE

}  // namespace attune::kernels
