#include "attune/autograd/ops/recurrent.h"

#include <cstring>
#include <utility>

#include "attune/autograd/kernels/gemm.h"
#include "attune/autograd/kernels/padding.h"
#include "attune/autograd/ops/projected_input.h"

namespace attune {

using namespace kernels;

namespace {

// Everything about one run of a cell over a sequence. A single cell is a sequence of one step.
struct Run {
  const char* name;
  SequenceSizes n;
  std::int64_t features;      // of x; 0 without
  std::int64_t first_column;  // of weight_ih's columns for x
  Indices lengths;
  bool single;  // a cell: x is [B, D], and there is no output beside the state

  bool is_lstm() const { return n.cell == Cell::lstm; }
  const std::int32_t* lengths_data() const { return lengths.defined() ? lengths.data() : nullptr; }
};

template <typename T>
const T* data_or_null(const Array& x) {
  return x.defined() ? x.data<T>() : nullptr;
}

template <typename T>
T* mutable_data_or_null(Array& x) {
  return x.defined() ? x.mutable_data<T>() : nullptr;
}

// What forward keeps for backward.
struct Kept {
  Saved x, weight_ih, weight_hh;
  Saved h, c;                // results are views of these
  Array gates, recurrent_n;  // never seen outside
  Shape projected;           // of the input's known part

