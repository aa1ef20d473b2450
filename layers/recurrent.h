#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "attune/autograd/array/indices.h"
#include "attune/layers/dropout.h"
#include "attune/layers/embedding.h"
#include "attune/layers/recurrent_cell.h"
#include "attune/layers/stacked_outputs.h"

namespace attune {

struct RecurrentOptions {
  int layers = 1;
  bool bidirectional = false;
  double dropout = 0;                         ///< between layers, not after the last
  bool residual = false, layer_norm = false;  ///< see StackedOutputs
};

/// The result of a recurrent network over a sequence.
struct RecurrentResult {
  /// [T, B, H * directions]: the top layer's output after every step, forward beside backward; 0
  /// beyond a sequence's length. See StackedOutputs; by default, the states.
  Tensor output;
  /// The state after each sequence's last step, for every layer and direction: layer 0 forward,
  /// layer 0 backward (where there is one), layer 1 forward, ... The backward direction's last
  /// step is the sequence's first position.
  std::vector<RecurrentState> states;
};

/// One layer of a recurrent network: a cell that runs forward over the sequence and, if
/// bidirectional, another that runs backward (Schuster and Paliwal 1997).
/// Parameters: forward.weight_ih, ... and backward.weight_ih, ... as in RecurrentCell.
class RecurrentLayer : public Layer {
 public:
  RecurrentLayer(std::string_view kind, std::int64_t input, std::int64_t hidden,
                 bool bidirectional = false);
  /// x [T, B, input], lengths [B] (T if not defined), and an initial state for each direction (0 if
  /// empty).
  RecurrentResult operator()(const Tensor& x, const Indices& lengths = {},
                             const std::vector<RecurrentState>& initial = {}) const;

 private:
  friend class Recurrent;
  /// (*this)(embedding(ids), lengths), computed in less time.
  RecurrentResult of_tokens(const Embedding& embedding, const Indices& ids,
                            const Indices& lengths) const;

  std::vector<std::shared_ptr<RecurrentCell>> cells_;  // forward, backward
};

/// A recurrent network over whole sequences: stacked layers of a cell chosen by name, in one or two
/// directions, with dropout between the layers.
///
///     GRU encoder(64, 128, {.layers = 2, .bidirectional = true});
///     auto [output, states] = encoder(x, lengths);
///
/// Shapes: x [T, B, input], lengths [B] -> output [T, B, hidden * directions], states. What x holds
/// beyond a length, NaN included, has no influence on any value or gradient.
/// Parameters: layer0.forward.weight_ih, layer0.backward.weight_ih, layer1.forward.weight_ih, ...
/// as in RecurrentCell; with layer_norm, outputs.norm0.weight, ... as in StackedOutputs.
/// Errors: an unknown kind; fewer than one layer; a wrong number of initial states; lengths outside
/// [0, T].
class Recurrent : public Layer {
 public:
  Recurrent(std::string_view kind, std::int64_t input, std::int64_t hidden,
            const RecurrentOptions& options = {});
  /// `initial` holds a state for each layer and direction, in the order of RecurrentResult::states;
  /// empty means 0.
  RecurrentResult operator()(const Tensor& x, const Indices& lengths = {},
                             const std::vector<RecurrentState>& initial = {}) const;

  std::int64_t input_size() const { return input_; }
  std::int64_t hidden_size() const { return hidden_; }
  int layers() const { return static_cast<int>(layers_.size()); }
  int directions() const { return directions_; }
  /// The last axis of the output: hidden_size() * directions().
  std::int64_t output_size() const { return hidden_ * directions_; }

 private:
  friend class RecurrentEncoder;
  /// (*this)(embedding(ids), lengths), computed in less time.
  RecurrentResult of_tokens(const Embedding& embedding, const Indices& ids,
                            const Indices& lengths) const;
  /// The initial states of one layer.
  std::vector<RecurrentState> initial_of(int layer,
                                         const std::vector<RecurrentState>& initial) const;
  /// The output of the whole network, from the result of the first layer.
  RecurrentResult upper_layers(RecurrentResult result, const Indices& lengths,
                               const std::vector<RecurrentState>& initial) const;

  std::int64_t input_, hidden_;
  int directions_;
  std::vector<RecurrentLayer> layers_;
  StackedOutputs outputs_;
  Dropout dropout_;
};

/// Recurrent of RNNCell.
class RNN : public Recurrent {
 public:
  RNN(std::int64_t input, std::int64_t hidden, const RecurrentOptions& options = {},
      RnnActivation activation = RnnActivation::tanh)
      : Recurrent(activation == RnnActivation::relu ? "rnn_relu" : "rnn", input, hidden, options) {}
};

/// Recurrent of GRUCell.
class GRU : public Recurrent {
 public:
  GRU(std::int64_t input, std::int64_t hidden, const RecurrentOptions& options = {})
      : Recurrent("gru", input, hidden, options) {}
};

/// Recurrent of LSTMCell.
class LSTM : public Recurrent {
 public:
  LSTM(std::int64_t input, std::int64_t hidden, const RecurrentOptions& options = {})
      : Recurrent("lstm", input, hidden, options) {}
};

}  // namespace attune
