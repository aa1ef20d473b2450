#include "attune/train/parameter_average.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

#include "attune/autograd/array/error.h"
#include "attune/train/training_state.h"

namespace attune {
namespace {

// Parameters and buffers, in one order.
std::vector<Param> values_of(const Layer& model) {
  std::vector<Param> all = model.parameters();
  for (Param& buffer : model.buffers()) all.push_back(std::move(buffer));
  return all;
}

const Array& value_of(const Param& parameter) { return std::as_const(parameter.value).value(); }

// to += factor (from - to), element by element.
void approach(Array& to, const Array& from, double factor) {
  dispatch(to.dtype(), [&]<typename T>(T) {
    T* a = to.mutable_data<T>();
    const T* p = from.data<T>();
    const T share = static_cast<T>(factor);
    for (std::int64_t i = 0; i < to.elements(); ++i) a[i] += share * (p[i] - a[i]);
  });
}

// A copy of the saved value called `name`. Errors: there is none that fits the parameter.
Array saved_value(const Param& parameter, const NamedArrays& saved, const std::string& name) {
  const auto found = std::find_if(saved.begin(), saved.end(),
                                  [&](const auto& entry) { return entry.first == name; });
  ATTUNE_CHECK(found != saved.end(), "load_state: there is no '{}'", name);
  ATTUNE_CHECK(found->second.shape() == parameter.value.shape(),
               "load_state: '{}' of shape {} does not match the parameter of shape {}", name,
               found->second.shape(), parameter.value.shape());
  return found->second.to(parameter.value.dtype()).clone();
}

class LastAverage : public ParameterAverage {
 public:
  LastAverage(const Layer& model, std::int64_t count)
      : parameters_(values_of(model)), count_(static_cast<std::size_t>(count)) {}

  void before_validation() override {
    std::vector<Array> copy;
    if (copies_.size() == count_) {  // reuse the memory of the oldest
      copy = std::move(copies_.front());
      copies_.pop_front();
    }
    for (std::size_t i = 0; i < parameters_.size(); ++i)
      i < copy.size() ? copy[i].assign(value_of(parameters_[i]))
                      : copy.push_back(value_of(parameters_[i]).clone());
    copies_.push_back(std::move(copy));
  }

  NamedArrays values() const override {
    NamedArrays result;
    for (std::size_t i = 0; !copies_.empty() && i < parameters_.size(); ++i) {
      Array mean = copies_.front()[i].clone();
      for (std::size_t k = 1; k < copies_.size(); ++k)
        approach(mean, copies_[k][i], 1 / static_cast<double>(k + 1));
      result.emplace_back(parameters_[i].name, std::move(mean));
    }
    return result;
  }

  NamedArrays state() const override {
    NamedArrays result;
    for (std::size_t k = 0; k < copies_.size(); ++k)
      for (std::size_t i = 0; i < parameters_.size(); ++i)
        result.emplace_back(name_of(k, parameters_[i]), copies_[k][i]);
    return result;
  }

  void load_state(const NamedArrays& state) override {
    ATTUNE_CHECK(state.size() % parameters_.size() == 0,
                 "load_state: {} arrays for averages of {} parameters", state.size(),
                 parameters_.size());
    std::deque<std::vector<Array>> copies;
    for (std::size_t k = 0; k < state.size() / parameters_.size(); ++k) {
      copies.emplace_back();
      for (const Param& parameter : parameters_)
        copies.back().push_back(saved_value(parameter, state, name_of(k, parameter)));
    }
    copies_ = std::move(copies);
  }

 private:
  static std::string name_of(std::size_t copy, const Param& parameter) {
    return fmt::format("{}:{}", copy, parameter.name);
  }

  std::vector<Param> parameters_;
  std::size_t count_;
  std::deque<std::vector<Array>> copies_;  // the oldest first
};

class ExponentialAverage : public ParameterAverage {
 public:
  ExponentialAverage(const Layer& model, double decay)
      : parameters_(values_of(model)), decay_(decay) {}

  void after_step() override {
    ++updates_;
    const auto t = static_cast<double>(updates_);
    const double decay = std::min(decay_, (1 + t) / (10 + t));
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      if (updates_ == 1)
        average_.push_back(value_of(parameters_[i]).clone());
      else
        approach(average_[i], value_of(parameters_[i]), 1 - decay);
    }
  }

  NamedArrays values() const override {
    NamedArrays result;
    for (std::size_t i = 0; i < average_.size(); ++i)
      result.emplace_back(parameters_[i].name, average_[i]);
    return result;
  }

  NamedArrays state() const override {
    NamedArrays result = values();
    result.emplace_back(kUpdates, number_array(static_cast<double>(updates_)));
    return result;
  }

  void load_state(const NamedArrays& state) override {
    const std::int64_t updates = count_in(state, kUpdates);
    ATTUNE_CHECK(state.size() == 1 + (updates > 0 ? parameters_.size() : 0),
                 "load_state: {} arrays for an average of {} parameters after {} updates",
                 state.size(), parameters_.size(), updates);
    std::vector<Array> average;
    for (std::size_t i = 0; i + 1 < state.size(); ++i)
      average.push_back(saved_value(parameters_[i], state, parameters_[i].name));
    average_ = std::move(average);
    updates_ = updates;
  }

 private:
  static constexpr const char* kUpdates = ":updates";  // a name that no parameter has

  std::vector<Param> parameters_;
  double decay_;
  std::int64_t updates_ = 0;
  std::vector<Array> average_;
};

}  // namespace

std::unique_ptr<ParameterAverage> make_last_average(const Layer& model, std::int64_t count) {
  ATTUNE_CHECK(count >= 1, "make_last_average: a mean of {} checkpoints; expected at least 1",
               count);
  return std::make_unique<LastAverage>(model, count);
}

std::unique_ptr<ParameterAverage> make_exponential_average(const Layer& model, double decay) {
  ATTUNE_CHECK(decay >= 0 && decay < 1,
               "make_exponential_average: decay {}; expected at least 0 and below 1", decay);
  return std::make_unique<ExponentialAverage>(model, decay);
}

AverageScope::AverageScope(Layer& model, const ParameterAverage* average)
    : parameters_(values_of(model)) {
  const NamedArrays values = average == nullptr ? NamedArrays() : average->values();
  for (std::size_t i = 0; i < values.size(); ++i) {
    own_.push_back(value_of(parameters_[i]).clone());
    parameters_[i].value.value().assign(values[i].second);
  }
}

AverageScope::~AverageScope() {
  for (std::size_t i = 0; i < own_.size(); ++i) parameters_[i].value.value().assign(own_[i]);
}

}  // namespace attune
