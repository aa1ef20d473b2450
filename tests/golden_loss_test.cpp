#include "attune/autograd/ops/losses.h"
#include "catch.h"
#include "golden.h"

using namespace attune;

namespace {

// Runs a loss on leaves made of the case's inputs `names`, in that order, and compares all.
template <typename Loss>
std::string compare(const Golden& golden, const std::vector<std::string>& names, const Loss& loss) {
  std::vector<Tensor> inputs;
  NamedTensors leaves;
  for (const std::string& name : names) {
    inputs.push_back(Tensor::parameter(golden.inputs.at(name)));
    leaves.emplace_back(name, inputs.back());
  }
  return difference(golden, {{"loss", loss(inputs)}}, leaves);
}

std::string compare_cross_entropy(const std::string& name, double smoothing) {
  const Golden golden = read_golden("losses", name);
  return compare(golden, {"logits"}, [&](const std::vector<Tensor>& x) {
    return cross_entropy(x[0], golden.indices.at("targets"), /*ignore=*/0, smoothing);
  });
}

}  // namespace

TEST_CASE("cross entropy gives PyTorch's value and gradient", "[golden]") {
  CHECK(compare_cross_entropy("cross entropy", 0) == "");
}
TEST_CASE("cross entropy with padding gives PyTorch's value and gradient", "[golden]") {
  CHECK(compare_cross_entropy("cross entropy with padding", 0) == "");
}
TEST_CASE("cross entropy with padding and label smoothing gives PyTorch's value and gradient",
          "[golden]") {
  CHECK(compare_cross_entropy("cross entropy with padding and smoothing", 0.1) == "");
}

TEST_CASE("negative log-likelihood gives PyTorch's value and gradient", "[golden]") {
  const Golden golden = read_golden("losses", "nll");
  CHECK(compare(golden, {"x"}, [&](const std::vector<Tensor>& x) {
          return nll_loss(x[0], golden.indices.at("targets"), /*ignore=*/0);
        }) == "");
}

TEST_CASE("mean squared error gives PyTorch's value and gradients", "[golden]") {
  CHECK(compare(read_golden("losses", "mse"), {"x", "target"},
                [](const std::vector<Tensor>& x) { return mse_loss(x[0], x[1]); }) == "");
}

TEST_CASE("binary cross entropy with logits gives PyTorch's value and gradients", "[golden]") {
  CHECK(compare(read_golden("losses", "binary cross entropy with logits"), {"x", "target"},
                [](const std::vector<Tensor>& x) {
                  return binary_cross_entropy_with_logits(x[0], x[1]);
                }) == "");
}
