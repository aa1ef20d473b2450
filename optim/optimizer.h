#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "attune/autograd/array/named_arrays.h"
#include "attune/autograd/kernels/vector.h"
#include "attune/optim/parameters.h"

namespace attune {

/// The base of all optimizers: keeps the parameters in groups, each with its own learning rate, and
/// the state of each parameter, such as its averages.
///
///     Adam optimizer(model.parameters(), {.learning_rate = 0.005});
///     for (...) {
///       optimizer.zero_grad();
///       loss(model, batch).backward();
///       optimizer.step();
///     }
///
/// Update rules, defaults and the order of operations are PyTorch's.
class Optimizer {
 public:
  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// Updates every parameter that has a gradient and is not frozen. Gives the same bits for any
  /// number of threads.
  void step();
  /// Forgets the gradients of all parameters.
  void zero_grad();
  /// How often step() was called.
  std::int64_t steps() const { return steps_; }

  int groups() const { return static_cast<int>(groups_.size()); }
  /// Errors (here and below): there is no such group; a rate that is negative or not finite.
  double learning_rate(int group = 0) const;
  /// Sets the learning rate of all groups, or of one.
  void set_learning_rate(double rate);
  void set_learning_rate(double rate, int group);
  /// Sets the learning rate of each group to `factor` times the one that it was made with, as
  /// schedules need it: optimizer.scale_learning_rate(schedule.factor(optimizer.steps())).
  void scale_learning_rate(double factor);

  /// Everything that changes from step to step besides the parameters: "steps",
  /// "<group>.learning_rate" for each group, and for each parameter that was ever updated
  /// "<parameter>.step" and the optimizer's own, such as "<parameter>.exp_avg". A parameter without
  /// a name goes by its number, counted from 0 over all groups. The arrays share memory with the
  /// optimizer.
  NamedArrays state() const;
  /// Restores a state(). Errors, before anything is changed: a name that is missing or unknown
  /// to this optimizer, or a shape that differs.
  void load_state(const NamedArrays& state);

 protected:
  /// A range of elements of one parameter, with their gradients and state, for one step.
  struct Slice {
    int group;
    double learning_rate;
    std::int64_t step;  ///< of this parameter: 1 at its first
    Array* value;
    const Array* gradient;
    Array* slots;  ///< in the order of slots()
    std::int64_t first, last;

    DType dtype() const { return value->dtype(); }

    /// Calls f(p, g, s...) for every element: its value p and the slots s by reference, its
    /// gradient g as a number.
    template <typename T, int... Slots, typename F>
    void each(const F& f) const {
      kernels::for_each(last - first, f, value->mutable_data<T>() + first,
                        gradient->data<T>() + first,
                        (slots[Slots].template mutable_data<T>() + first)...);
    }
  };

  Optimizer() = default;
  /// Errors: no parameters; a tensor that is not a parameter, or that is in a group already.
  void add_group(const Parameters& parameters, double learning_rate);

  /// The names of the state of every element of the group's parameters, which starts at 0; nullptr
  /// for state that is not used with the group's options.
  virtual std::vector<const char*> slots(int group) const = 0;
  /// The update rule. Called from several threads at once, for slices that do not overlap.
  virtual void update(const Slice& slice) const = 0;

 private:
  struct Group {
    double initial_rate, rate;
  };
  struct Entry {
    std::string name;
    Tensor tensor;
    int group;
    std::int64_t step = 0;     // how often it was updated
    std::vector<Array> slots;  // empty until the first update
  };
  // One parameter's place in a step.
  struct Job {
    Entry* entry;
    Array gradient;
    std::int64_t place;
  };

  void check_group(int group) const;
  std::vector<Array> new_slots(const Entry& entry) const;
  void update_range(std::int64_t first, std::int64_t last) const;

  std::vector<Group> groups_;
  std::vector<Entry> entries_;
  std::vector<Job> jobs_;  // of the running step
  std::int64_t steps_ = 0;
};

/// x, or 0 if it is subnormal. For decaying averages: without new gradients they become subnormal
/// but never round to 0, and processors are slow with subnormal numbers (Adam took 2.5 times as
/// long on an AMD Zen 5).
template <typename T>
T without_subnormal(T x) {
  return std::abs(x) < std::numeric_limits<T>::min() ? T{0} : x;
}

/// x, or the largest finite number if it is infinite. For averages and sums of squares: the square
/// of a huge gradient is infinite, and an average would stay infinite and silently stop the
/// training of its parameter. NaN stays NaN.
template <typename T>
T without_infinity(T x) {
  return x > std::numeric_limits<T>::max() ? std::numeric_limits<T>::max() : x;
}

/// x / y, or 0 if y is 0: without eps, a gradient whose square is 0 changes nothing.
template <typename T>
T step_size(T x, T y) {
  return y == 0 ? y : x / y;
}

/// Some parameters, and the options for them.
template <typename Options>
struct ParameterGroup {
  Parameters parameters;
  Options options;
};

/// An optimizer whose groups have `Options`: a struct with a `learning_rate`, and a check() that
/// throws an Error for values out of range.
template <typename Options>
class OptimizerWith : public Optimizer {
 public:
  using Group = ParameterGroup<Options>;

  explicit OptimizerWith(const Parameters& parameters, const Options& options = {})
      : OptimizerWith(std::vector<Group>{{parameters, options}}) {}
  explicit OptimizerWith(const std::vector<Group>& groups) {
    for (const Group& group : groups) {
      group.options.check();
      options_.push_back(group.options);
      add_group(group.parameters, group.options.learning_rate);
    }
  }

 protected:
  const Options& options(int group) const { return options_[static_cast<std::size_t>(group)]; }

 private:
  std::vector<Options> options_;
};

}  // namespace attune
