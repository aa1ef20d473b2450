#include "attune/train/parameter_average.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "attune/layers/linear.h"
#include "catch.h"

using namespace attune;

namespace {

// A layer whose parameters are all one number.
class Constant {
 public:
  void set(double value) {
    for (const Param& parameter : layer.parameters()) {
      Tensor tensor = parameter.value;
      tensor.value().assign(Array::full(tensor.shape(), value, tensor.dtype()));
    }
  }
  double get() const { return layer.parameters().front().value.value().to_vector().front(); }

  Linear layer{2, 3};
};

double number_in_all(const NamedArrays& values) {
  const double first = values.at(0).second.to_vector().at(0);
  for (const auto& [name, array] : values)
    for (const float value : array.to_vector()) CHECK(value == Approx(first));
  return first;
}

}  // namespace

TEST_CASE("the last average is the mean of the parameters at the last validations") {
  Constant model;
  const auto average = make_last_average(model.layer, 3);
  CHECK(average->values().empty());
  std::vector<double> expected = {1, 1.5, 2, 3, 4};
  for (int i = 0; i < 5; ++i) {
    model.set(i + 1);
    average->after_step();  // has no effect
    average->before_validation();
    CHECK(number_in_all(average->values()) == Approx(expected[static_cast<std::size_t>(i)]));
  }
  CHECK(average->values().size() == model.layer.parameters().size());
  CHECK(average->values().front().first == model.layer.parameters().front().name);
}

TEST_CASE("the exponential average follows its equation") {
  Constant model;
  const double decay = GENERATE(0.0, 0.2, 0.9);
  const auto average = make_exponential_average(model.layer, decay);
  CHECK(average->values().empty());
  double expected = 0;
  for (int t = 1; t <= 30; ++t) {
    const double p = std::sin(t);
    model.set(p);
    average->before_validation();  // has no effect
    average->after_step();
    const double d = std::min(decay, (1.0 + t) / (10.0 + t));
    expected = t == 1 ? p : d * expected + (1 - d) * p;
    CHECK(number_in_all(average->values()) == Approx(expected).margin(1e-6));
  }
}

TEST_CASE("averages continue from their states") {
  Constant model;
  const bool is_last = GENERATE(true, false);
  const auto make = [&] {
    return is_last ? make_last_average(model.layer, 3) : make_exponential_average(model.layer, 0.9);
  };
  const auto observe = [&](ParameterAverage& average, double value) {
    model.set(value);
    average.after_step();
    average.before_validation();
  };
  const int stop = GENERATE(0, 2, 5);
  const auto whole = make(), resumed = make();
  for (int i = 0; i < stop; ++i) observe(*whole, i * i);
  resumed->load_state(whole->state());
  for (int i = 0; i < 4; ++i) {
    observe(*whole, 10 - i);
    observe(*resumed, 10 - i);
    const NamedArrays one = whole->values(), other = resumed->values();
    REQUIRE(one.size() == other.size());
    for (std::size_t k = 0; k < one.size(); ++k)
      CHECK(one[k].second.to_vector() == other[k].second.to_vector());
  }
}

TEST_CASE("a scope gives the model its average and then its own parameters again") {
  Constant model;
  const auto average = make_last_average(model.layer, 2);
  {
    model.set(5);
    const AverageScope empty(model.layer, average.get());
    CHECK(model.get() == 5);
  }
  model.set(1);
  average->before_validation();
  model.set(2);
  average->before_validation();
  model.set(7);
  {
    const AverageScope scope(model.layer, average.get());
    CHECK(model.get() == 1.5);
  }
  CHECK(model.get() == 7);
  const AverageScope none(model.layer, nullptr);
  CHECK(model.get() == 7);
}

TEST_CASE("averages refuse states of other models and meaningless options") {
  Constant model;
  Linear other(4, 3);
  const auto average = make_last_average(model.layer, 2), of_other = make_last_average(other, 2);
  average->before_validation();
  CHECK_THROWS_WITH(of_other->load_state(average->state()), contains("does not match"));
  const auto moving = make_exponential_average(model.layer, 0.9);
  const auto moving_other = make_exponential_average(other, 0.9);
  moving->after_step();
  CHECK_THROWS_WITH(moving_other->load_state(moving->state()), contains("does not match"));
  CHECK_THROWS_WITH(make_last_average(other, 0), contains("0 checkpoints"));
  CHECK_THROWS_WITH(make_exponential_average(other, 1), contains("decay 1"));
}
