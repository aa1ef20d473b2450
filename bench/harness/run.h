#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "bench/harness/sizes.h"

/// What all programs of the comparison share, whichever library they measure: flags, timing and
/// output.
namespace bench {

struct Workload {
  std::int64_t tokens;           ///< source and target tokens per step; W6: operations
  std::function<double()> step;  ///< runs a step; returns the loss, or an element of the result
  double gflop = 0;              ///< per step; 0 if unknown
  std::string variant = {};      ///< the strategy, if there are several
};

struct Options {
  std::string workload = "W1";
  std::int64_t length = kW5.length;  ///< of W5's sequences
  std::int64_t window = 0;           ///< of W5: keys that a query sees on either side; 0: all
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

/// The program's main(): times the steps of one workload and prints the median.
int run(const Program& program, int argc, char** argv);

}  // namespace bench
