#pragma once

#include "attune/autograd/array/indices.h"
#include "attune/autograd/tensor.h"

/// Recurrent cells, for one step and for whole sequences. Sequences are time-major [T, B, D].
/// Weights are laid out as in PyTorch: weight_ih [G H, D], weight_hh [G H, H], biases [G H], where
/// G gates are stacked: 1 (RNN), 3 in the order r, z, n (GRU), 4 in the order i, f, g, o (LSTM).
/// Biases are optional: either both are defined or neither.
namespace attune {

/// The parameters of one cell.
struct RecurrentWeights {
  Tensor weight_ih, weight_hh, bias_ih, bias_hh;
};

enum class RnnActivation { tanh, relu };

/// h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or with relu (Elman 1990). x [B, D], h [B, H] ->
/// [B, H]. Errors: ranks or sizes that do not match.
Tensor rnn_cell(const Tensor& x, const Tensor& h, const RecurrentWeights& weights,
                RnnActivation activation = RnnActivation::tanh);

/// r = sigmoid(W_ir x + b_ir + W_hr h + b_hr)
/// z = sigmoid(W_iz x + b_iz + W_hz h + b_hz)
/// n = tanh(W_in x + b_in + r * (W_hn h + b_hn))
/// h' = (1 - z) * n + z * h
/// (Cho et al. 2014, with the reset gate after the product). x [B, D], h [B, H] -> [B, H].
/// Errors: ranks or sizes that do not match.
Tensor gru_cell(const Tensor& x, const Tensor& h, const RecurrentWeights& weights);

struct LstmState {
  Tensor h, c;  ///< [B, H] each
};
/// i = sigmoid(W_ii x + b_ii + W_hi h + b_hi), and likewise f and o
/// g = tanh(W_ig x + b_ig + W_hg h + b_hg)
/// c' = f * c + i * g
/// h' = o * tanh(c')
/// (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000). x [B, D] and a
/// state -> the next state. Errors: ranks or sizes that do not match.
LstmState lstm_cell(const Tensor& x, const LstmState& state, const RecurrentWeights& weights);

/// The result over a whole sequence.
struct SequenceResult {
  Tensor output;  ///< [T, B, H]: the state after each step; 0 beyond a sequence's length
  Tensor h;       ///< [B, H]: the state after the last step of each sequence
  Tensor c;       ///< [B, H]: LSTM only
};

struct SequenceOptions {
  /// [B]. Beyond the length of a sequence its state does not change, and x and the gradient of the
  /// output have no influence, even if they are NaN. Not defined: all sequences have T steps.
  Indices lengths;
  /// Runs from the last step to the first; each sequence starts at its own last step.
  bool reverse = false;
};

/// The cells above over x [T, B, D], starting from h [B, H] (and c); a state that is not defined is
/// 0. Batch rows are independent, so they are divided among threads once for the whole sequence,
/// and the gradient of each weight is computed from all steps together.
/// Errors: ranks or sizes that do not match; lengths outside [0, T].
SequenceResult rnn_sequence(const Tensor& x, const Tensor& h, const RecurrentWeights& weights,
                            const SequenceOptions& options = {},
                            RnnActivation activation = RnnActivation::tanh);
SequenceResult gru_sequence(const Tensor& x, const Tensor& h, const RecurrentWeights& weights,
                            const SequenceOptions& options = {});
SequenceResult lstm_sequence(const Tensor& x, const LstmState& state,
                             const RecurrentWeights& weights, const SequenceOptions& options = {});

}  // namespace attune
