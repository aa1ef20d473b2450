#include <benchmark/benchmark.h>

#include "bench/micro/micro.h"
#include "tests/op_cases.h"

using namespace attune;

namespace {

Operands operands_of(const OpCase& row, bool with_gradients) {
  Operands x;
  for (std::size_t i = 0; i < row.large.size(); ++i) {
    const Array values = random_array(row.operands[i], row.large[i], DType::f32, i + 1);
    x.push_back(with_gradients ? Tensor::parameter(values) : Tensor(values));
  }
  return x;
}

void forward(benchmark::State& state, const OpCase& row) {
  const Operands x = operands_of(row, false);
  std::int64_t elements = 0;
  for (const Tensor& result : row.apply(x)) elements += result.elements();
  for (auto _ : state) benchmark::DoNotOptimize(row.apply(x));
  state.SetItemsProcessed(state.iterations() * elements);
}

// Differentiates the sum of the results if there are several, which adds a little time.
void forward_backward(benchmark::State& state, const OpCase& row) {
  Operands x = operands_of(row, true);
  std::int64_t elements = 0;
  const Results first = row.apply(x);
  for (const Tensor& result : first) elements += result.elements();
  const Array cotangent = random_array({}, first[0].shape(), DType::f32, 99);
  for (auto _ : state) {
    for (Tensor& operand : x) operand.zero_grad();
    const Results results = row.apply(x);
    if (results.size() == 1) {
      results[0].backward(cotangent);
      continue;
    }
    Tensor total = sum(results[0]);
    for (std::size_t i = 1; i < results.size(); ++i) total = total + sum(results[i]);
    total.backward();
  }
  state.SetItemsProcessed(state.iterations() * elements);
}

}  // namespace

void register_ops() {
  for (const OpCase& row : op_cases()) {
    const std::string name = "op/" + row.name;
    benchmark::RegisterBenchmark((name + "/forward").c_str(), forward, row);
    benchmark::RegisterBenchmark((name + "/forward+backward").c_str(), forward_backward, row);
  }
}
