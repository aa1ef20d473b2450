#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "attune/autograd/ops/recurrent.h"
#include "attune/layers/embedding.h"
#include "attune/layers/layer.h"

namespace attune {

/// What a cell hands from step to step: h [B, H], and c [B, H] for an LSTM only.
struct RecurrentState {
  Tensor h, c;
};

/// One step of a recurrent network, and the same over a whole sequence.
///
/// Parameters, with G gates stacked as in PyTorch: weight_ih [G H, D], weight_hh [G H, H], bias_ih
/// [G H], bias_hh [G H], all uniform in +-1 / sqrt(H).
/// Errors: a size below 1; inputs whose sizes do not fit.
class RecurrentCell : public Layer {
 public:
  /// One step: x [B, D] and the state before it -> the state after it. With what project() made of
  /// the input's first part, x is the rest.
  virtual RecurrentState operator()(const RecurrentInput& x, const RecurrentState& state) const = 0;
  /// All steps of x [T, B, D]; a state with undefined tensors starts at 0.
  virtual SequenceResult run(const RecurrentInput& x, const RecurrentState& state,
                             const SequenceOptions& options = {}) const = 0;
  /// What the gates take from the input's first part, of all steps at once: W_ih y for y [..., D'],
  /// or for the embedded ids [...], with W_ih's first D' columns -> [..., G H].
  ProjectedInput project(const Tensor& y) const;
  ProjectedInput project(const Embedding& embedding, const Indices& ids) const;
  /// Zeros for a batch of that size.
  virtual RecurrentState initial_state(std::int64_t batch) const;

  std::int64_t input_size() const { return weights_.weight_ih.size(1); }
  std::int64_t hidden_size() const { return weights_.weight_hh.size(1); }

 protected:
  RecurrentCell(std::int64_t input, std::int64_t hidden, std::int64_t gates);
  RecurrentWeights weights_;
};

/// h' = f(W_ih x + b_ih + W_hh h + b_hh) with f = tanh or relu (Elman 1990).
class RNNCell : public RecurrentCell {
 public:
  RNNCell(std::int64_t input, std::int64_t hidden, RnnActivation activation = RnnActivation::tanh)
      : RecurrentCell(input, hidden, 1), activation_(activation) {}
  RecurrentState operator()(const RecurrentInput& x, const RecurrentState& state) const override;
  SequenceResult run(const RecurrentInput& x, const RecurrentState& state,
                     const SequenceOptions& options = {}) const override;

 private:
  RnnActivation activation_;
};

/// r = sigmoid(W_ir x + b_ir + W_hr h + b_hr)         what to forget of h
/// z = sigmoid(W_iz x + b_iz + W_hz h + b_hz)         how much of h to keep
/// n = tanh(W_in x + b_in + r * (W_hn h + b_hn))      what is new
/// h' = (1 - z) * n + z * h
/// (Cho et al. 2014, with the reset gate after the product, as in cuDNN and PyTorch).
class GRUCell : public RecurrentCell {
 public:
  GRUCell(std::int64_t input, std::int64_t hidden) : RecurrentCell(input, hidden, 3) {}
  RecurrentState operator()(const RecurrentInput& x, const RecurrentState& state) const override;
  SequenceResult run(const RecurrentInput& x, const RecurrentState& state,
                     const SequenceOptions& options = {}) const override;
};

/// i, f, o = sigmoid(W_i. x + b_i. + W_h. h + b_h.)   input, forget and output gate
/// g = tanh(W_ig x + b_ig + W_hg h + b_hg)            what is new
/// c' = f * c + i * g
/// h' = o * tanh(c')
/// (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000).
class LSTMCell : public RecurrentCell {
 public:
  LSTMCell(std::int64_t input, std::int64_t hidden) : RecurrentCell(input, hidden, 4) {}
  RecurrentState operator()(const RecurrentInput& x, const RecurrentState& state) const override;
  SequenceResult run(const RecurrentInput& x, const RecurrentState& state,
                     const SequenceOptions& options = {}) const override;
  RecurrentState initial_state(std::int64_t batch) const override;
};

/// A cell by name: "rnn" (tanh), "rnn_relu", "gru" or "lstm". Errors: an unknown name; the message
/// lists the known ones.
std::shared_ptr<RecurrentCell> make_cell(std::string_view kind, std::int64_t input,
                                         std::int64_t hidden);
/// The names that make_cell() knows.
std::vector<std::string> cell_names();

}  // namespace attune
