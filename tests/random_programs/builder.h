#pragma once

#include <random>
#include <string_view>
#include <utility>

#include "random_programs/program.h"

namespace attune::random_programs {

/// Builds a program step by step. Each step is evaluated at once, so that the next one can be
/// chosen by the values of its inputs.
class Builder {
 public:
  explicit Builder(std::uint64_t seed);

  /// A random integer in [0, n).
  std::int64_t below(std::int64_t n) {
    return static_cast<std::int64_t>(bits_() % static_cast<std::uint64_t>(n));
  }
  bool chance(double p) { return uniform(0, 1) < p; }
  double uniform(double low, double high) {
    return low + (high - low) * static_cast<double>(bits_() >> 11) * 0x1p-53;
  }
  /// A random size of an axis.
  std::int64_t size();
  Shape shape(int lowest_rank, int highest_rank);
  /// One length from [0, longest] for each of `count` rows.
  Indices lengths(std::int64_t count, std::int64_t longest);
  Indices ids(const Shape& shape, std::int64_t below);
  /// An axis of a tensor of that rank, counted from either end.
  int axis(int rank);

  int leaf(const Shape& shape, double low = -1.5, double high = 1.5);
  /// A leaf with garbage where `mask` is set.
  int hidden_leaf(const Shape& shape, const HiddenMask& mask);
  /// A parameter of a layer.
  int leaf(const Tensor& parameter);
  /// A value without garbage: an existing one or a new leaf.
  int any(int lowest_rank = 0, int highest_rank = 4);
  /// The same without axes of size 0.
  int any_filled(int lowest_rank = 0, int highest_rank = 4);
  /// The same of a given shape.
  int of(const Shape& shape);
  /// The same, of a shape that broadcasts to `shape`.
  int broadcast_to_be(const Shape& shape);
  /// `value` if all its elements are in (low, high) and none is within kMargin of `kink`; otherwise
  /// a new leaf with such elements.
  int within(int value, double low, double high, double kink = -1e9);

  const Array& operator[](int id) const { return values_[static_cast<std::size_t>(id)]; }
  Shape shape_of(int id) const { return program.shapes[static_cast<std::size_t>(id)]; }
  const HiddenMask& hidden(int id) const { return program.hidden[static_cast<std::size_t>(id)]; }

  /// Adds a step whose results hold garbage where `hidden` is set, one mask per result, and nowhere
  /// by default. Returns false without adding it if its values are not finite, or too large for
  /// finite differences.
  bool push(std::string name, std::string details, std::vector<int> inputs, Apply apply,
            std::vector<HiddenMask> hidden = {}, bool float64_only = false);
  /// Adds a step that moves elements, or changes each on its own, so that garbage moves with them.
  bool push_moving(std::string name, std::string details, std::vector<int> inputs, Apply apply);
  /// The results of the last step.
  const std::vector<int>& results() const { return program.steps.back().outputs; }
  int result() const { return results()[0]; }

  /// Chooses the values that the loss depends on, and returns the program.
  Program finish();

  Program program;
  std::string_view operation;  ///< name in operations() of the one being added

 private:
  int add(const Array& value, HiddenMask hidden);

  std::mt19937_64 bits_;
  std::vector<Array> values_;
};

/// The minimum distance of values from a kink.
inline constexpr double kMargin = 5e-3;

/// Adds one or more steps to a program; returns false if none fits.
struct Operation {
  std::string_view name;
  bool (*add)(Builder& builder);
};

/// All operations and layers.
const std::vector<Operation>& operations();
/// Those of each file.
std::vector<Operation> plain_operations();
std::vector<Operation> indexing_operations();
std::vector<Operation> masked_operations();

/// Deliberate faults, for the tests of the checks themselves.
enum class Fault { none, wrong_gradient, leak };
/// Gives every program that is made on this thread a step with that fault, for the lifetime of the
/// scope.
class FaultScope {
 public:
  explicit FaultScope(Fault fault);
  ~FaultScope();
  FaultScope(const FaultScope&) = delete;
  FaultScope& operator=(const FaultScope&) = delete;
};

/// The program of a seed.
Program make_program(std::uint64_t seed);

}  // namespace attune::random_programs
