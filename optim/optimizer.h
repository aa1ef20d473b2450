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

/// Base class of all optimizers: holds parameters in groups, each with its own learning rate, and
/// the state of each parameter, such as its running averages.
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

  /// Updates every parameter that has a gradient and is not frozen. The result is bit-identical for
  /// any number of threads.
  void step();
  /// Clears the gradients of all parameters.
  void zero_grad();
  /// The number of calls of step() so far.
  std::int64_t steps() const { return steps_; }

  int groups() const { return static_cast<int>(groups_.size()); }
  /// The learning rate of a group. Errors, here and below: no such group; a rate that is negative
  /// or not finite.
  double learning_rate(int group = 0) const;
  /// Sets the learning rate of all groups, or of one.
  void set_learning_rate(double rate);
  void set_learning_rate(double rate, int group);
  /// Sets the learning rate of each group to `factor` times its initial learning rate, for use with
  /// a schedule: optimizer.scale_learning_rate(schedule.factor(optimizer.steps())).
  void scale_learning_rate(double factor);

  /// Everything that step() changes besides the parameters: "steps"; "<group>.learning_rate" for
  /// each group; and for each parameter updated so far "<parameter>.step" and the state of the
  /// update rule, such as "<parameter>.exp_avg". Parameters without a name are numbered from 0
  /// across all groups. The arrays share memory with the optimizer.
  NamedArrays state() const;
  /// Restores a state(). Errors (nothing is changed): a missing or unknown name; a different shape;
  /// an invalid value.
  void load_state(const NamedArrays& state);

 protected:
  /// A range of elements of one parameter, with their gradients and state, for one step.
  struct Slice {
    int group;
    double learning_rate;
    std::int64_t step;  ///< of this parameter, counted from 1
    Array* value;
    const Array* gradient;
    Array* slots;  ///< in the order of slots()
    std::int64_t first, last;

    DType dtype() const { return value->dtype(); }

    /// Calls f(p, g, s...) for every element, with its value p and state s by reference and its
    /// gradient g by value.
    template <typename T, int... Slots, typename F>
    void each(const F& f) const {
      kernels::for_each(last - first, f, value->mutable_data<T>() + first,
                        gradient->data<T>() + first,
                        (slots[Slots].template mutable_data<T>() + first)...);
    }
  };

  Optimizer() = default;
  /// Errors: no parameters; a tensor that is not a parameter or is already in a group; a learning
  /// rate that is negative or not finite.
  void add_group(const Parameters& parameters, double learning_rate);

  /// The names of the state arrays that each parameter of the group has, initialised to 0; nullptr
  /// for one that is not needed with the group's options.
  virtual std::vector<const char*> slots(int group) const = 0;
  /// Applies the update rule to a slice. Called from several threads at once, for slices that do
  /// not overlap.
  virtual void update(const Slice& slice) const = 0;

 private:
  struct Group {
    double initial_rate, rate;
  };
  struct Entry {
    std::string name;
    Tensor tensor;
    int group;
    std::int64_t step = 0;     // number of updates so far
    std::vector<Array> slots;  // empty until the first update
  };
  // A parameter to update in the running step, and its offset in the range of all of them.
  struct Job {
    Entry* entry;
    Array gradient;
    std::int64_t place;
  };

  static void check_rate(double rate);
  void check_group(int group) const;
  std::vector<Array> new_slots(const Entry& entry) const;
  void update_range(std::int64_t first, std::int64_t last) const;

  std::vector<Group> groups_;
  std::vector<Entry> entries_;
  std::vector<Job> jobs_;  // of the running step
  std::int64_t steps_ = 0;
};

/// x, or 0 if x is subnormal. For decaying averages: without new gradients they become subnormal
/// but never round to 0, and arithmetic with subnormal numbers is slow (Adam took 2.5 times as long
/// on an AMD Zen 5).
template <typename T>
T without_subnormal(T x) {
  return std::abs(x) < std::numeric_limits<T>::min() ? T{0} : x;
}

/// x, or the largest finite number if x is +infinity. For averages and sums of squares: the square
/// of a huge gradient is infinite, and an average would stay infinite, so that the parameter would
/// silently stop training. NaN stays NaN.
template <typename T>
T without_infinity(T x) {
  return x > std::numeric_limits<T>::max() ? std::numeric_limits<T>::max() : x;
}

/// x / y, or 0 if y is 0, so that with eps = 0 a gradient whose square is 0 changes nothing.
template <typename T>
T step_size(T x, T y) {
  return y == 0 ? y : x / y;
}

/// Parameters that share the same options.
template <typename Options>
struct ParameterGroup {
  Parameters parameters;
  Options options;
};

/// Base class of optimizers with options for each group. `Options` is a struct with a member
/// `learning_rate` and a function check() that throws an Error if a value is out of range.
/// Errors: as Options::check() and add_group().
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
