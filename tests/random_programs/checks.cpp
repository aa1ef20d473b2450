#include "random_programs/checks.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <exception>
#include <limits>
#include <random>

#include "attune/autograd/array/threads.h"

namespace attune::random_programs {
namespace {

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();

// --- Gradients ------------------------------------------------------------------------------

struct Loss {
  double value = 0;
  double size = 0;  // of what was added up: its rounding errors are in the value
};

Loss loss_of(const Program& program) {
  const Tensors values = evaluate(program);
  Loss loss;
  for (const auto& [id, cotangent] : program.outputs) {
    const Array& value = values[static_cast<std::size_t>(id)].value();
    const double *x = value.data<double>(), *r = cotangent.data<double>();
    for (std::int64_t i = 0; i < value.elements(); ++i) {
      loss.value += x[i] * r[i];
      loss.size += std::fabs(x[i] * r[i]) + std::fabs(r[i]);
    }
  }
  return loss;
}

// The loss as a function of one leaf along one direction.
class Line {
 public:
  Line(const Program& program, const Leaf& leaf, std::vector<double> direction)
      : program_(program),
        leaf_(leaf.tensor),
        kept_(leaf.tensor.value().to_vector<double>()),
        direction_(std::move(direction)) {}

  // Central difference with step h. The leaf is changed in place, as an optimizer does it.
  double slope(double h) {
    const Loss ahead = at(h), behind = at(-h);
    at_rest();
    size_ = std::max(ahead.size, behind.size);
    return (ahead.value - behind.value) / (2 * h);
  }
  // The difference of the slopes ahead and behind within h: negligible unless there is a kink,
  // which a central difference at the kink itself cannot detect.
  double bend(double h) {
    const double ahead = at(h).value, behind = at(-h).value, here = at(0).value;
    at_rest();
    return std::fabs(ahead - 2 * here + behind) / h;
  }
  // How much rounding errors may change a slope.
  double noise(double h) const { return 200 * kEpsilon * size_ / h; }

 private:
  Loss at(double h) {
    double* x = leaf_.value().mutable_data<double>();
    for (std::size_t i = 0; i < kept_.size(); ++i) x[i] = kept_[i] + h * direction_[i];
    return loss_of(program_);
  }
  void at_rest() {
    double* x = leaf_.value().mutable_data<double>();
    std::copy(kept_.begin(), kept_.end(), x);
  }

