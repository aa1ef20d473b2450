#include <cmath>
#include <limits>

#include "attune/autograd/all.h"
#include "attune/models/all.h"
#include "catch.h"

using namespace attune;

namespace {

// An LSTM of basic operations, like a user-defined cell: it inherits RecurrentCell::run().
class PlainLstm : public RecurrentCell {
 public:
  PlainLstm(std::int64_t input, std::int64_t hidden)
      : RecurrentCell(input, hidden),
        weight_ih_(param("weight_ih", {4 * hidden, input}, normal())),
        weight_hh_(param("weight_hh", {4 * hidden, hidden}, normal())),
        bias_ih_(param("bias_ih", {4 * hidden}, normal())),
        bias_hh_(param("bias_hh", {4 * hidden}, normal())) {}

  RecurrentState operator()(const Tensor& x, const RecurrentState& state) const override {
    const Tensor gates = linear(x, weight_ih_, bias_ih_) + linear(state.h, weight_hh_, bias_hh_);
    const std::int64_t n = hidden_size();
    const auto gate = [&](std::int64_t i) { return slice(gates, -1, i * n, (i + 1) * n); };
    const Tensor c = sigmoid(gate(1)) * state.c + sigmoid(gate(0)) * tanh(gate(2));
    return {sigmoid(gate(3)) * tanh(c), c};
  }
  RecurrentState initial_state(std::int64_t batch) const override {
    const Array zeros = RecurrentCell::initial_state(batch).h.value();
    return {zeros, zeros};
  }

 private:
  Tensor weight_ih_, weight_hh_, bias_ih_, bias_hh_;
};

void add_plain_lstm() {
  static const bool added = [] {
    cells().add({"plain_lstm", "an LSTM of plain operations", "this test",
                 [](std::int64_t input, std::int64_t hidden) {
                   return std::make_shared<PlainLstm>(input, hidden);
                 }});
    return true;
  }();
  REQUIRE(added);
}

void check_close(const Array& a, const Array& b) {
  REQUIRE(a.shape() == b.shape());
  REQUIRE(a.dtype() == DType::f64);
  for (std::int64_t i = 0; i < a.elements(); ++i)
    CHECK(a.data<double>()[i] == Approx(b.data<double>()[i]).margin(1e-12));
}

void check_gradients(const Layer& a, const Layer& b) {
  const auto first = a.parameters(), second = b.parameters();
  REQUIRE(first.size() == second.size());
  for (std::size_t i = 0; i < first.size(); ++i) {
    INFO(first[i].name);
    CHECK(first[i].name == second[i].name);
    check_close(first[i].value.grad(), second[i].value.grad());
  }
}

Array random(const Shape& shape) {
  Array values(shape, DType::f64);
  generator().uniform(values, -1, 1);
  return values;
}

}  // namespace

TEST_CASE("a user-defined cell runs over sequences like the library's cells") {
  add_plain_lstm();
  const DefaultDType f64(DType::f64);
  const RecurrentOptions options{.layers = 2, .bidirectional = true};
  const Recurrent own("plain_lstm", 3, 4, options), library("lstm", 3, 4, options);
  Recurrent(library).load(own.values());
  const Indices lengths{5, 0, 3};
  Array data = random({5, 3, 3});
  // What lies beyond a length has no influence.
  for (std::int64_t t = 0; t < 5; ++t)
    for (std::int64_t b = 0; b < 3; ++b)
      for (std::int64_t i = 0; t >= lengths.at(b) && i < 3; ++i)
        data.mutable_data<double>()[(t * 3 + b) * 3 + i] = std::numeric_limits<double>::quiet_NaN();
  const Array cotangent = random({5, 3, 8});
  const auto run = [&](const Recurrent& network) {
    const Tensor x = Tensor::parameter(data);
    const auto [output, states] = network(x, lengths);
    Tensor loss = sum(output * cotangent);
    for (const RecurrentState& state : states) loss = loss + sum(square(state.h) + state.c);
    loss.backward();
    return std::pair(output.value(), x.grad());
  };
  const auto [own_output, own_gradient] = run(own);
  const auto [output, gradient] = run(library);
  check_close(own_output, output);
  check_close(own_gradient, gradient);
  check_gradients(own, library);
}

TEST_CASE("a model with user-defined cells computes the same as with the library's cells") {
  add_plain_lstm();
  const DefaultDType f64(DType::f64);
  const auto make = [](const std::string& cell) {
    return make_model({.source_vocabulary = 9,
                       .target_vocabulary = 8,
                       .cell = cell,
                       .layers = 2,
                       .embedding = 3,
                       .hidden = 4});
  };
  const auto own = make("plain_lstm"), library = make("lstm");
  library->load(own->values());
  const std::vector<Example> examples{{{4, 5, 6}, {4, 5}}, {{7}, {6, 7, 5, 4}}};
  const Batch batch = make_batch(examples);
  const Tensor loss = own->loss(batch), expected = library->loss(batch);
  CHECK(loss.item() == Approx(expected.item()).epsilon(1e-12));
  loss.backward();
  expected.backward();
  check_gradients(*own, *library);
}

TEST_CASE("mismatched arguments of a user-defined cell are an error") {
  const PlainLstm cell(3, 4);
  CHECK_THROWS_WITH(cell.run(Array::zeros({2, 3}), {}),
                    "recurrent cell: x must be [T, B, 3], time first; got [2, 3]");
  CHECK_THROWS_WITH(PlainLstm(3, 0), "recurrent cell: 0 hidden units; expected at least 1");
  CHECK_THROWS_WITH(PlainLstm(0, 3), "recurrent cell: 0 inputs; expected at least 1");
  const SequenceResult nothing = cell.run(Array::zeros({0, 2, 3}), {});
  CHECK(nothing.output.shape() == Shape{0, 2, 4});
  CHECK(nothing.h.shape() == Shape{2, 4});
}
