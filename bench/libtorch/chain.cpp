#include <torch/torch.h>

#include "workloads.h"

bench::Workload chain(const bench::ChainSizes& n) {
  torch::Tensor x = torch::ones(n.elements, torch::requires_grad());
  const torch::Tensor y = torch::full(n.elements, 0.01);
  return {n.operations, [=]() mutable {
            x.mutable_grad().reset();
            torch::Tensor z = x;
            for (int i = 0; i < n.operations / 2; ++i) z = torch::tanh(z + y);
            const torch::Tensor loss = z.sum();
            loss.backward();
            return loss.item<double>();
          }};
}