  const Program& program_;
  Tensor leaf_;
  std::vector<double> kept_, direction_;
  double size_ = 0;
};

enum class Verdict { agrees, differs, kink };

// Compares the slope that backward gives with central differences; `scale` is the size of what was
// added up for it. A cheap difference is enough for most. For the others, Richardson extrapolation
// of two pairs of steps estimates its own error. Steps within which the loss is not smooth give
// estimates that disagree, and are rejected.
Verdict compare(Line& line, double slope, double scale, double* numeric) {
  constexpr double kTolerance = 1e-6;
  *numeric = line.slope(1e-4);
  scale += std::fabs(*numeric);
  if (std::fabs(*numeric - slope) <= kTolerance * scale + line.noise(1e-4)) return Verdict::agrees;
  bool believed = false;
  for (const double h : {1e-2, 1e-3, 1e-4, 1e-5, 1e-6}) {
    const double d1 = line.slope(h), d2 = line.slope(h / 2), d4 = line.slope(h / 4);
    const double coarse = (4 * d2 - d1) / 3, fine = (4 * d4 - d2) / 3;
    const double noise = line.noise(h / 4), error = std::fabs(fine - coarse) + noise;
    if (!(error <= 1e-4 * scale)) continue;  // NaN, too
    believed = true;
    *numeric = fine;
    if (std::fabs(fine - slope) <= kTolerance * scale + 2 * error) return Verdict::agrees;
  }
  const bool kink = line.bend(1e-6) > 1e-4 * scale + line.noise(1e-6);
  return believed && !kink ? Verdict::differs : Verdict::kink;
}

void check_gradients(const Program& program, const RunResult& result, Outcome& outcome) {
  for (std::size_t k = 0; k < program.leaves.size(); ++k) {
    const Leaf& leaf = program.leaves[k];
    const Array& gradient = result.gradients[k];
    if (gradient.elements() == 0) continue;
    // The same for the leaf when others have been dropped.
    std::mt19937_64 bits(program.seed * 1000 + static_cast<std::uint64_t>(leaf.id));
    std::vector<double> direction;
    double slope = 0, scale = 0;
    for (std::int64_t i = 0; i < gradient.elements(); ++i) {
      direction.push_back(static_cast<double>(bits() >> 11) * 0x1p-52 - 1);
      slope += gradient.at(i) * direction.back();
      scale += std::fabs(gradient.at(i) * direction.back());
    }
    double numeric = 0;
    Line line(program, leaf, direction);
    const Verdict verdict = compare(line, slope, scale, &numeric);
    outcome.kinks += verdict == Verdict::kink;
    outcome.gradients += verdict == Verdict::agrees;
    if (verdict == Verdict::kink && std::isfinite(slope)) continue;
    if (verdict == Verdict::agrees) continue;
    outcome.failed = "gradient";
    outcome.message = fmt::format(
        "leaf v{}: along a random direction backward gives {:.12g}, differences {:.12g}", leaf.id,
        slope, numeric);
    // Which element: the one where both differ most.
    double worst = 0;
    for (std::int64_t i = 0; i < std::min<std::int64_t>(gradient.elements(), 1000); ++i) {
      std::vector<double> unit(direction.size(), 0);
      unit[static_cast<std::size_t>(i)] = 1;
      Line along(program, leaf, unit);
      double there = 0;
      if (compare(along, gradient.at(i), std::fabs(gradient.at(i)), &there) != Verdict::differs)
        continue;
      const double difference = std::fabs(there - gradient.at(i));
      if (difference <= worst) continue;
      worst = difference;
      outcome.message += fmt::format("\nelement {}: backward gives {:.12g}, differences {:.12g}", i,
                                     gradient.at(i), there);
    }
    return;
  }
}

// --- Bits -----------------------------------------------------------------------------------

template <typename T>
std::string first_difference(const Array& a, const Array& b, const HiddenMask& ignore) {
  const T *x = a.data<T>(), *y = b.data<T>();
  for (std::int64_t i = 0; i < a.elements(); ++i) {
    if (!ignore.empty() && ignore[static_cast<std::size_t>(i)]) continue;
    if (std::memcmp(x + i, y + i, sizeof(T)) != 0)
      return fmt::format("element {}: {:.17g} became {:.17g}", i, x[i], y[i]);
  }
  return "";
}

// Empty when the visible bits of all values and gradients are equal.
std::string difference(const Program& program, const RunResult& a, const RunResult& b,
                       bool values = true) {
  const auto compare = [](const Array& x, const Array& y, const HiddenMask& hidden) {
    if (!x.defined() || x.elements() == 0) return std::string();
    return dispatch(x.dtype(),
                    [&](auto type) { return first_difference<decltype(type)>(x, y, hidden); });
  };
  for (std::size_t id = 0; values && id < a.values.size(); ++id)
    if (const std::string text = compare(a.values[id], b.values[id], program.hidden[id]);
        !text.empty())
      return fmt::format("value v{}, {}", id, text);
  for (std::size_t k = 0; k < a.gradients.size(); ++k) {
    const auto id = static_cast<std::size_t>(program.leaves[k].id);
    if (const std::string text = compare(a.gradients[k], b.gradients[k], program.hidden[id]);
        !text.empty())
      return fmt::format("gradient of leaf v{}, {}", id, text);
  }
  return "";
}

bool note(Outcome& outcome, const char* check, const std::string& what,
          const std::string& difference) {
  if (difference.empty()) return true;
  outcome.failed = check;
  outcome.message = fmt::format("{}: {}", what, difference);
  return false;
}

std::string hidden_gradient(const Program& program, const RunResult& result) {
  for (std::size_t k = 0; k < program.leaves.size(); ++k) {
    const int id = program.leaves[k].id;
    const HiddenMask& hidden = program.hidden[static_cast<std::size_t>(id)];
    for (std::size_t i = 0; i < hidden.size(); ++i)
      if (const double g = result.gradients[k].at(static_cast<std::int64_t>(i));
          hidden[i] && !(g == 0))
        return fmt::format("gradient of leaf v{}, hidden element {}: {}, which must be 0", id, i,
                           g);
  }
  return "";
}

void check_garbage(const Program& program, const RunResult& result, DType dtype, Outcome& outcome) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  const std::array<double, 5> others = {0, kInfinity, -kInfinity, 1e30, -1e30};
  if (!note(outcome, "garbage", "with numbers below", hidden_gradient(program, result))) return;
  for (const double garbage : {kNaN, others[program.seed / 2 % 5]}) {
    const RunResult other =
        differentiate(program, {.dtype = dtype, .with_garbage = true, .garbage = garbage});
    ++outcome.garbage_runs;
    const std::string what = fmt::format("{} with {} below", name_of(dtype), garbage);
    if (!note(outcome, "garbage", what, difference(program, result, other)) ||
        !note(outcome, "garbage", what, hidden_gradient(program, other)))
      return;
  }
}

// --- Rounding -------------------------------------------------------------------------------

// Differences between x and y beside the largest number of an array. The bound is loose: a program
// may well lose some digits, but a kernel that is wrong in float32 loses all.
std::string rounding_difference(const Array& x, const Array& y) {
  double largest = 1, error = 0;
  for (std::int64_t i = 0; i < x.elements(); ++i) largest = std::max(largest, std::fabs(x.at(i)));
  for (std::int64_t i = 0; i < x.elements(); ++i) {
    error = std::fabs(x.at(i) - y.at(i));
    if (!(error <= 0.02 * largest))
      return fmt::format("element {} is {:.10g} in float64, {:.10g} in float32", i, x.at(i),
                         y.at(i));
  }
  return "";
}

void check_float32(const Program& program, const RunResult& wide, const RunResult& narrow,
                   Outcome& outcome) {
  for (std::size_t id = 0; id < wide.values.size(); ++id)
    if (wide.values[id].defined() && program.hidden[id].empty() &&
        !note(outcome, "float32", fmt::format("value v{}", id),
              rounding_difference(wide.values[id], narrow.values[id])))
      return;
  for (std::size_t k = 0; k < wide.gradients.size(); ++k)
    if (!note(outcome, "float32", fmt::format("gradient of leaf v{}", program.leaves[k].id),
              rounding_difference(wide.gradients[k], narrow.gradients[k])))
      return;
}

// --- All ------------------------------------------------------------------------------------

// Twice the first pass but for the order in which leaves' gradients are added up.
std::string added_difference(const Program& program, const RunResult& once,
                             const RunResult& added) {
  for (std::size_t k = 0; k < once.gradients.size(); ++k) {
    const Array &one = once.gradients[k], &two = added.gradients[k];
    double largest = 0;
    for (std::int64_t i = 0; i < one.elements(); ++i)
      largest = std::max(largest, std::fabs(one.at(i)));
    for (std::int64_t i = 0; i < one.elements(); ++i)
      if (!(std::fabs(two.at(i) - 2 * one.at(i)) <= 1e-10 * (largest + 1)))
        return fmt::format("gradient of leaf v{}, element {}: {:.17g} once, {:.17g} added up",
                           program.leaves[k].id, i, one.at(i), two.at(i));
  }
  return "";
}

class Threads {
 public:
  ~Threads() { set_threads(before_); }

