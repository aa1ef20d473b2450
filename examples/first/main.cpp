#include <fmt/ranges.h>

#include "attune/attune.h"
using namespace attune;

// Reads five numbers, one of them marked, and learns to look at that one.
struct Finder : Layer {
  Tensor query = param("query", {1, 8}, normal());
  Linear keys = child("keys", Linear(2, 8));
  Attention attention = child("attention", Attention("dot", {.query_size = 8}));

  AttentionResult operator()(const Tensor& numbers, const Tensor& marks) const {  // [5, B, 1]
    const Memory memory = attention.memorize(keys(concat({numbers, marks}, -1)), numbers);
    return attention.attend(broadcast_to(query, {numbers.size(1), 8}), memory);
  }
};

int main() {
  const Finder model;
  Adam optimizer(model.parameters(), {.learning_rate = 0.02});
  for (int step = 1; step <= 200; ++step) {
    Array numbers({5, 64, 1}), marks = Array::zeros({5, 64, 1}), answers({64, 1});
    generator().uniform(numbers, 0, 1);
    for (int b = 0; b < 64; ++b) {
      const std::int64_t marked = generator().below(5) * 64 + b;
      marks.set(marked, 1);
      answers.set(b, numbers.at(marked));
    }
    const AttentionResult found = model(numbers, marks);
    const Tensor loss = mse_loss(found.context, answers);
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    if (step % 50 == 0)
      fmt::print("step {}: loss {:.5f}, weights {:.2f}\n", step, loss.item(),
                 fmt::join(found.weights[0].value().to_vector(), " "));
  }
}
