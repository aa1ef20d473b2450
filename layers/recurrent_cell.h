#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "attune/autograd/array/family.h"
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

using CellMaker =
    std::function<std::shared_ptr<RecurrentCell>(std::int64_t input, std::int64_t hidden)>;

/// The cells that can be chosen by name, each in a file of its own (rnn_cell.h, ...).
Family<CellMaker>& cells();
/// A cell by name. Errors: an unknown name; the message lists the known ones.
std::shared_ptr<RecurrentCell> make_cell(std::string_view kind, std::int64_t input,
                                         std::int64_t hidden);
/// The names that make_cell() knows.
std::vector<std::string> cell_names();

}  // namespace attune
