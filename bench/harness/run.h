#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "bench/harness/sizes.h"

/// What every program of the comparison has in common, whichever library it measures: its flags,
/// how steps are timed, what is printed.
namespace bench {

struct Workload {
  std::int64_t tokens;           ///< source plus target, of one step; operations for W6
  std::function<double()> step;  ///< one step; returns the loss, or some number of the result
  double gflop = 0;              ///< of one step, where the program knows
  std::string variant = {};      ///< which way of doing the step this is, where there are several
};

struct Options {
  std::string workload = "W1";
  std::int64_t length = kW5.length;  ///< of W5's sequences
  int threads = 1;
  double seconds = 5;
  bool json = false;
};

struct Program {
  std::string name;     ///< of the program, for messages
  std::string version;  ///< of the library that it measures
  int default_threads;
  std::function<void(int)> set_threads;  ///< also seeds the generator
  std::map<std::string, std::function<Workload(const Options&)>> workloads;
};

/// The program's main(): times the steps of one workload, of which the median counts.
int run(const Program& program, int argc, char** argv);

}  // namespace bench
