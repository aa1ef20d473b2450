#include <cmath>
#include <cstring>
#include <limits>
#include <set>

#include "catch.h"
#include "op_cases.h"
#include "row_test.h"

using namespace attune;

// Several tests for each row of the table.
namespace {

std::vector<Array> small_operands(const OpCase& row, DType dtype) {
  std::vector<Array> arrays;
  for (const Operand& operand : row.operands)
    arrays.push_back(random_array(operand, operand.shape, dtype, arrays.size() + 1));
  return arrays;
}

void check_values(const OpCase& row) {
  for (const DType dtype : {DType::f32, DType::f64}) {
    Operands operands;
    std::vector<Numbers> numbers;
    for (const Array& array : small_operands(row, dtype)) {
      operands.push_back(array);
      numbers.push_back(array.to_vector<double>());
    }
    Numbers values;
    for (const Tensor& result : row.apply(operands)) {
      REQUIRE(result.dtype() == dtype);
      for (const double v : result.value().to_vector<double>()) values.push_back(v);
    }
    const Numbers expected = row.expected(numbers);
    REQUIRE(values.size() == expected.size());
    const double tolerance = dtype == DType::f32 ? 2e-5 : 1e-12;
    for (std::size_t i = 0; i < values.size(); ++i) {
      INFO(name_of(dtype) << ", element " << i);
      REQUIRE(std::fabs(values[i] - expected[i]) <= tolerance * (1 + std::fabs(expected[i])));
    }
  }
}

void check_gradient(const OpCase& row) {
  const GradcheckResult result =
      gradcheck([&](const Operands& x) { return std::vector<Tensor>(row.apply(x)); },
                small_operands(row, DType::f64));
  INFO(result.message);
  REQUIRE(result.ok);
}

// The gradients of a run, each added to a gradient of `before` that is already there.
std::vector<Numbers> gradients_after(const OpCase& row, double before) {
  Operands x;
  for (const Array& array : small_operands(row, DType::f64)) {
    x.push_back(Tensor::parameter(array));
    x.back().backward(Array::full(array.shape(), before, DType::f64));
  }
  for (const Tensor& result : row.apply(x))
    result.backward(random_array({}, result.shape(), DType::f64, 99), true);
  std::vector<Numbers> all;
  for (const Tensor& operand : x) all.push_back(operand.grad().to_vector<double>());
  return all;
}

void check_accumulation(const OpCase& row) {
  const auto from_zero = gradients_after(row, 0), from_seven = gradients_after(row, 7);
  for (std::size_t k = 0; k < from_zero.size(); ++k)
    for (std::size_t i = 0; i < from_zero[k].size(); ++i)
      REQUIRE(from_seven[k][i] == Approx(from_zero[k][i] + 7).epsilon(1e-12));
}

// Results and gradients of a run over large operands, with a random cotangent.
std::vector<Array> run_large(const OpCase& row, int thread_count) {
  set_threads(thread_count);
  Operands x;
  for (std::size_t i = 0; i < row.large.size(); ++i)
    x.push_back(Tensor::parameter(random_array(row.operands[i], row.large[i], DType::f32, i + 1)));
  std::vector<Array> all;
  for (const Tensor& result : row.apply(x)) {
    all.push_back(result.value());
    result.backward(random_array({}, result.shape(), DType::f32, 99), true);
  }
  for (const Tensor& operand : x) all.push_back(operand.grad());
  return all;
}

void check_threads(const OpCase& row) {
  const int before = threads();
  const std::vector<Array> alone = run_large(row, 1);
  for (const int count : {2, 3, 8}) {
    const std::vector<Array> shared = run_large(row, count);
    REQUIRE(shared.size() == alone.size());
    for (std::size_t i = 0; i < alone.size(); ++i) {
      INFO(count << " threads, array " << i << " of " << alone.size());
      REQUIRE(alone[i].defined());
      REQUIRE(shared[i].bytes() == alone[i].bytes());
      REQUIRE(std::memcmp(shared[i].raw(), alone[i].raw(), alone[i].bytes()) == 0);
    }
  }
  set_threads(before);
}

void check_errors(const OpCase& row) {
  for (const BadCall& bad : row.bad_calls) {
    INFO(bad.error);
    REQUIRE_THROWS_WITH(bad.call(), contains(bad.error));
    REQUIRE_THROWS_AS(bad.call(), Error);
  }
}

void add(const OpCase& row, const std::string& sentence, void (*check)(const OpCase&)) {
  RowTest<OpCase>::add(row, sentence, check, "[op]");
}

const bool added = [] {
  for (const OpCase& row : op_cases()) {
    if (row.expected) add(row, "its values match plain loops", check_values);
    add(row, "its gradient matches finite differences", check_gradient);
    add(row, "its gradient is added to an existing one", check_accumulation);
    add(row, "its results are bitwise equal for any number of threads", check_threads);
    if (!row.bad_calls.empty()) add(row, "invalid calls are explained in the error", check_errors);
  }
  return true;
}();

}  // namespace

