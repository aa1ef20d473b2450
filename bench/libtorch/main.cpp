// The workloads of bench/workloads on libtorch's C++ API, written as an experienced user would.

#include <torch/torch.h>
#include <torch/version.h>

#include "workloads.h"

int main(int argc, char** argv) {
  using namespace bench;
  const Program program{
      .name = "libtorch workloads",
      .version = std::string("libtorch ") + TORCH_VERSION,
      .default_threads = at::get_num_threads(),
      .set_threads =
          [](int threads) {
            at::set_num_threads(threads);
            torch::manual_seed(1);
          },
      .workloads =
          {
              {"W1", [](const Options&) { return rnnsearch(kW1); }},
              {"W2", [](const Options&) { return rnnsearch(kW2); }},
              {"W3", [](const Options&) { return transformer(kW3); }},
              {"W4", [](const Options&) { return rnnsearch(kW4); }},
              {"W5",
               [](const Options& options) {
                 return scaled_dot_attention({kW5.batch, kW5.heads, options.length, kW5.width});
               }},
              {"W6", [](const Options&) { return chain(kW6); }},
          },
  };
  return run(program, argc, argv);
}
