#include "attune/autograd/kernels/linear_attention.h"

#include <algorithm>

#include "attune/autograd/array/array.h"
#include "attune/autograd/array/parallel.h"
#include "attune/autograd/kernels/gemm.h"
#include "attune/autograd/kernels/math.h"
#include "attune/autograd/kernels/vector.h"

namespace attune::kernels {
namespace {

constexpr std::int64_t kChunk = 64;  // positions of a chunk
constexpr std::int64_t kBlock = 16;  // rows that are solved for one after the other

// One chunk of one pair of batch row and head: C positions, of which r comes after i < r. With the
// decays a_t, the state S before the chunk, and the products of decays
//
//     from_r = a_1 ... a_r,   decay_ri = a_{i+1} ... a_r,   to_i = a_{i+1} ... a_C
//
// position r writes u_r, which is v_r in linear attention, and in the delta rule
//
//     u_r = beta_r (v_r - from_r k_r S - sum_{i < r} decay_ri (k_r . k_i) u_i)
//     y_r = from_r q_r S + sum_{i <= r} decay_ri (q_r . k_i) u_i
//     S   = from_C S + sum_i to_i k_i u_i^T           the state after the chunk
//
// The first line is a triangular system of equations for all u of the chunk, the UT transform of
// Yang et al. 2024 (arXiv:2406.06484, sec. 3.2).
template <typename T>
class Chunk {
 public:
  Chunk(const LinearAttentionSizes& n, const LinearAttentionInputs<T>& in)
      : in_(in),
        k_(n.key_features),
        v_(n.value_features),
        pairs_(n.pairs()),
        most_(std::min(n.steps, kChunk)),
        memory_(Shape{most_ * (6 * most_ + 4 * k_ + 3 * v_ + 4)}, dtype_of<T>) {
    T* next = memory_.template mutable_data<T>();
    const auto take = [&](T*& part, std::int64_t elements) {
      part = next;
      next += elements;
    };
    for (T** part : {&decay_, &scores_, &products_, &solver_, &dscores_, &dproducts_})
      take(*part, most_ * most_);
    for (T** part : {&query_, &erase_, &late_, &rows_}) take(*part, most_ * k_);
    for (T** part : {&own_update_, &error_, &dupdate_}) take(*part, most_ * v_);
    for (T** part : {&log_, &from_, &to_, &dlog_}) take(*part, most_);
  }

  // Computes y and the state after `count` positions from `first` on.
  void forward(std::int64_t pair, std::int64_t first, std::int64_t count, T* state, T* y) {
    prepare(pair, first, count, state);
    T* of_y = y + (first_ * pairs_ + pair_) * v_;
    product(Op::none, Op::none, c_, v_, k_, query_, k_, state, v_, T{0}, of_y, pairs_ * v_);
    product(Op::none, Op::none, c_, v_, c_, scores_, c_, update_, update_row_, T{1}, of_y,
            pairs_ * v_);
    product(Op::transpose, Op::none, k_, v_, c_, late_, k_, update_, update_row_, from_[c_ - 1],
            state, v_);
  }

