#include "attune/autograd/kernels/selective_scan.h"

#include <algorithm>

#include "attune/autograd/array/array.h"
#include "attune/autograd/array/parallel.h"
#include "attune/autograd/kernels/math.h"
#include "attune/autograd/kernels/vector.h"

namespace attune::kernels {
namespace {

constexpr std::int64_t kChunk = 16;     // steps of which backward stores all states
constexpr std::int64_t kChannels = 64;  // that are computed together

// h = decay h + b u, and y += c h, for some channels of one number of the state.
template <typename T>
void advance(std::int64_t n, const T* decay, T b, const T* u, T* h, T c, T* y) {
#pragma omp simd
  for (std::int64_t e = 0; e < n; ++e) {
    h[e] = decay[e] * h[e] + b * u[e];
    y[e] += c * h[e];
  }
}

template <typename T>
void set_decay(std::int64_t n, const T* delta, const T* a, T* decay) {
#pragma omp simd
  for (std::int64_t e = 0; e < n; ++e) decay[e] = math::exp(delta[e] * a[e]);
}

template <typename T>
void multiply(std::int64_t n, const T* x, const T* y, T* to) {
#pragma omp simd
  for (std::int64_t e = 0; e < n; ++e) to[e] = x[e] * y[e];
}

// Channels [first, last) of batch row `row`.
template <typename T>
void scan(const SelectiveScanSizes& n, const SelectiveScanInputs<T>& in, std::int64_t row,
          std::int64_t first, std::int64_t last, T* state, T* starts, T* y) {
  const std::int64_t width = last - first, size = n.states * n.channels;
  T decay[kChannels], u[kChannels];
  for (std::int64_t t = 0; t < n.steps; ++t) {
    const std::int64_t at = t * n.batch + row, channel = at * n.channels + first;
    if (starts && t % kChunk == 0)
      for (std::int64_t s = 0; s < n.states; ++s)
        std::copy_n(state + row * size + s * n.channels + first, width,
                    starts + (t / kChunk * n.batch + row) * size + s * n.channels + first);
    multiply(width, in.delta + channel, in.x + channel, u);
    std::fill_n(y + channel, width, T{0});
    for (std::int64_t s = 0; s < n.states; ++s) {
      set_decay(width, in.delta + channel, in.a + s * n.channels + first, decay);
      advance(width, decay, in.b[at * n.states + s], u, state + row * size + s * n.channels + first,
              in.c[at * n.states + s], y + channel);
    }
  }
}

// The backward pass of one batch row.
template <typename T>
class Row {
 public:
  Row(const SelectiveScanSizes& n, const SelectiveScanInputs<T>& in)
      : n_(n),
        in_(in),
        size_(n.states * n.channels),
        memory_(Shape{(2 * kChunk + 1) * size_ + 3 * n.channels}, dtype_of<T>),
        states_(memory_.template mutable_data<T>()),
        decays_(states_ + (kChunk + 1) * size_),
        u_(decays_ + kChunk * size_),
        du_(u_ + n.channels),
        ddelta_(du_ + n.channels) {}

  // Steps [first, last), from `start`, the state before them.
  void backward(std::int64_t row, std::int64_t first, std::int64_t last, const T* start,
                const T* dy, T* dstate, const SelectiveScanGradients<T>& out) {
    recompute(row, first, last, start);
    const std::int64_t e = n_.channels;
    for (std::int64_t t = last - 1; t >= first; --t) {
      const std::int64_t at = t * n_.batch + row;
      const T *x = in_.x + at * e, *delta = in_.delta + at * e, *d = dy + at * e;
      const T *before = states_ + (t - first) * size_, *after = before + size_;
      multiply(e, delta, x, u_);
      std::fill_n(du_, e, T{0});
      std::fill_n(ddelta_, e, T{0});
      for (std::int64_t s = 0; s < n_.states; ++s) {
        T* dh = dstate + row * size_ + s * e;
        axpy(e, in_.c[at * n_.states + s], d, dh);
        out.c[at * n_.states + s] = dot(d, after + s * e, e);
        out.b[at * n_.states + s] = dot(dh, u_, e);
        axpy(e, in_.b[at * n_.states + s], dh, du_);
        through_decay(delta, in_.a + s * e, before + s * e, decays_ + (t - first) * size_ + s * e,
                      dh, out.a + row * size_ + s * e);
      }
      multiply(e, du_, delta, out.x + at * e);
      T* to = out.delta + at * e;
#pragma omp simd
      for (std::int64_t i = 0; i < e; ++i) to[i] = ddelta_[i] + du_[i] * x[i];
    }
  }

