// Micro-benchmarks: operations, matrix products, vector math.
//
//   micro --threads=1 --benchmark_filter='^gemm/' --benchmark_min_time=0.2
//
// Uses one thread by default; flags that begin with --benchmark_ are Google Benchmark's.
#include <benchmark/benchmark.h>
#include <fmt/core.h>

#include <cstdio>
#include <string_view>

#include "attune/autograd/array/parse_number.h"
#include "attune/autograd/array/threads.h"
#include "attune/autograd/kernels/gemm.h"
#include "bench/micro/micro.h"

namespace {

// Removes --threads=N from the arguments. False if N is not a valid number of threads.
bool take_threads(int& argc, char** argv, int& threads) {
  constexpr std::string_view kFlag = "--threads=";
  int kept = 1;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument.substr(0, kFlag.size()) != kFlag) {
      argv[kept++] = argv[i];
      continue;
    }
    threads = attune::parse_number<int>(argument.substr(kFlag.size())).value_or(0);
    if (threads < 1 || threads > 1024) return false;
  }
  argc = kept;
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  int threads = 1;
  if (!take_threads(argc, argv, threads)) {
    fmt::print(stderr, "micro: error: --threads needs a whole number from 1 to 1024\n");
    return 1;
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  attune::set_threads(threads);
  benchmark::AddCustomContext("threads", std::to_string(threads));
  benchmark::AddCustomContext("products", attune::kernels::blas_description());
  register_ops();
  register_gemm();
  register_vector_math();
  benchmark::RunSpecifiedBenchmarks();
}