TEST_CASE("argmax finds the first largest element along an axis") {
  const Tensor x(Array::from<float>({3, 1, 3, 0, 5, 5}, {2, 3}));
  CHECK(argmax(x).to_vector() == std::vector<std::int32_t>{0, 1});
  CHECK(argmax(x, 0).to_vector() == std::vector<std::int32_t>{0, 1, 1});
  CHECK(argmax(x, 0).shape() == Shape{3});
  CHECK_THROWS_WITH(argmax(x, 2), contains("argmax: axis 2 is outside a tensor of shape [2, 3]"));
}

TEST_CASE("every row of the table of operations has a unique name and large operands") {
  std::set<std::string> names;
  for (const OpCase& row : op_cases()) {
    INFO(row.name);
    CHECK(names.insert(row.name).second);
    CHECK(row.operands.size() == row.large.size());
  }
}

TEST_CASE("dropout zeroes a fraction p, scales the rest, and is the identity under Eval") {
  seed(3);
  const Tensor x(Array::full({100, 100}, 2));
  const Tensor y = dropout(x, 0.25);
  int zeros = 0;
  for (const float v : y.value().to_vector()) {
    zeros += v == 0;
    REQUIRE((v == 0 || v == Approx(2 / 0.75)));
  }
  CHECK(std::abs(zeros - 2500) < 200);  // more than four standard deviations of 43
  CHECK(dropout(x, 0.25).value().to_vector() != y.value().to_vector());
  CHECK(dropout(x, 0).value().shares_memory_with(x.value()));
  const Eval eval;
  CHECK(dropout(x, 0.25).value().shares_memory_with(x.value()));
}

TEST_CASE("derivatives at kinks match the documentation") {
  const auto slopes = [](const std::function<Tensor(const Tensor&)>& f, std::vector<float> at) {
    Tensor x = Tensor::parameter(Array::from(at, {static_cast<std::int64_t>(at.size())}));
    sum(f(x)).backward();
    return x.grad().to_vector();
  };
  using V = std::vector<float>;
  CHECK(slopes([](const Tensor& x) { return abs(x); }, {-2, 0, 2}) == V{-1, 0, 1});
  CHECK(slopes([](const Tensor& x) { return relu(x); }, {-2, 0, 2}) == V{0, 0, 1});
  CHECK(slopes([](const Tensor& x) { return leaky_relu(x, 0.5); }, {-2, 0, 2}) == V{.5, .5, 1});
  CHECK(slopes([](const Tensor& x) { return clamp(x, -1, 1); }, {-2, -1, 1, 2}) == V{0, 1, 1, 0});
  CHECK(slopes([](const Tensor& x) { return minimum(x, Array::full({2}, 1)); }, {1, 0}) ==
        V{.5, 1});
  CHECK(slopes([](const Tensor& x) { return maximum(x, Array::full({2}, 1)); }, {1, 0}) ==
        V{.5, 0});
  CHECK(slopes([](const Tensor& x) { return max(x); }, {1, 3, 3}) == V{0, 1, 0});
  CHECK(slopes([](const Tensor& x) { return min(x); }, {1, 1, 3}) == V{1, 0, 0});
  CHECK(slopes([](const Tensor& x) { return pow(x, 0); }, {0, 2}) == V{0, 0});
}