 private:
  // The states and decays of all steps.
  void recompute(std::int64_t row, std::int64_t first, std::int64_t last, const T* start) {
    const std::int64_t e = n_.channels;
    std::copy_n(start, size_, states_);
    for (std::int64_t t = first; t < last; ++t) {
      const std::int64_t at = t * n_.batch + row;
      const T* before = states_ + (t - first) * size_;
      T *after = states_ + (t - first + 1) * size_, *decay = decays_ + (t - first) * size_;
      multiply(e, in_.delta + at * e, in_.x + at * e, u_);
      for (std::int64_t s = 0; s < n_.states; ++s) {
        set_decay(e, in_.delta + at * e, in_.a + s * e, decay + s * e);
        multiply(e, decay + s * e, before + s * e, after + s * e);
        axpy(e, in_.b[at * n_.states + s], u_, after + s * e);
      }
    }
  }

  // From the gradient of a state to those of delta, a, and the state before.
  void through_decay(const T* delta, const T* a, const T* before, const T* decay, T* dh, T* da) {
    T* ddelta = ddelta_;
    const std::int64_t e = n_.channels;
#pragma omp simd
    for (std::int64_t i = 0; i < e; ++i) {
      const T dlog = dh[i] * before[i] * decay[i];
      ddelta[i] += dlog * a[i];
      da[i] += dlog * delta[i];
      dh[i] *= decay[i];
    }
  }

  SelectiveScanSizes n_;
  SelectiveScanInputs<T> in_;
  std::int64_t size_;
  Array memory_;
  T *states_, *decays_, *u_, *du_, *ddelta_;
};

}  // namespace

std::int64_t selective_scan_chunks(std::int64_t steps) { return (steps + kChunk - 1) / kChunk; }

template <typename T>
void selective_scan_forward(const SelectiveScanSizes& n, const SelectiveScanInputs<T>& in, T* state,
                            T* starts, T* y) {
  const std::int64_t blocks = (n.channels + kChannels - 1) / kChannels;
  const std::int64_t grain = row_grain(n.steps * n.states * kChannels);
  parallel_for(n.batch * blocks, grain, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t item = first; item < last; ++item) {
      const std::int64_t begin = item % blocks * kChannels;
      scan(n, in, item / blocks, begin, std::min(begin + kChannels, n.channels), state, starts, y);
    }
  });
}

template <typename T>
void selective_scan_backward(const SelectiveScanSizes& n, const SelectiveScanInputs<T>& in,
                             const T* starts, const T* dy, T* dstate,
                             const SelectiveScanGradients<T>& out) {
  const std::int64_t size = n.states * n.channels;
  parallel_for(n.batch, row_grain(2 * n.steps * size), [&](std::int64_t first, std::int64_t last) {
    Row<T> worker(n, in);
    for (std::int64_t row = first; row < last; ++row) {
      std::fill_n(out.a + row * size, size, T{0});
      for (std::int64_t c = selective_scan_chunks(n.steps) - 1; c >= 0; --c)
        worker.backward(row, c * kChunk, std::min(n.steps, (c + 1) * kChunk),
                        starts + (c * n.batch + row) * size, dy, dstate, out);
    }
  });
}

#define ATTUNE_INSTANTIATE(T)                                                                     \
  template void selective_scan_forward(const SelectiveScanSizes&, const SelectiveScanInputs<T>&,  \
                                       T*, T*, T*);                                               \
  template void selective_scan_backward(const SelectiveScanSizes&, const SelectiveScanInputs<T>&, \
                                        const T*, const T*, T*, const SelectiveScanGradients<T>&)
ATTUNE_INSTANTIATE(float);
ATTUNE_INSTANTIATE(double);
#undef ATTUNE_INSTANTIATE

}  // namespace attune::kernels
