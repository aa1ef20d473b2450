#include "attune/autograd/all.h"
#include "workloads.h"

bench::Workload chain(const bench::ChainSizes& n) {
  using namespace attune;
  Tensor x = Tensor::parameter(Array::full({n.elements}, 1));
  const Tensor y(Array::full({n.elements}, 0.01));
  return {n.operations, [=]() mutable {
            x.zero_grad();
            Tensor z = x;
            for (int i = 0; i < n.operations / 2; ++i) z = tanh(z + y);
            const Tensor loss = sum(z);
            loss.backward();
            return loss.item();
          }};
}
