#pragma once

#include <array>
#include <string>

#include "random_programs/program.h"

namespace attune::random_programs {

/// The result of checking a program.
struct Outcome {
  /// Which check failed, such as "gradient"; empty when all passed.
  std::string failed;
  std::string message;  ///< what differs
  /// Gradients that could not be checked because every step size of the differences crosses a kink.
  int kinks = 0;
  /// Numbers of leaf gradients compared with finite differences, and of runs with garbage.
  int gradients = 0, garbage_runs = 0;

  bool ok() const { return failed.empty(); }
};

/// All checks:
///   gradient   each leaf's gradient agrees with central differences along a random direction
///   again      a second backward pass gives the same bits as the first, and grad() their sum
///   observers  hooks that return their argument, and retain_grad(), do not change a bit
///   garbage    the values of hidden elements do not change a bit elsewhere; their gradients are 0
///   threads    the same bits with 1, 2 and 3 threads
///   float32    values and gradients agree with float64 within rounding
/// An exception is a failure as well.
Outcome check(const Program& program);

/// A smaller program that fails the same check, without outputs, steps and leaves that are not
/// needed for the failure.
Program shrink(Program program, const std::string& failed);

/// The report on a program that failed: what differs, and the shrunk program.
std::string report(const Program& program, const Outcome& outcome);

}  // namespace attune::random_programs
