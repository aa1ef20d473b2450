// The workloads on which Attune's speed is measured, written with its layers as a user would.

#include <fmt/format.h>

#include "attune/autograd/array/random.h"
#include "attune/autograd/array/threads.h"
#include "attune/autograd/kernels/gemm.h"
#include "attune/autograd/shards.h"
#include "workloads.h"

int main(int argc, char** argv) {
  using namespace bench;
  // Not for W4: its operations are large enough to be parallel, and gradients of all parameters for
  // each shard would cost memory.
  const auto shards = [](const auto& sizes) { return attune::suitable_shards(sizes.batch); };
  const Program program{
      .name = "workloads",
      .version = fmt::format("Attune on {}", attune::kernels::blas_description()),
      .default_threads = attune::threads(),
      .set_threads =
          [](int threads) {
            attune::set_threads(threads);
            attune::seed(1);
          },
      .workloads =
          {
              {"W1", [&](const Options&) { return rnnsearch(kW1, shards(kW1)); }},
              {"W2", [&](const Options&) { return rnnsearch(kW2, shards(kW2)); }},
              {"W3", [&](const Options&) { return transformer(kW3, shards(kW3)); }},
              {"W4", [](const Options&) { return rnnsearch(kW4, 1); }},
              {"W5",
               [](const Options& options) {
                 return scaled_dot_attention({kW5.batch, kW5.heads, options.length, kW5.width},
                                             options.window);
               }},
              {"W6", [](const Options&) { return chain(kW6); }},
              {"W8", [](const Options&) { return language_model(kW8, 2); }},
          },
  };
  return run(program, argc, argv);
}
