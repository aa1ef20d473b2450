#pragma once

#include <cstdint>

#include "attune/autograd/kernels/gemm.h"

/// Recurrent cells over whole sequences. Batch rows are split among threads; each thread computes
/// all steps of its rows, including the products with the input.
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
  /// Index of the state before and after step t in the states [T+1, B, H].
  std::int64_t before(std::int64_t t) const { return reverse ? t + 1 : t; }
  std::int64_t after(std::int64_t t) const { return reverse ? t : t + 1; }
};

/// The weights, packed as right operands of matrix products: transposed for the forward pass, not
/// transposed for the backward pass. Biases may be nullptr, and so may `ih` if there is no x.
template <typename T>
struct SequenceWeights {
  std::shared_ptr<const PackedMatrix<T>> ih, hh;
  const T *bias_ih, *bias_hh;
};

/// States and intermediate values, row-major: written by the forward pass, and read by the backward
/// pass as SequenceStates<const T>.
template <typename T>
struct SequenceStates {
  T* h;            ///< [T+1, B, H]; the initial state is set by the caller
  T* c;            ///< [T+1, B, H]; LSTM only
  T* gates;        ///< [T, B, G H]: after activation
  T* recurrent_n;  ///< [T, B, H]: W_hn h + b_hn; GRU only
};

/// Runs the cell over all steps. The input to the gates is W_ih x for x [T, B, D], or the
/// precomputed `projected` [T, B, G H], or the sum of both; one of them may be nullptr. With
/// `lengths` [B] (nullptr for none), a row's state is carried on unchanged beyond its length, where
/// the values saved for backward are 0.
template <typename T>
void sequence_forward(const SequenceSizes& n, const std::int32_t* lengths,
                      const SequenceWeights<T>& weights, const T* x, const T* projected,
                      const SequenceStates<T>& states);

/// Input and output gradients of sequence_backward().
template <typename T>
struct SequenceGradients {
  const T* dy;   ///< [T, B, H]: in, of the state after each step; may be nullptr
  T *dh, *dc;    ///< [B, H]: in, of the last state; out, of the initial state
  T* dgates;     ///< [T, B, G H]: out, of the gates before activation
  T* dgates_hh;  ///< [T, B, G H]: out, of W_hh h + b_hh; GRU only, where it differs in gate n
  T* dx;         ///< [T, B, D]: out, of x; may be nullptr
  bool add_to_dx;
};

/// The gradients of sequence_forward(). Beyond a row's length dy may hold anything, and the
/// gradients are 0.
template <typename T>
void sequence_backward(const SequenceSizes& n, const std::int32_t* lengths,
                       const SequenceWeights<T>& weights, const SequenceStates<const T>& states,
                       const SequenceGradients<T>& g);

}  // namespace attune::kernels