 private:
  int before_ = threads();
};

void check_all(const Program& program, Outcome& outcome) {
  const RunResult result = differentiate(program);
  if (!program.large) {
    check_gradients(program, result, outcome);
    if (!outcome.ok()) return;
  }
  if (!note(outcome, "again", "a second pass",
            difference(program, result, differentiate(program, {.twice = true}), false)) ||
      !note(outcome, "again", "two passes",
            added_difference(program, result, differentiate(program, {.added = true}))) ||
      !note(outcome, "observers", "hooks and retained gradients",
            difference(program, result, differentiate(program, {.observed = true}))))
    return;
  const bool hides = program.hides_something();
  if (hides) check_garbage(program, result, DType::f64, outcome);
  if (!outcome.ok()) return;

  const Threads threads;
  const bool narrow = !program.float64_only();
  if (program.large || program.seed % 16 == 0)
    for (const DType dtype : {DType::f64, DType::f32}) {
      if (dtype == DType::f32 && !narrow) continue;
      set_threads(1);
      const RunResult alone = differentiate(program, {.dtype = dtype});
      for (const int count : {2, 3}) {
        set_threads(count);
        if (!note(outcome, "threads", fmt::format("{} threads, {}", count, name_of(dtype)),
                  difference(program, alone, differentiate(program, {.dtype = dtype}))))
          return;
      }
    }
  if (!narrow || program.seed % 2 == 0) return;
  const RunResult in_float32 = differentiate(program, {.dtype = DType::f32});
  // A large recurrent layer with such weights is chaotic: it amplifies rounding errors.
  if (!program.large) check_float32(program, result, in_float32, outcome);
  if (outcome.ok() && hides) check_garbage(program, in_float32, DType::f32, outcome);
}

// --- Shrinking ------------------------------------------------------------------------------

bool is_used(const Program& program, int id) {
  const auto uses = [id](const Step& step) {
    return std::count(step.inputs.begin(), step.inputs.end(), id) > 0;
  };
  const auto gives = [id](const Output& output) { return output.id == id; };
  return std::any_of(program.steps.begin(), program.steps.end(), uses) ||
         std::any_of(program.outputs.begin(), program.outputs.end(), gives);
}

void drop_unused_leaves(Program& program) {
  std::erase_if(program.leaves, [&](const Leaf& leaf) { return !is_used(program, leaf.id); });
}

// The program with the results of a step as leaves.
Program without_step(const Program& program, std::size_t index) {
  Program smaller = program;
  smaller.steps.erase(smaller.steps.begin() + static_cast<std::ptrdiff_t>(index));
  const Tensors values = evaluate(program);
  for (const int id : program.steps[index].outputs)
    if (is_used(smaller, id))
      smaller.leaves.push_back(
          {id, Tensor::parameter(values[static_cast<std::size_t>(id)].value().clone())});
  drop_unused_leaves(smaller);
  return smaller;
}

}  // namespace

