#include "attune/autograd/all.h"
#include "workloads.h"

bench::Workload scaled_dot_attention(const bench::AttentionSizes& n, std::int64_t window) {
  using namespace attune;
  // Heads side by side, [T, B, H * d], as in the layers.
  const auto random = [&] {
    Array array({n.length, n.batch, n.heads * n.width});
    generator().normal(array, 0, 1);
    return array;
  };
  Tensor query = Tensor::parameter(random()), key = Tensor::parameter(random()),
         value = Tensor::parameter(random());
  const Array output_gradient = random();
  const Mask mask = window > 0 ? Mask::window(window, window) : Mask();
  return {n.batch * n.length, [=]() mutable {
            for (Tensor* input : {&query, &key, &value}) input->zero_grad();
            const Tensor output =
                scaled_dot_product_attention(query, key, value, {.heads = n.heads, .mask = mask});
            output.backward(output_gradient);
            return output.value().at(0);
          }};
}