  // The gradients of the same, given the state before it; `dstate` is that of the state after it,
  // and becomes that of the state before.
  void backward(std::int64_t pair, std::int64_t first, std::int64_t count, const T* state,
                const T* dy, T* dstate, const LinearAttentionGradients<T>& out) {
    prepare(pair, first, count, state);
    const std::int64_t row = pairs_ * v_, key_row = pairs_ * k_;
    const T* d = dy + (first_ * pairs_ + pair_) * v_;
    T* dquery = out.query + (first_ * pairs_ + pair_) * k_;
    T* dkey = out.key + (first_ * pairs_ + pair_) * k_;
    T* dvalue = out.value + (first_ * pairs_ + pair_) * v_;
    std::fill_n(dlog_, c_, T{0});

    product(Op::transpose, Op::none, c_, v_, c_, scores_, c_, d, row, T{0}, dupdate_, v_);
    product(Op::none, Op::none, c_, v_, k_, late_, k_, dstate, v_, T{1}, dupdate_, v_);

    product(Op::none, Op::transpose, c_, c_, v_, d, row, update_, update_row_, T{0}, dscores_, c_);
    through_decay(scores_, 1, dscores_);
    product(Op::none, Op::transpose, c_, k_, v_, d, row, state, v_, T{0}, rows_, k_);
    for (std::int64_t r = 0; r < c_; ++r) {
      dlog_[r] += dot(query_ + r * k_, rows_ + r * k_, k_);
      axpy(k_, from_[r], rows_ + r * k_, dquery + r * key_row, /*accumulate=*/false);
    }
    product(Op::none, Op::none, c_, k_, c_, dscores_, c_, keys(), key_row, T{1}, dquery, key_row);
    product(Op::transpose, Op::none, c_, k_, c_, dscores_, c_, queries(), key_row, T{0}, dkey,
            key_row);

    product(Op::none, Op::transpose, c_, k_, v_, update_, update_row_, dstate, v_, T{0}, rows_, k_);
    for (std::int64_t i = 0; i < c_; ++i) {
      const T share = dot(late_ + i * k_, rows_ + i * k_, k_);
      dlog_[c_ - 1] += share, dlog_[i] -= share;
      axpy(k_, to_[i], rows_ + i * k_, dkey + i * key_row);
    }
    dlog_[c_ - 1] += from_[c_ - 1] * dot(state, dstate, k_ * v_);

    product(Op::transpose, Op::none, k_, v_, c_, query_, k_, d, row, from_[c_ - 1], dstate, v_);
    if (in_.beta)
      backward_update(state, dstate, dkey, dvalue, out.beta + first_ * pairs_ + pair_);
    else
      for (std::int64_t r = 0; r < c_; ++r) std::copy_n(dupdate_ + r * v_, v_, dvalue + r * row);

    T after = 0;  // log from_r is the sum of the logarithms up to r
    for (std::int64_t r = c_ - 1; r >= 0 && out.log_decay; --r)
      out.log_decay[(first_ + r) * pairs_ + pair_] = after += dlog_[r];
  }

 private:
  static constexpr auto product = gemm_panel<T>;

  const T* queries() const { return in_.query + (first_ * pairs_ + pair_) * k_; }
  const T* keys() const { return in_.key + (first_ * pairs_ + pair_) * k_; }
  const T* values() const { return in_.value + (first_ * pairs_ + pair_) * v_; }
  T beta(std::int64_t r) const { return in_.beta[(first_ + r) * pairs_ + pair_]; }

  // Everything that the outputs are products of.
  void prepare(std::int64_t pair, std::int64_t first, std::int64_t count, const T* state) {
    pair_ = pair, first_ = first, c_ = count;
    set_decays();
    const std::int64_t key_row = pairs_ * k_;
    for (std::int64_t r = 0; r < c_; ++r) {
      axpy(k_, from_[r], queries() + r * key_row, query_ + r * k_, /*accumulate=*/false);
      axpy(k_, to_[r], keys() + r * key_row, late_ + r * k_, /*accumulate=*/false);
    }
    product(Op::none, Op::transpose, c_, c_, k_, queries(), key_row, keys(), key_row, T{0}, scores_,
            c_);
    multiply_by_decay(scores_, 1);
    update_ = values(), update_row_ = pairs_ * v_;
    if (in_.beta) set_update(state);
  }

  void set_decays() {
    T total = 0;
    for (std::int64_t r = 0; r < c_; ++r)
      log_[r] = total += in_.log_decay ? in_.log_decay[(first_ + r) * pairs_ + pair_] : T{0};
    for (std::int64_t r = 0; r < c_; ++r) {
      const T own = log_[r];
      T* decay = decay_ + r * c_;
      if (in_.log_decay) {
#pragma omp simd
        for (std::int64_t i = 0; i <= r; ++i) decay[i] = math::exp(own - log_[i]);
      } else {
        std::fill_n(decay, r + 1, T{1});
      }
      from_[r] = in_.log_decay ? math::exp(own) : T{1};
      to_[r] = in_.log_decay ? math::exp(total - own) : T{1};
    }
  }

