#include "attune/autograd/gradcheck.h"

#include <cmath>

#include "attune/autograd/array/random.h"
#include "attune/autograd/scopes.h"

namespace attune {
namespace {

// The sum over all results of <result, its cotangent>.
double weighted_sum(const std::vector<Tensor>& results, const std::vector<Array>& cotangents) {
  double total = 0;
  for (std::size_t k = 0; k < results.size(); ++k) {
    const double* values = results[k].value().data<double>();
    const double* weights = cotangents[k].data<double>();
    for (std::int64_t i = 0; i < results[k].elements(); ++i) total += values[i] * weights[i];
  }
  return total;
}

}  // namespace

GradcheckResult gradcheck(const std::function<std::vector<Tensor>()>& function,
                          const std::vector<std::pair<std::string, Tensor>>& leaves,
                          const GradcheckOptions& options) {
  for (const auto& [name, leaf] : leaves) {
    ATTUNE_CHECK(leaf.dtype() == DType::f64 && leaf.requires_grad(),
                 "gradcheck: '{}' must be a float64 tensor that requires a gradient", name);
    Tensor(leaf).zero_grad();
  }
  Generator random(options.seed);
  const std::vector<Tensor> results = function();
  std::vector<Array> cotangents;
  for (const Tensor& result : results) {
    ATTUNE_CHECK(
        result.dtype() == DType::f64,
        "gradcheck: a result is {}; it must stay float64, or differences drown in rounding",
        name_of(result.dtype()));
    cotangents.emplace_back(result.shape(), DType::f64);
    random.normal(cotangents.back(), 0, 1);
  }
  for (std::size_t k = 0; k < results.size(); ++k)
    if (results[k].requires_grad()) results[k].backward(cotangents[k], true);

  const NoGrad no_grad;
  for (const auto& [name, leaf] : leaves) {
    Array value = leaf.value();
    for (std::int64_t i = 0; i < leaf.elements(); ++i) {
      const double kept = value.at(i), h = options.step * std::max(1.0, std::fabs(kept));
      const auto loss_at = [&](double changed) {
        value.set(i, changed);
        return weighted_sum(function(), cotangents);
      };
      const double numeric = (loss_at(kept + h) - loss_at(kept - h)) / (2 * h);
      value.set(i, kept);
      const double analytic = leaf.grad().defined() ? leaf.grad().at(i) : 0;
      const double allowed =
          options.absolute_tolerance + options.relative_tolerance * std::fabs(numeric);
      if (!(std::fabs(analytic - numeric) <= allowed))
        return {false, fmt::format("gradcheck: {} of shape {}, index {}: backward gives {:.10g}, "
                                   "finite differences give {:.10g}",
                                   name, leaf.shape(), i, analytic, numeric)};
    }
  }
  return {};
}

GradcheckResult gradcheck(const GradcheckFunction& function, const std::vector<Array>& inputs,
                          const GradcheckOptions& options) {
  std::vector<std::pair<std::string, Tensor>> leaves;
  std::vector<Tensor> tensors;
  for (const Array& input : inputs) {
    tensors.push_back(Tensor::parameter(input.to(DType::f64).clone()));
    leaves.emplace_back(fmt::format("input {}", leaves.size()), tensors.back());
  }
  return gradcheck([&] { return function(tensors); }, leaves, options);
}

GradcheckResult gradcheck(const std::function<Tensor(const std::vector<Tensor>&)>& function,
                          const std::vector<Array>& inputs, const GradcheckOptions& options) {
  return gradcheck(
      GradcheckFunction([&](const std::vector<Tensor>& x) { return std::vector{function(x)}; }),
      inputs, options);
}

}  // namespace attune
