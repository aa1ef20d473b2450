#pragma once

#include <random>
#include <string_view>
#include <utility>

#include "random_programs/program.h"

namespace attune::random_programs {

/// Builds a program step by step. Each step is evaluated as soon as it is added, so that the choice
/// of the next one can depend on values.
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
  /// A random axis of a tensor of that rank; negative axes count from the end.
  int axis(int rank);

  // The following return the id of a value.
  /// A new leaf with random numbers in [low, high).
  int leaf(const Shape& shape, double low = -1.5, double high = 1.5);
  /// A new leaf whose elements are hidden where `mask` is set, and may hold garbage there.
  int hidden_leaf(const Shape& shape, const HiddenMask& mask);
  /// A parameter of a layer as a leaf.
  int leaf(const Tensor& parameter);
  /// A value without hidden elements, of a rank in that range: an existing one or a new leaf.
  int any(int lowest_rank = 0, int highest_rank = 4);
  /// As any(), but without axes of size 0.
  int any_filled(int lowest_rank = 0, int highest_rank = 4);
  /// A value of that shape without hidden elements: an existing one, perhaps reshaped, or a new
  /// leaf.
  int of(const Shape& shape);
  /// As of(), but with `shape` or a shape that broadcasts to it.
  int broadcast_to_be(const Shape& shape);
  /// `value` if all its elements are in (low, high) and none is within kMargin of `kink`; otherwise
  /// a new leaf with such elements.
  int within(int value, double low, double high, double kink = -1e9);

  const Array& operator[](int id) const { return values_[static_cast<std::size_t>(id)]; }
  Shape shape_of(int id) const { return program.shapes[static_cast<std::size_t>(id)]; }
  const HiddenMask& hidden(int id) const { return program.hidden[static_cast<std::size_t>(id)]; }

  /// Adds a step. `hidden` has a mask for each result, of the elements that may hold garbage; by
  /// default there are none. Returns false, and adds nothing, if other elements are not finite or
  /// are too large for finite differences.
  bool push(std::string name, std::string details, std::vector<int> inputs, Apply apply,
            std::vector<HiddenMask> hidden = {}, bool float64_only = false);
  /// Adds a step that moves elements or changes each of them independently. The hidden elements of
  /// the results are those that come from hidden elements of the inputs.
  bool push_moving(std::string name, std::string details, std::vector<int> inputs, Apply apply);
  /// The results of the last step.
  const std::vector<int>& results() const { return program.steps.back().outputs; }
  int result() const { return results()[0]; }

  /// Chooses the values that the loss depends on, and returns the program.
  Program finish();

  Program program;
  std::string_view operation;  ///< the name of the Operation that is being added

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
/// The operations and layers of one source each.
std::vector<Operation> plain_operations();
std::vector<Operation> indexing_operations();
std::vector<Operation> masked_operations();

/// Deliberate faults, for the tests of the checks themselves.
enum class Fault { none, wrong_gradient, leak };
/// Adds a step with that fault to every program made on this thread during the lifetime of the
/// object.
class FaultScope {
 public:
  explicit FaultScope(Fault fault);
  ~FaultScope();
  FaultScope(const FaultScope&) = delete;
  FaultScope& operator=(const FaultScope&) = delete;
};

/// Makes a random program, which depends on the seed only.
Program make_program(std::uint64_t seed);

}  // namespace attune::random_programs