  // x_ri *= decay_ri for the positions i up to r, or before it with `before` = 0; 0 for the others.
  void multiply_by_decay(T* x, std::int64_t before) const {
    for (std::int64_t r = 0; r < c_; ++r) {
      T* of_x = x + r * c_;
      const T* decay = decay_ + r * c_;
      const std::int64_t end = r + before;
#pragma omp simd
      for (std::int64_t i = 0; i < end; ++i) of_x[i] *= decay[i];
      std::fill(of_x + end, of_x + c_, T{0});
    }
  }

  // The gradient of multiply_by_decay(), where x is its result.
  void through_decay(const T* x, std::int64_t before, T* dx) {
    for (std::int64_t r = 0; r < c_; ++r) {
      const T *of_x = x + r * c_, *of_dx = dx + r * c_;
      const std::int64_t end = r + before;
      dlog_[r] += dot(of_x, of_dx, end);
#pragma omp simd
      for (std::int64_t i = 0; i < end; ++i) dlog_[i] -= of_x[i] * of_dx[i];
    }
    multiply_by_decay(dx, before);
  }

  // Solves for the u of the delta rule.
  void set_update(const T* state) {
    const std::int64_t key_row = pairs_ * k_;
    for (std::int64_t r = 0; r < c_; ++r) {
      axpy(k_, -from_[r], keys() + r * key_row, erase_ + r * k_, /*accumulate=*/false);
      std::copy_n(values() + r * pairs_ * v_, v_, error_ + r * v_);
    }
    product(Op::none, Op::none, c_, v_, k_, erase_, k_, state, v_, T{1}, error_, v_);
    product(Op::none, Op::transpose, c_, c_, k_, keys(), key_row, keys(), key_row, T{0}, products_,
            c_);
    multiply_by_decay(products_, 0);
    for (std::int64_t r = 0; r < c_; ++r) {
      axpy(v_, beta(r), error_ + r * v_, own_update_ + r * v_, /*accumulate=*/false);
      axpy(c_, -beta(r), products_ + r * c_, solver_ + r * c_, /*accumulate=*/false);
    }
    for (std::int64_t first = 0; first < c_; first += kBlock) {
      const std::int64_t last = std::min(c_, first + kBlock);
      if (first > 0)
        product(Op::none, Op::none, last - first, v_, first, solver_ + first * c_, c_, own_update_,
                v_, T{1}, own_update_ + first * v_, v_);
      for (std::int64_t r = first; r < last; ++r)
        for (std::int64_t i = first; i < r; ++i)
          axpy(v_, solver_[r * c_ + i], own_update_ + i * v_, own_update_ + r * v_);
    }
    update_ = own_update_, update_row_ = v_;
  }

  // From the gradient of u to those of the keys, values and beta. The system of equations is
  // transposed: it is solved from the last position to the first.
  void backward_update(const T* state, T* dstate, T* dkey, T* dvalue, T* dbeta) {
    for (std::int64_t last = c_; last > 0;) {
      const std::int64_t first = (last - 1) / kBlock * kBlock;
      if (last < c_)
        product(Op::transpose, Op::none, last - first, v_, c_ - last, solver_ + last * c_ + first,
                c_, dupdate_ + last * v_, v_, T{1}, dupdate_ + first * v_, v_);
      for (std::int64_t r = last - 1; r >= first; --r)
        for (std::int64_t later = r + 1; later < last; ++later)
          axpy(v_, solver_[later * c_ + r], dupdate_ + later * v_, dupdate_ + r * v_);
      last = first;
    }
    const std::int64_t row = pairs_ * v_, key_row = pairs_ * k_;
    product(Op::none, Op::transpose, c_, c_, v_, dupdate_, v_, own_update_, v_, T{0}, dproducts_,
            c_);
    for (std::int64_t r = 0; r < c_; ++r) {
      T* of_products = dproducts_ + r * c_;
      dbeta[r * pairs_] =
          dot(dupdate_ + r * v_, error_ + r * v_, v_) - dot(of_products, products_ + r * c_, r);
      axpy(r, -beta(r), dproducts_ + r * c_, of_products, /*accumulate=*/false);
      axpy(v_, beta(r), dupdate_ + r * v_, dvalue + r * row, /*accumulate=*/false);
    }
    through_decay(products_, 0, dproducts_);
    product(Op::none, Op::none, c_, k_, c_, dproducts_, c_, keys(), key_row, T{1}, dkey, key_row);
    product(Op::transpose, Op::none, c_, k_, c_, dproducts_, c_, keys(), key_row, T{1}, dkey,
            key_row);
    product(Op::none, Op::transpose, c_, k_, v_, dvalue, row, state, v_, T{0}, rows_, k_);
    for (std::int64_t r = 0; r < c_; ++r) {
      dlog_[r] += dot(erase_ + r * k_, rows_ + r * k_, k_);
      axpy(k_, -from_[r], rows_ + r * k_, dkey + r * key_row);
    }
    product(Op::transpose, Op::none, k_, v_, c_, erase_, k_, dvalue, row, T{1}, dstate, v_);
  }

