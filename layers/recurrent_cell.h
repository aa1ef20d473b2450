#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "attune/autograd/array/family.h"
#include "attune/autograd/ops/recurrent.h"
#include "attune/layers/layer.h"

namespace attune {

/// The state of a cell: h [B, H], and c [B, H] for cells that have one, such as an LSTM.
struct RecurrentState {
  Tensor h, c;
};

/// Base class of recurrent cells: operator() computes one step, and run() all steps of a sequence.
///
/// A new cell is a small class in a file of its own, of which only operator() is required (and
/// initial_state(), if the cell has a c), and a row of cells().
/// Errors: a size below 1; inputs whose sizes do not match.
class RecurrentCell : public Layer {
 public:
  /// One step: input x [B, D] and the previous state -> the next state.
  virtual RecurrentState operator()(const Tensor& x, const RecurrentState& state) const = 0;
  /// All steps of x [T, B, D], starting from `state`, or from initial_state() if its h is not
  /// defined. By default, this calls operator() for each step; a cell may override it with
  /// something faster.
  virtual SequenceResult run(const Tensor& x, const RecurrentState& state,
                             const SequenceOptions& options = {}) const;
  /// The state before the first step, for `batch` sequences. By default, h is 0 and there is no c.
  virtual RecurrentState initial_state(std::int64_t batch) const;

  std::int64_t input_size() const { return input_; }    ///< D
  std::int64_t hidden_size() const { return hidden_; }  ///< H

 protected:
  RecurrentCell(std::int64_t input, std::int64_t hidden);

 private:
  std::int64_t input_, hidden_;
};

using CellMaker =
    std::function<std::shared_ptr<RecurrentCell>(std::int64_t input, std::int64_t hidden)>;

/// The cells that can be chosen by name, each in a file of its own (rnn_cell.h, ...).
Family<CellMaker>& cells();
/// Makes the cell called `kind`. Errors: an unknown name (the message lists the valid ones); a size
/// below 1.
std::shared_ptr<RecurrentCell> make_cell(std::string_view kind, std::int64_t input,
                                         std::int64_t hidden);
/// The names that make_cell() accepts.
std::vector<std::string> cell_names();

}  // namespace attune
