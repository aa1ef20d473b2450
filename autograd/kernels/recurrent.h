#pragma once

#include <cstdint>

#include "attune/autograd/kernels/gemm.h"

/// Recurrent cells over whole sequences: rows of the batch are shared out over threads, and each
/// range of rows goes through all steps by itself, inputs and state together.
namespace attune::kernels {

enum class Cell { rnn_tanh, rnn_relu, gru, lstm };

constexpr std::int64_t gate_count(Cell cell) {
  return cell == Cell::lstm ? 4 : (cell == Cell::gru ? 3 : 1);
}

struct SequenceSizes {
  Cell cell;
  std::int64_t steps, batch, hidden;
  bool reverse;

  std::int64_t gates() const { return gate_count(cell) * hidden; }
  /// Where the state before and after step t lies in the [T+1, B, H] states.
  std::int64_t before(std::int64_t t) const { return reverse ? t + 1 : t; }
  std::int64_t after(std::int64_t t) const { return reverse ? t : t + 1; }
};

/// The weights as right operands: transposed for forward, as they lie for backward. Biases may be
/// nullptr, and so may `ih` where there is no x.
template <typename T>
struct SequenceWeights {
  std::shared_ptr<const PackedMatrix<T>> ih, hh;
  const T *bias_ih, *bias_hh;
};

/// What forward leaves for backward, where T is const. All are row-major.
template <typename T>
struct SequenceStates {
  T* h;            ///< [T+1, B, H]; the first state is set by the caller
  T* c;            ///< [T+1, B, H]; LSTM only
  T* gates;        ///< [T, B, G H]: after their non-linearity
  T* recurrent_n;  ///< [T, B, H]: W_hn h + b_hn; GRU only
};

/// Runs the cell over all steps. The gates' input is W_ih x of x [T, B, D], or what is known of it
/// before, `projected` [T, B, G H], or their sum; either may be nullptr. So may `lengths` [B]:
/// beyond its length a row's state stays, and what is left for backward is 0.
template <typename T>
void sequence_forward(const SequenceSizes& n, const std::int32_t* lengths,
                      const SequenceWeights<T>& weights, const T* x, const T* projected,
                      const SequenceStates<T>& states);

/// Where the gradients of sequence_backward() are, or go.
template <typename T>
struct SequenceGradients {
  const T* dy;   ///< [T, B, H]: of the states after each step; may be nullptr
  T *dh, *dc;    ///< [B, H]: in those of the last states, out those of the first
  T* dgates;     ///< [T, B, G H]: out those of the gates before their non-linearity
  T* dgates_hh;  ///< the same of the recurrent part, which differs in n; GRU only
  T* dx;         ///< [T, B, D]: out; may be nullptr
  bool add_to_dx;
};

/// Beyond a row's length dy may hold anything; the gradients there are 0.
template <typename T>
void sequence_backward(const SequenceSizes& n, const std::int32_t* lengths,
                       const SequenceWeights<T>& weights, const SequenceStates<const T>& states,
                       const SequenceGradients<T>& g);

}  // namespace attune::kernels
