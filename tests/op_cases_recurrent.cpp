#include <cmath>

#include "attune/autograd/ops/projected_input.h"
#include "op_cases.h"

using namespace attune;

namespace {

constexpr std::size_t kSteps = 4, kBatch = 3, kFeatures = 2, kHidden = 5;

double sigmoid_of(double x) { return 1 / (1 + std::exp(-x)); }

// Which cell, on which operands: x, h, (c for an LSTM), weight_ih, weight_hh, bias_ih, bias_hh.
struct CellKind {
  std::string name;
  std::size_t gates;
  bool has_c() const { return gates == 4; }
  std::size_t weights() const { return has_c() ? 3 : 2; }  // the first operand that is a weight
};

RecurrentWeights weights_of(const CellKind& kind, const Operands& x) {
  const std::size_t w = kind.weights();
  return {x[w], x[w + 1], x[w + 2], x[w + 3]};
}

// One step of one row by the equations, from h and c in place.
void step(const CellKind& kind, const double* x, const std::vector<Numbers>& operands, Numbers& h,
          Numbers& c) {
  const std::size_t w = kind.weights();
  // The input's and the state's part of gate g's unit i.
  const auto input = [&](std::size_t g, std::size_t i) {
    const std::size_t row = g * kHidden + i;
    double total = operands[w + 2][row];
    for (std::size_t j = 0; j < kFeatures; ++j) total += operands[w][row * kFeatures + j] * x[j];
    return total;
  };
  const Numbers before = h;
  const auto state = [&](std::size_t g, std::size_t i) {
    const std::size_t row = g * kHidden + i;
    double total = operands[w + 3][row];
    for (std::size_t j = 0; j < kHidden; ++j)
      total += operands[w + 1][row * kHidden + j] * before[j];
    return total;
  };
  for (std::size_t i = 0; i < kHidden; ++i) {
    const auto both = [&](std::size_t g) { return input(g, i) + state(g, i); };
    if (kind.name == "rnn") h[i] = std::tanh(both(0));
    if (kind.name == "rnn with relu") h[i] = std::max(0.0, both(0));
    if (kind.name == "gru") {
      const double r = sigmoid_of(both(0)), z = sigmoid_of(both(1));
      const double n = std::tanh(input(2, i) + r * state(2, i));
      h[i] = (1 - z) * n + z * before[i];
    }
    if (kind.name == "lstm") {
      c[i] = sigmoid_of(both(1)) * c[i] + sigmoid_of(both(0)) * std::tanh(both(2));
      h[i] = sigmoid_of(both(3)) * std::tanh(c[i]);
    }
  }
}

// A whole sequence: its output, then the last h, then the last c.
Numbers run(const CellKind& kind, std::size_t steps, const std::vector<std::int32_t>& lengths,
            bool reverse, bool with_output, const std::vector<Numbers>& operands) {
  Numbers output(with_output ? steps * kBatch * kHidden : 0), last_h, last_c;
  for (std::size_t b = 0; b < kBatch; ++b) {
    const auto row_of = [&](const Numbers& all) {
      return Numbers(all.begin() + static_cast<std::ptrdiff_t>(b * kHidden),
                     all.begin() + static_cast<std::ptrdiff_t>((b + 1) * kHidden));
    };
    Numbers h = row_of(operands[1]), c = kind.has_c() ? row_of(operands[2]) : Numbers();
    const std::size_t length = lengths.empty() ? steps : static_cast<std::size_t>(lengths[b]);
    for (std::size_t i = 0; i < length; ++i) {
      const std::size_t t = reverse ? length - 1 - i : i;
      step(kind, &operands[0][(t * kBatch + b) * kFeatures], operands, h, c);
      for (std::size_t j = 0; with_output && j < kHidden; ++j)
        output[(t * kBatch + b) * kHidden + j] = h[j];
    }
    last_h.insert(last_h.end(), h.begin(), h.end());
    last_c.insert(last_c.end(), c.begin(), c.end());
  }
  output.insert(output.end(), last_h.begin(), last_h.end());
  output.insert(output.end(), last_c.begin(), last_c.end());
  return output;
}

std::vector<Shape> shapes(const CellKind& kind, Shape x, std::int64_t hidden) {
  const std::int64_t features = x.last(), batch = x.last(1);
  const auto gates = static_cast<std::int64_t>(kind.gates) * hidden;
  std::vector<Shape> all{x, {batch, hidden}};
  if (kind.has_c()) all.push_back({batch, hidden});
  for (const Shape& weight : {Shape{gates, features}, {gates, hidden}, {gates}, {gates}})
    all.push_back(weight);
  return all;
}

std::vector<Operand> operands(const CellKind& kind, const Shape& x) {
  std::vector<Operand> all;
  for (const Shape& shape : shapes(kind, x, kHidden)) all.push_back({shape});
  return all;
}

// How much of the input is multiplied by weight_ih beforehand.
enum class Known { nothing, first_feature, all };

RecurrentInput input_of(const CellKind& kind, const Operands& x, Known known) {
  const Tensor& weight_ih = x[kind.weights()];
  if (known == Known::all) return {Tensor(), {linear(x[0], weight_ih, {}, 0), x[0].shape().last()}};
  const int last = x[0].rank() - 1;
  return {slice(x[0], last, 1, x[0].size(last)),
          {linear(slice(x[0], last, 0, 1), weight_ih, {}, 0), 1}};
}

std::string describe(Known known) {
  return known == Known::nothing ? ""
         : known == Known::all   ? " with its input known"
                                 : " with a part of its input known";
}

kernels::Cell cell_of(const CellKind& kind) {
  return kind.name == "lstm"  ? kernels::Cell::lstm
         : kind.name == "gru" ? kernels::Cell::gru
         : kind.name == "rnn" ? kernels::Cell::rnn_tanh
                              : kernels::Cell::rnn_relu;
}

RnnActivation activation_of(const CellKind& kind) {
  return kind.name == "rnn" ? RnnActivation::tanh : RnnActivation::relu;
}

// By the public functions where nothing of the input is known.
LstmState call_cell(const CellKind& kind, const Operands& x, const LstmState& state, Known known) {
  const RecurrentWeights weights = weights_of(kind, x);
  if (known != Known::nothing)
    return recurrent_cell(cell_of(kind), input_of(kind, x, known), state, weights);
  if (kind.name == "lstm") return lstm_cell(x[0], state, weights);
  if (kind.name == "gru") return {gru_cell(x[0], state.h, weights), {}};
  return {rnn_cell(x[0], state.h, weights, activation_of(kind)), {}};
}

SequenceResult call_sequence(const CellKind& kind, const Operands& x, const LstmState& state,
                             const SequenceOptions& options, Known known) {
  const RecurrentWeights weights = weights_of(kind, x);
  if (known != Known::nothing)
    return recurrent_sequence(cell_of(kind), input_of(kind, x, known), state, weights, options);
  if (kind.name == "lstm") return lstm_sequence(x[0], state, weights, options);
  if (kind.name == "gru") return gru_sequence(x[0], state.h, weights, options);
  return rnn_sequence(x[0], state.h, weights, options, activation_of(kind));
}

LstmState state_of(const CellKind& kind, const Operands& x) {
  return {x[1], kind.has_c() ? x[2] : Tensor()};
}

Results apply_cell(const CellKind& kind, const Operands& x, Known known) {
  const LstmState next = call_cell(kind, x, state_of(kind, x), known);
  return kind.has_c() ? Results{next.h, next.c} : Results{next.h};
}

Results apply_sequence(const CellKind& kind, const Operands& x, const SequenceOptions& options,
                       Known known) {
  const SequenceResult result = call_sequence(kind, x, state_of(kind, x), options, known);
  return kind.has_c() ? Results{result.output, result.h, result.c}
                      : Results{result.output, result.h};
}

OpCase cell_case(const CellKind& kind, Known known = Known::nothing) {
  return {kind.name + " cell" + describe(known), operands(kind, {kBatch, kFeatures}),
          shapes(kind, {67, 65}, 129),
          [=](const Operands& x) { return apply_cell(kind, x, known); },
          [=](const std::vector<Numbers>& x) { return run(kind, 1, {}, false, false, x); }};
}

OpCase sequence_case(const CellKind& kind, bool with_lengths, bool reverse,
                     Known known = Known::nothing) {
  const auto lengths = [=](std::int64_t steps, std::int64_t batch) {
    return with_lengths ? some_lengths(batch, steps) : Indices();
  };
  return {kind.name + " sequence" + (with_lengths ? " with lengths" : "") +
              (reverse ? " in reverse" : "") + describe(known),
          operands(kind, {kSteps, kBatch, kFeatures}), shapes(kind, {7, 67, 33}, 65),
          [=](const Operands& x) {
            return apply_sequence(kind, x, {lengths(x[0].size(0), x[0].size(1)), reverse}, known);
          },
          [=](const std::vector<Numbers>& x) {
            const auto values =
                with_lengths ? lengths(kSteps, kBatch).to_vector() : std::vector<std::int32_t>();
            return run(kind, kSteps, values, reverse, true, x);
          }};
}

// A GRU of D = 2 and H = 5 on x [4, 3, 2], with one thing changed.
std::vector<BadCall> bad_gru_calls() {
  const auto gru = [](const Tensor& x, const Tensor& h, const Tensor& weight_ih,
                      const Tensor& bias_hh, const Indices& lengths) {
    gru_sequence(x, h, {weight_ih, of({15, 5}), of({15}), bias_hh}, {lengths});
  };
  return {
      {"gru_sequence: x must be [T, B, D], time first; got [3, 2]",
       [=] {
         gru(of({3, 2}), {}, of({15, 2}), of({15}), {});
       }},
      {"gru_sequence: x [4, 3, 2] has 2 features but weight_ih [15, 3] is for 3; the last axis of "
       "x "
       "must be the size of the inputs that the weights were made for",
       [=] {
         gru(of({4, 3, 2}), {}, of({15, 3}), of({15}), {});
       }},
      {"gru_sequence: weight_ih [14, 2] and weight_hh [15, 5] do not match; for 5 hidden "
       "units, the columns of weight_hh, both must have 15 rows, 3 for each unit",
       [=] {
         gru(of({4, 3, 2}), {}, of({14, 2}), of({15}), {});
       }},
      {"gru_sequence: x is f64, but the weights are f32; convert it with to()",
       [=] {
         gru(of({4, 3, 2}, DType::f64), {}, of({15, 2}), of({15}), {});
       }},
      {"gru_sequence: bias_hh must be [15]; got [5]",
       [=] {
         gru(of({4, 3, 2}), {}, of({15, 2}), of({5}), {});
       }},
      {"gru_sequence: state h must be [3, 5]; got [3, 4]",
       [=] {
         gru(of({4, 3, 2}), of({3, 4}), of({15, 2}), of({15}), {});
       }},
      {"gru_sequence: bias_ih and bias_hh must both be given; one of them is missing",
       [=] {
         gru(of({4, 3, 2}), {}, of({15, 2}), {}, {});
       }},
      {"gru_sequence: lengths must be [3], one for each sequence; got [2]",
       [=] {
         gru(of({4, 3, 2}), {}, of({15, 2}), of({15}), {1, 2});
       }},
      {"gru_sequence: no input given",
       [] {
         gru_sequence(Tensor(), {}, {of({15, 2}), of({15, 5}), {}, {}});
       }},
      {"gru_sequence: the known part of the input must be [4, 3, 15]; got [4, 3, 14]",
       [] {
         recurrent_sequence(kernels::Cell::gru, {of({4, 3, 2}), {of({4, 3, 14}), 1}}, {},
                            {of({15, 3}), of({15, 5}), {}, {}});
       }},
      {"gru_sequence: the known part of the input must be [T, B, D], time first; got [3, 15]",
       [] {
         recurrent_sequence(kernels::Cell::gru, {Tensor(), {of({3, 15}), 3}}, {},
                            {of({15, 3}), of({15, 5}), {}, {}});
       }},
      {"gru_sequence: 1 columns of weight_ih [15, 4] are taken by the known part of the input, "
       "and x has 2 features; together they must be 4",
       [] {
         recurrent_sequence(kernels::Cell::gru, {of({4, 3, 2}), {of({4, 3, 15}), 1}}, {},
                            {of({15, 4}), of({15, 5}), {}, {}});
       }},
      {"gru_sequence: length 5 of sequence 1 is outside [0, 4]", [=] {
         gru(of({4, 3, 2}), {}, of({15, 2}), of({15}), {1, 5, 2});
       }}};
}

}  // namespace

std::vector<OpCase> recurrent_cases() {
  std::vector<OpCase> cases;
  for (const CellKind& kind : {CellKind{"rnn", 1}, {"rnn with relu", 1}, {"gru", 3}, {"lstm", 4}}) {
    cases.push_back(cell_case(kind));
    for (const bool with_lengths : {false, true})
      for (const bool reverse : {false, true})
        cases.push_back(sequence_case(kind, with_lengths, reverse));
    if (kind.name == "gru") cases.back().bad_calls = bad_gru_calls();
    for (const Known known : {Known::first_feature, Known::all}) {
      cases.push_back(cell_case(kind, known));
      cases.push_back(sequence_case(kind, true, false, known));
      cases.push_back(sequence_case(kind, true, true, known));
    }
  }
  return cases;
}