Outcome check(const Program& program) {
  Outcome outcome;
  try {
    check_all(program, outcome);
  } catch (const std::exception& error) {
    outcome.failed = "exception";
    outcome.message = error.what();
  }
  return outcome;
}

Program shrink(Program program, const std::string& failed) {
  const auto take = [&](Program smaller) {
    if (check(smaller).failed != failed) return false;
    program = std::move(smaller);
    return true;
  };
  for (bool smaller = true; smaller;) {
    smaller = false;
    for (std::size_t i = program.outputs.size(); i-- > 0 && program.outputs.size() > 1;) {
      Program candidate = program;
      candidate.outputs.erase(candidate.outputs.begin() + static_cast<std::ptrdiff_t>(i));
      smaller |= take(candidate);
    }
    for (std::size_t i = program.steps.size(); i-- > 0;) smaller |= take(without_step(program, i));
    Program candidate = program;
    drop_unused_leaves(candidate);
    if (candidate.leaves.size() < program.leaves.size()) smaller |= take(candidate);
  }
  return program;
}

std::string report(const Program& program, const Outcome& outcome) {
  const Program smaller = shrink(program, outcome.failed);
  const Outcome why = check(smaller);
  const Outcome& shown = why.ok() ? outcome : why;
  return fmt::format("the program of seed {} fails the check \"{}\"; shrunk, it is\n{}{}\n",
                     program.seed, shown.failed, to_text(why.ok() ? program : smaller),
                     shown.message);
}

}  // namespace attune::random_programs
