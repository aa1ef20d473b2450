#include <torch/torch.h>

#include <cmath>

#include "workloads.h"

// libtorch has a fused function since version 2.
#if __has_include(<ATen/ops/scaled_dot_product_attention.h>)
#define HAS_SCALED_DOT_PRODUCT_ATTENTION 1
#else
#define HAS_SCALED_DOT_PRODUCT_ATTENTION 0
#endif

namespace {

using torch::Tensor;

Tensor attend(const Tensor& query, const Tensor& key, const Tensor& value) {
#if HAS_SCALED_DOT_PRODUCT_ATTENTION
  return at::scaled_dot_product_attention(query, key, value);
#else
  // Scaling the query is cheaper than scaling the scores.
  const double scale = 1 / std::sqrt(static_cast<double>(query.size(-1)));
  return (query * scale).matmul(key.transpose(-2, -1)).softmax(-1).matmul(value);
#endif
}

}  // namespace

bench::Workload scaled_dot_attention(const bench::AttentionSizes& n) {
  const auto random = [&] { return torch::randn({n.batch, n.heads, n.length, n.width}); };
  Tensor query = random().requires_grad_(), key = random().requires_grad_(),
         value = random().requires_grad_();
  const Tensor output_gradient = random();
  return {n.batch * n.length, [=]() mutable {
            for (Tensor* input : {&query, &key, &value}) input->mutable_grad().reset();
            const Tensor output = attend(query, key, value);
            output.backward(output_gradient);
            return output.flatten()[0].item<double>();
          }};
}
