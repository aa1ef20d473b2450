#pragma once

#include <torch/torch.h>

#include "workloads.h"

/// Training steps of a model that maps source [S, B] and target_input [T, B] to logits [T, B, V].
template <typename Model, typename Sizes>
bench::Workload train(const Sizes& n) {
  const auto model = std::make_shared<Model>(n);
  const auto optimizer =
      std::make_shared<torch::optim::Adam>(model->parameters(), torch::optim::AdamOptions(1e-3));
  const torch::Tensor source = torch::randint(n.vocabulary, {n.length, n.batch}, torch::kLong);
  const torch::Tensor target = torch::randint(n.vocabulary, {n.length + 1, n.batch}, torch::kLong);
  const torch::Tensor target_input = target.narrow(0, 0, n.length);
  const torch::Tensor target_output = target.narrow(0, 1, n.length).flatten();
  return {2 * n.batch * n.length, [=] {
            optimizer->zero_grad();
            const torch::Tensor logits = model->forward(source, target_input);
            const torch::Tensor loss =
                torch::nn::functional::cross_entropy(logits.flatten(0, 1), target_output);
            loss.backward();
            optimizer->step();
            return loss.item<double>();
          }};
}
