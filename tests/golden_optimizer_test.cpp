#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "attune/optim/all.h"
#include "catch.h"
#include "golden.h"

using namespace attune;
using nlohmann::json;

namespace {

const json& golden() {
  static const json content =
      json::parse(std::ifstream(std::string(ATTUNE_GOLDEN_DIR) + "/optimizers.json"));
  return content;
}

// The golden values over and over, so that the vectorised loops have work too.
Array repeated(const json& values, DType dtype) {
  constexpr int kTimes = 51;
  std::vector<double> all;
  for (int i = 0; i < kTimes; ++i) all.insert(all.end(), values.begin(), values.end());
  return Array::from(all, {static_cast<std::int64_t>(all.size())}).to(dtype);
}

template <typename Kind, typename ReadOptions>
void compare(const std::string& family, const ReadOptions& read_options) {
  int cases = 0;
  for (const json& golden_case : golden().at("cases")) {
    const std::string name = golden_case.at("name");
    if (name != family && name.rfind(family + " ", 0) != 0) continue;
    ++cases;
    for (const DType dtype : {DType::f64, DType::f32}) {
      Tensor parameter = Tensor::parameter(repeated(golden().at("start"), dtype));
      Kind optimizer({parameter}, read_options(golden_case.at("options")));
      for (std::size_t step = 0; step < 20; ++step) {
        optimizer.zero_grad();
        parameter.backward(repeated(golden().at("gradients_per_step").at(step), dtype));
        optimizer.step();
        INFO(name << " in " << name_of(dtype) << " after step " << step + 1);
        REQUIRE(difference(parameter.value(), repeated(golden_case.at("values").at(step), dtype),
                           dtype == DType::f64 ? 1e-12 : 2e-6) == "");
      }
    }
  }
  REQUIRE(cases > 0);
}

}  // namespace

TEST_CASE("twenty steps of SGD with its options give PyTorch's values") {
  compare<SGD>("SGD", [d = SGDOptions{}](const json& o) {
    return SGDOptions{.learning_rate = o.at("lr"),
                      .momentum = o.value("momentum", d.momentum),
                      .weight_decay = o.value("weight_decay", d.weight_decay),
                      .nesterov = o.value("nesterov", d.nesterov)};
  });
}

TEST_CASE("twenty steps of Adagrad with its options give PyTorch's values") {
  compare<Adagrad>("Adagrad", [d = AdagradOptions{}](const json& o) {
    return AdagradOptions{.learning_rate = o.at("lr"),
                          .weight_decay = o.value("weight_decay", d.weight_decay)};
  });
}

TEST_CASE("twenty steps of RMSprop with its options give PyTorch's values") {
  compare<RMSprop>("RMSprop", [d = RMSpropOptions{}](const json& o) {
    return RMSpropOptions{.learning_rate = o.at("lr"),
                          .alpha = o.value("alpha", d.alpha),
                          .weight_decay = o.value("weight_decay", d.weight_decay),
                          .momentum = o.value("momentum", d.momentum),
                          .centered = o.value("centered", d.centered)};
  });
}

TEST_CASE("twenty steps of Adam with its options give PyTorch's values") {
  compare<Adam>("Adam", [d = AdamOptions{}](const json& o) {
    return AdamOptions{.learning_rate = o.at("lr"),
                       .beta1 = o.value("beta1", d.beta1),
                       .beta2 = o.value("beta2", d.beta2),
                       .eps = o.value("eps", d.eps),
                       .weight_decay = o.value("weight_decay", d.weight_decay)};
  });
}

TEST_CASE("twenty steps of AdamW with its options give PyTorch's values") {
  compare<AdamW>("AdamW", [d = AdamWOptions{}](const json& o) {
    return AdamWOptions{.learning_rate = o.at("lr"),
                        .weight_decay = o.value("weight_decay", d.weight_decay)};
  });
}