  LinearAttentionInputs<T> in_;
  std::int64_t k_, v_, pairs_, most_;
  Array memory_;
  std::int64_t pair_ = 0, first_ = 0, c_ = 0;
  T *decay_, *scores_, *products_, *solver_, *dscores_, *dproducts_;  // [C, C]
  T *query_, *erase_, *late_, *rows_;  // [C, K]: from q, -from k, to k, and temporary values
  T *own_update_, *error_, *dupdate_;  // [C, V]: u, v minus what the state has, gradient of u
  T *log_, *from_, *to_, *dlog_;       // [C]: log from, and its gradient
  const T* update_ = nullptr;          // u, with rows
  std::int64_t update_row_ = 0;        // that many elements apart
};

// Calls body(chunk, pair) for each pair, on several threads.
template <typename T, typename Body>
void for_each_pair(const LinearAttentionSizes& n, const LinearAttentionInputs<T>& in,
                   const Body& body) {
  const std::int64_t chunk = std::min(n.steps, kChunk);
  const std::int64_t work =
      n.steps * (2 * n.state() + 2 * chunk * (n.key_features + n.value_features));
  const std::int64_t grain = std::max<std::int64_t>(1, (1 << 18) / std::max<std::int64_t>(1, work));
  parallel_for(n.pairs(), grain, [&](std::int64_t first, std::int64_t last) {
    Chunk<T> worker(n, in);
    for (std::int64_t pair = first; pair < last; ++pair) body(worker, pair);
  });
}

}  // namespace

std::int64_t linear_attention_chunks(std::int64_t steps) { return (steps + kChunk - 1) / kChunk; }

template <typename T>
void linear_attention_forward(const LinearAttentionSizes& n, const LinearAttentionInputs<T>& in,
                              T* state, T* starts, T* y) {
  for_each_pair(n, in, [&](Chunk<T>& chunk, std::int64_t pair) {
    T* of_pair = state + pair * n.state();
    for (std::int64_t c = 0; c < linear_attention_chunks(n.steps); ++c) {
      if (starts) std::copy_n(of_pair, n.state(), starts + (c * n.pairs() + pair) * n.state());
      chunk.forward(pair, c * kChunk, std::min(kChunk, n.steps - c * kChunk), of_pair, y);
    }
  });
}

template <typename T>
void linear_attention_backward(const LinearAttentionSizes& n, const LinearAttentionInputs<T>& in,
                               const T* starts, const T* dy, T* dstate,
                               const LinearAttentionGradients<T>& out) {
  for_each_pair(n, in, [&](Chunk<T>& chunk, std::int64_t pair) {
    for (std::int64_t c = linear_attention_chunks(n.steps) - 1; c >= 0; --c)
      chunk.backward(pair, c * kChunk, std::min(kChunk, n.steps - c * kChunk),
                     starts + (c * n.pairs() + pair) * n.state(), dy, dstate + pair * n.state(),
                     out);
  });
}

#define ATTUNE_INSTANTIATE(T)                                                                      \
  template void linear_attention_forward(const LinearAttentionSizes&,                              \
                                         const LinearAttentionInputs<T>&, T*, T*, T*);             \
  template void linear_attention_backward(const LinearAttentionSizes&,                             \
                                          const LinearAttentionInputs<T>&, const T*, const T*, T*, \
                                          const LinearAttentionGradients<T>&)
ATTUNE_INSTANTIATE(float);
ATTUNE_INSTANTIATE(double);
#undef ATTUNE_INSTANTIATE

}  // namespace attune::kernels
