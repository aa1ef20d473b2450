#include "attune/attune.h"

// The gradient of sum(x * x) at 3 is 6: headers, library and what it links to are all in place.
int main() {
  const attune::Tensor x = attune::Tensor::parameter(attune::Array::full({1}, 3.0));
  attune::sum(x * x).backward();
  return x.grad().item() == 6.0 ? 0 : 1;
}
