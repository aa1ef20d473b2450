#include "attune/models/policy_loss.h"

#include "attune/autograd/ops/arithmetic.h"
#include "attune/autograd/ops/padding.h"
#include "attune/autograd/ops/reductions.h"

namespace attune {

Tensor policy_loss(const Tensor& log_probability, const Array& rewards, const Indices& lengths) {
  ATTUNE_CHECK(log_probability.rank() == 2 && log_probability.shape() == rewards.shape(),
               "policy_loss: log-probabilities {} and rewards {} do not match; expected [T, B]",
               log_probability.shape(), rewards.shape());
  const std::int64_t steps = rewards.shape()[0], batch = rewards.shape()[1];
  const auto length = [&](std::int64_t b) {
    return lengths.defined() ? std::int64_t{lengths.at(b)} : steps;
  };
  std::vector<double> totals(static_cast<std::size_t>(batch));
  double total = 0, count = 0;
  for (std::int64_t b = 0; b < batch; ++b) {
    for (std::int64_t t = 0; t < length(b); ++t)
      totals[static_cast<std::size_t>(b)] += rewards.at(t * batch + b);
    total += totals[static_cast<std::size_t>(b)];
    count += static_cast<double>(length(b));
  }
  Array advantage = Array::zeros(rewards.shape(), rewards.dtype());
  for (std::int64_t b = 0; b < batch; ++b) {
    const double others = count - static_cast<double>(length(b));
    const double mean = others == 0 ? 0 : (total - totals[static_cast<std::size_t>(b)]) / others;
    double from_here = 0;
    for (std::int64_t t = length(b) - 1; t >= 0; --t) {
      from_here += rewards.at(t * batch + b) - mean;
      advantage.set(t * batch + b, from_here);
    }
  }
  const Tensor change = mask_padding(log_probability - log_probability.detach(), lengths);
  return -sum(Tensor(advantage) * change);
}

}  // namespace attune
