#include "attune/attune.h"
#include "attune/extend.h"

using namespace attune;

// x sigmoid(x), an operation of this program's own.
Tensor swish(const Tensor& x) {
  Array y = map("swish", x.value(), [](auto v) { return v * math::sigmoid(v); });
  return record("swish", std::move(y), {x}, [x = Saved(x)](Grads& g) {
    g.add(0, map("swish", g.dy(), *x, [](auto d, auto v) {
            const auto s = math::sigmoid(v);
            return d * (s + v * s * (1 - s));
          }));
  });
}

// The gradient of sum(x * x) at 3 is 6: headers, library and what it links to are all in place.
int main() {
  const Tensor x = Tensor::parameter(Array::full({1}, 3.0));
  sum(x * x).backward();
  const auto function = [](const std::vector<Tensor>& in) { return swish(in[0]); };
  const bool own_is_right = gradcheck(function, {Array::from({{-2, 0, 1}, {3, -1, 4}})}).ok;
  return x.grad().item() == 6.0 && own_is_right ? 0 : 1;
}