  template <typename T>
  SequenceStates<const T> states() const {
    return {data_or_null<T>(*h), data_or_null<T>(*c), data_or_null<T>(gates),
            data_or_null<T>(recurrent_n)};
  }
};

// Inputs of the recorded operation, in this order.
enum { kX, kProjected, kH, kC, kWeightIh, kWeightHh, kBiasIh, kBiasHh };

void check_operand(const Run& run, const char* what, const Tensor& operand, const Shape& expected,
                   DType dtype) {
  if (!operand.defined()) return;
  ATTUNE_CHECK(operand.shape() == expected, "{}: {} must be {}; got {}", run.name, what, expected,
               operand.shape());
  ATTUNE_CHECK(operand.dtype() == dtype, "{}: {} is {}, but weight_hh is {}; convert one with to()",
               run.name, what, name_of(operand.dtype()), name_of(dtype));
}

// The weights say how many hidden units there are and how many features x has.
void check_weights(const char* name, Cell cell, const RecurrentWeights& w) {
  ATTUNE_CHECK(w.weight_hh.rank() == 2 && w.weight_ih.rank() == 2,
               "{}: weight_ih and weight_hh must have two axes; got {} and {}", name,
               w.weight_ih.shape(), w.weight_hh.shape());
  const std::int64_t gates = gate_count(cell), hidden = w.weight_hh.shape()[1];
  ATTUNE_CHECK(w.weight_hh.shape()[0] == gates * hidden && w.weight_ih.shape()[0] == gates * hidden,
               "{}: weight_ih {} and weight_hh {} do not match; for {} hidden units, the "
               "columns of weight_hh, both must have {} rows, {} for each unit",
               name, w.weight_ih.shape(), w.weight_hh.shape(), hidden, gates * hidden, gates);
}

Run plan(const char* name, Cell cell, bool single, const RecurrentInput& input,
         const LstmState& state, const RecurrentWeights& w, const SequenceOptions& options) {
  const auto& [part, known] = input;
  ATTUNE_CHECK(part.defined() || known.gates.defined(), "{}: no input given", name);
  const Tensor& x = part.defined() ? part : known.gates;
  ATTUNE_CHECK(x.rank() == (single ? 2 : 3), "{}: {} must be {}; got {}", name,
               part.defined() ? "x" : "the known part of the input",
               single ? "[B, D]" : "[T, B, D], time first", x.shape());
  check_weights(name, cell, w);
  const std::int64_t features = part.defined() ? part.shape().last() : 0;
  ATTUNE_CHECK(!known.gates.defined() || known.columns + features == w.weight_ih.shape()[1],
               "{}: {} columns of weight_ih {} are taken by the known part of the input, and x has "
               "{} features; together they must be {}",
               name, known.columns, w.weight_ih.shape(), features, w.weight_ih.shape()[1]);
  ATTUNE_CHECK(
      known.gates.defined() || features == w.weight_ih.shape()[1],
      "{}: x {} has {} features but weight_ih {} is for {}; the last axis of x must be the "
      "size of the inputs that the weights were made for",
      name, x.shape(), features, w.weight_ih.shape(), w.weight_ih.shape()[1]);
  const DType dtype = w.weight_hh.dtype();
  ATTUNE_CHECK(x.dtype() == dtype, "{}: {} is {}, but the weights are {}; convert it with to()",
               name, part.defined() ? "x" : "the known part of the input", name_of(x.dtype()),
               name_of(dtype));
  Run run{name, {}, features, known.columns, options.lengths, single};
  run.n = {cell, single ? 1 : x.shape()[0], x.shape().last(1), w.weight_hh.shape()[1],
           options.reverse};
  const Shape state_shape{run.n.batch, run.n.hidden};
  Shape gates = x.shape();
  gates[gates.rank() - 1] = run.n.gates();
  check_operand(run, "the known part of the input", known.gates, gates, dtype);
  check_operand(run, "weight_ih", w.weight_ih, w.weight_ih.shape(), dtype);
  check_operand(run, "bias_ih", w.bias_ih, {run.n.gates()}, dtype);
  check_operand(run, "bias_hh", w.bias_hh, {run.n.gates()}, dtype);
  check_operand(run, "state h", state.h, state_shape, dtype);
  check_operand(run, "state c", state.c, state_shape, dtype);
  ATTUNE_CHECK(w.bias_ih.defined() == w.bias_hh.defined(),
               "{}: bias_ih and bias_hh must both be given; one of them is missing", name);
  check_lengths(name, run.lengths, run.n.steps, run.n.batch);
  return run;
}

// [T+1, B, H] with the state to start from in its place.
Array states_from(const Run& run, const Tensor& start, DType dtype) {
  Array states(Shape{run.n.steps + 1, run.n.batch, run.n.hidden}, dtype);
  Array first = states[run.n.reverse ? run.n.steps : 0];
  if (start.defined())
    std::memcpy(first.mutable_raw(), start.value().raw(), first.bytes());
  else
    std::memset(first.mutable_raw(), 0, first.bytes());
  return states;
}

Array last_of(const Run& run, const Array& states) {
  return states[run.n.reverse ? 0 : run.n.steps];
}

// The states after each step, with zeros beyond the lengths.
Array output_of(const Run& run, const Array& states) {
  return clear_padding(states.block(run.n.reverse ? 0 : 1, run.n.steps), run.lengths);
}

template <typename T>
std::shared_ptr<const PackedMatrix<T>> input_weight(const Run& run, const Array& x,
                                                    const Array& weight_ih, Op op) {
  if (!x.defined()) return nullptr;
  return packed<T>(op, weight_ih, run.first_column, run.features);
}

template <typename T>
void forward(const Run& run, const RecurrentWeights& w, const RecurrentInput& input,
             const SequenceStates<T>& states) {
  const Array& x = input.x.value();
  sequence_forward<T>(run.n, run.lengths_data(),
                      {input_weight<T>(run, x, w.weight_ih.value(), Op::transpose),
                       packed<T>(Op::transpose, w.weight_hh.value()),
                       data_or_null<T>(w.bias_ih.value()), data_or_null<T>(w.bias_hh.value())},
                      data_or_null<T>(x), data_or_null<T>(input.known.gates.value()), states);
}

template <typename T>
void backward(const Run& run, const Kept& kept, Grads& g) {
  const Shape state{run.n.batch, run.n.hidden};
  const Shape gates{run.n.steps, run.n.batch, run.n.gates()};
  const DType dtype = dtype_of<T>;
  // Outputs: state h, sequence (none for a cell), state c (LSTM).
  const int c_output = run.single ? 1 : 2;
  Array dh = g.has_dy(0) ? g.dy(0).clone() : Array::zeros(state, dtype);
  Array dc = run.is_lstm() && g.has_dy(c_output) ? g.dy(c_output).clone()
             : run.is_lstm()                     ? Array::zeros(state, dtype)
                                                 : Array();
  const Array dy = !run.single && g.has_dy(1) ? g.dy(1) : Array();
  Array dgates(gates, dtype);
  Array dgates_hh = run.n.cell == Cell::gru ? Array(gates, dtype) : Array();
  const auto data = mutable_data_or_null<T>;
  Into dx = g.needs(kX) ? g.into(kX) : Into{};
  sequence_backward<T>(run.n, run.lengths_data(),
                       {input_weight<T>(run, *kept.x, *kept.weight_ih, Op::none),
                        packed<T>(Op::none, *kept.weight_hh),
                        {},
                        {}},
                       kept.states<T>(),
                       {data_or_null<T>(dy), data(dh), data(dc), data(dgates), data(dgates_hh),
                        data(dx.buffer), dx.accumulate});
  // The gates' gradients are 0 in the padding, so those rows of x and h take no part.
  g.add_affine(kWeightIh, kBiasIh, dgates, *kept.x, run.first_column);
  g.add_affine(kWeightHh, kBiasHh, dgates_hh.defined() ? dgates_hh : dgates,
               kept.h->block(run.n.before(0), run.n.steps));
  if (g.needs(kProjected)) g.add(kProjected, dgates.reshape(kept.projected));
  g.add(kH, std::move(dh));
  if (dc.defined()) g.add(kC, std::move(dc));
}

SequenceResult run_cell(const char* name, Cell cell, bool single, const RecurrentInput& input,
                        const LstmState& state, const RecurrentWeights& w,
                        const SequenceOptions& options) {
  const Run run = plan(name, cell, single, input, state, w, options);
  const Tensor &x = input.x, &projected = input.known.gates;
  const DType dtype = w.weight_ih.dtype();
  Array h = states_from(run, state.h, dtype), c, recurrent_n;
  if (run.is_lstm()) c = states_from(run, state.c, dtype);
  Array gates(Shape{run.n.steps, run.n.batch, run.n.gates()}, dtype);
  if (cell == Cell::gru) recurrent_n = Array(Shape{run.n.steps, run.n.batch, run.n.hidden}, dtype);
  dispatch(dtype, [&](auto type) {
    using T = decltype(type);
    forward<T>(run, w, input,
               {h.mutable_data<T>(), mutable_data_or_null<T>(c), gates.mutable_data<T>(),
                mutable_data_or_null<T>(recurrent_n)});
  });

  std::vector<Array> results{last_of(run, h)};
  if (!single) results.push_back(output_of(run, h));
  if (run.is_lstm()) results.push_back(last_of(run, c));
  const Kept kept{x, w.weight_ih, w.weight_hh, h,
                  c, gates,       recurrent_n, projected.defined() ? projected.shape() : Shape{}};
  const std::vector<Tensor> recorded = record(
      name, results,
      {x, projected, state.h, state.c, w.weight_ih, w.weight_hh, w.bias_ih, w.bias_hh},
      [run, kept](Grads& g) {
        dispatch(kept.h->dtype(), [&](auto type) { backward<decltype(type)>(run, kept, g); });
      });
  SequenceResult result;
  result.h = recorded[0];
  if (!single) result.output = recorded[1];
  if (run.is_lstm()) result.c = recorded.back();
  return result;
}

Cell rnn(RnnActivation activation) {
  return activation == RnnActivation::tanh ? Cell::rnn_tanh : Cell::rnn_relu;
}

// The public functions' names, by which their errors begin.
const char* cell_name(Cell cell) {
  return cell == Cell::lstm ? "lstm_cell" : (cell == Cell::gru ? "gru_cell" : "rnn_cell");
}
const char* sequence_name(Cell cell) {
  return cell == Cell::lstm ? "lstm_sequence"
                            : (cell == Cell::gru ? "gru_sequence" : "rnn_sequence");
}

}  // namespace

LstmState recurrent_cell(Cell cell, const RecurrentInput& x, const LstmState& state,
                         const RecurrentWeights& weights) {
  SequenceResult result = run_cell(cell_name(cell), cell, true, x, state, weights, {});
  return {std::move(result.h), std::move(result.c)};
}

SequenceResult recurrent_sequence(Cell cell, const RecurrentInput& x, const LstmState& state,
                                  const RecurrentWeights& weights, const SequenceOptions& options) {
  return run_cell(sequence_name(cell), cell, false, x, state, weights, options);
}

Tensor rnn_cell(const Tensor& x, const Tensor& h, const RecurrentWeights& weights,
                RnnActivation activation) {
  return recurrent_cell(rnn(activation), {x}, {h, {}}, weights).h;
}

Tensor gru_cell(const Tensor& x, const Tensor& h, const RecurrentWeights& weights) {
  return recurrent_cell(Cell::gru, {x}, {h, {}}, weights).h;
}

LstmState lstm_cell(const Tensor& x, const LstmState& state, const RecurrentWeights& weights) {
  return recurrent_cell(Cell::lstm, {x}, state, weights);
}

SequenceResult rnn_sequence(const Tensor& x, const Tensor& h, const RecurrentWeights& weights,
                            const SequenceOptions& options, RnnActivation activation) {
  return recurrent_sequence(rnn(activation), {x}, {h, {}}, weights, options);
}

SequenceResult gru_sequence(const Tensor& x, const Tensor& h, const RecurrentWeights& weights,
                            const SequenceOptions& options) {
  return recurrent_sequence(Cell::gru, {x}, {h, {}}, weights, options);
}

SequenceResult lstm_sequence(const Tensor& x, const LstmState& state,
                             const RecurrentWeights& weights, const SequenceOptions& options) {
  return recurrent_sequence(Cell::lstm, {x}, state, weights, options);
}

}  // namespace attune
