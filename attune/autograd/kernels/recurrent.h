#pragma once

#include <cstdint>

/// Recurrent cells over whole sequences. The products of the inputs are already in `gates`; here
/// the state is carried from step to step.
namespace attune {

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

/// What forward leaves for backward. All are row-major.
template <typename T>
struct SequenceStates {
  T* h;            ///< [T+1, B, H]; the first state is set by the caller
  T* c;            ///< [T+1, B, H]; LSTM only
  T* gates;        ///< [T, B, G H]: in W_ih x + b_ih; out the gates after their non-linearity
  T* recurrent_n;  ///< [T, B, H]: W_hn h + b_hn; GRU only
};

/// Runs the cell over all steps. `bias_hh` may be nullptr; `lengths` [B] too: beyond its length a
/// row's state stays.
template <typename T>
void sequence_forward(const SequenceSizes& n, const std::int32_t* lengths, const T* weight_hh,
                      const T* bias_hh, const SequenceStates<T>& states);

/// Gradients of states and gates. On entry dh and dc [B, H] hold the gradients of the last states,
/// on return those of the first. dy [T, B, H] may be nullptr. dgates [T, B, G H] becomes the
/// gradient of the gates before their non-linearity; for a GRU, dgates_hh that of the recurrent
/// part, which differs in n.
template <typename T>
void sequence_backward(const SequenceSizes& n, const std::int32_t* lengths, const T* weight_hh,
                       const SequenceStates<T>& states, const T* dy, T* dh, T* dc, T* dgates,
                       T* dgates_hh);

}  // namespace attune
