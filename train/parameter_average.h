#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "attune/autograd/array/named_arrays.h"
#include "attune/layers/layer.h"

namespace attune {

/// An average of a model's parameters over a training, which often predicts better than the last
/// parameters. Buffers, such as running statistics, are averaged too.
class ParameterAverage {
 public:
  virtual ~ParameterAverage() = default;

  /// Takes in the parameters after an update.
  virtual void after_step() {}
  /// Takes in the parameters before a validation, or where there would be one.
  virtual void before_validation() {}
  /// The average by parameter name; empty before the first parameters.
  virtual NamedArrays values() const = 0;

  /// For a checkpoint.
  virtual NamedArrays state() const = 0;
  /// Errors: the arrays are not those of a state() of the same model.
  virtual void load_state(const NamedArrays& state) = 0;
};

/// The mean of the parameters at the last `count` validations (the checkpoint averaging of Vaswani
/// et al. 2017, sec. 6.1). Errors: a count below 1.
std::unique_ptr<ParameterAverage> make_last_average(const Layer& model, std::int64_t count);

/// The exponential moving average
///
///     a_t = d_t a_{t-1} + (1 - d_t) p_t,   d_t = min(decay, (1 + t) / (10 + t))
///
/// of the parameters p_t after update t, from a_0 = p_1 (Polyak and Juditsky 1992; d_t as in
/// TensorFlow's ExponentialMovingAverage). Errors: a decay outside of [0, 1).
std::unique_ptr<ParameterAverage> make_exponential_average(const Layer& model, double decay);

/// Gives a model the values of an average while it lives, and its own again afterwards. Without an
/// average (null, or empty), the model keeps its values.
class AverageScope {
 public:
  AverageScope(Layer& model, const ParameterAverage* average);
  ~AverageScope();
  AverageScope(const AverageScope&) = delete;
  AverageScope& operator=(const AverageScope&) = delete;

 private:
  std::vector<Param> parameters_;
  std::vector<Array> own_;  // empty: the model keeps its values
};

}  // namespace attune