TEST_CASE("large and infinite scores give no NaN in softmax, log_softmax and losses") {
  const float infinity = std::numeric_limits<float>::infinity();
  const auto row = [](std::vector<float> v) {
    return Tensor::parameter(Array::from(v, {1, static_cast<std::int64_t>(v.size())}));
  };
  CHECK(softmax(row({1000, 1000, -1000})).value().to_vector() == std::vector<float>{.5, .5, 0});
  CHECK(softmax(row({-infinity, 3})).value().to_vector() == std::vector<float>{0, 1});
  CHECK(softmax(row({-infinity, -infinity})).value().to_vector() == std::vector<float>{0, 0});
  CHECK(log_softmax(row({500, -500})).value().to_vector() == std::vector<float>{0, -1000});
  CHECK(logsumexp(row({1000, 1000})).item() == Approx(1000.6931));
  Tensor nothing = row({-infinity, -infinity});
  const Tensor total = sum(logsumexp(nothing, -1));
  CHECK(total.item() == -infinity);
  total.backward();
  CHECK(nothing.grad().to_vector() == std::vector<float>{0, 0});
  CHECK(softplus(row({1000, -1000})).value().to_vector() == std::vector<float>{1000, 0});
  CHECK(cross_entropy(row({1000, 0}), {1}).item() == Approx(1000));
  CHECK(binary_cross_entropy_with_logits(row({1000, -1000}), Array::from<float>({0, 1}, {1, 2}))
            .item() == Approx(1000));
}

TEST_CASE("NaN propagates through relu, maximum and similar operations") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Tensor x(Array::from<float>({nan, 1}, {2})), one(Array::full({2}, 1));
  for (const Tensor& y : {relu(x), leaky_relu(x), clamp(x, 0, 1), minimum(x, one), minimum(one, x),
                          maximum(x, one), maximum(one, x), abs(x), softmax(x), log_softmax(x)})
    CHECK(std::isnan(y.value().at(0)));
  CHECK(std::isnan(max(x).item()));
  CHECK(std::isnan(min(x).item()));
  CHECK(std::isnan(logsumexp(x).item()));
}

TEST_CASE("a loss whose targets are all ignored is 0, and so is its gradient") {
  Tensor logits = Tensor::parameter(Array::full({2, 3}, 1));
  for (const Tensor& loss : {cross_entropy(logits, {9, 9}, 9), nll_loss(logits, {9, 9}, 9)}) {
    CHECK(loss.item() == 0);
    logits.zero_grad();
    loss.backward();
    CHECK(logits.grad().to_vector() == std::vector<float>(6, 0));
  }
}

TEST_CASE("operations on empty tensors give empty results") {
  Tensor x = Tensor::parameter(Array::zeros({0, 3}));
  for (const Tensor& y : {tanh(x), x + x, x * 2, softmax(x), transpose(x), concat({x, x}),
                          layer_norm(x, Array::zeros({3}), Array::zeros({3})),
                          embedding(Array::zeros({5, 3}), Indices(std::span<const std::int32_t>{})),
                          slice(x, 1, 0, 2), x + Tensor(Array::zeros({1, 3}))})
    CHECK(y.elements() == 0);
  CHECK(sum(x).item() == 0);
  CHECK(sum(x, 0).value().to_vector() == std::vector<float>(3, 0));
  sum(x * 2).backward();
  CHECK(x.grad().shape() == Shape{0, 3});
}
