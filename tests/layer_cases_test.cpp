#include "layer_cases.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <set>

#include "attune/train/checkpoint.h"
#include "catch.h"
#include "golden.h"
#include "row_test.h"
#include "temporary_folder.h"

using namespace attune;

// Several tests for each row of the table.
namespace {

Indices indices_for(const LayerCase& row, Size size) {
  if (row.indices == "ids") return ids({size == Size::small ? 6 : 1031}, row.vocabulary);
  const Shape& x = size == Size::small ? row.inputs[0].small : row.inputs[0].large;
  return row.takes_lengths() ? some_lengths(x[1], x[0]) : Indices();
}

// True for the flat positions of the first input that lie beyond the lengths.
bool is_hidden(std::int64_t i, const Shape& shape, const Indices& lengths) {
  const std::int64_t row = i / (shape.elements() / (shape[0] * shape[1]));
  return row / shape[1] >= lengths.at(row % shape[1]);
}

// A layer with random parameters, so that none has a value such as 0 that hides a fault, and its
// inputs.
struct Trial {
  Trial(const LayerCase& row, Size size, DType dtype, bool with_lengths = true) : dtype(dtype) {
    const DefaultDType scope(dtype);
    seed(1);
    made = row.make(size);
    for (Param& param : made.layer->parameters())
      param.value.value().assign(random_array({}, param.value.shape(), dtype, ++draws));
    for (const LayerInput& input : row.inputs)
      x.push_back(Tensor::parameter(
          random_array({}, size == Size::small ? input.small : input.large, dtype, ++draws)));
    if (with_lengths || !row.takes_lengths()) indices = indices_for(row, size);
  }

  Operands run() const { return made.run(x, indices); }

  std::vector<std::pair<std::string, Tensor>> leaves() const {
    std::vector<std::pair<std::string, Tensor>> all;
    for (const Param& param : made.layer->parameters()) all.emplace_back(param.name, param.value);
    for (std::size_t i = 0; i < x.size(); ++i) all.emplace_back("input " + std::to_string(i), x[i]);
    return all;
  }

  // All outputs and gradients, with random cotangents. Not defined: no gradient.
  std::vector<Array> outputs_and_gradients() const {
    std::vector<Array> all;
    for (const Tensor& output : run()) {
      all.push_back(output.value());
      if (output.requires_grad())
        output.backward(random_array({}, output.shape(), dtype, 99), /*retain_graph=*/true);
    }
    for (const auto& [name, leaf] : leaves()) all.push_back(leaf.grad());
    return all;
  }

  DType dtype;
  MadeLayer made;
  Operands x;
  Indices indices;
  std::uint64_t draws = 0;
};

void require_same_bits(const std::vector<Array>& a, const std::vector<Array>& b) {
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    INFO("array " << i << " of " << a.size());
    REQUIRE(a[i].defined() == b[i].defined());
    if (!a[i].defined()) continue;
    REQUIRE(a[i].bytes() == b[i].bytes());
    REQUIRE(std::memcmp(a[i].raw(), b[i].raw(), a[i].bytes()) == 0);
  }
}

void check_gradient(const LayerCase& row) {
  for (const bool with_lengths : {false, true}) {
    if (with_lengths && !row.takes_lengths()) continue;
    const Trial trial(row, Size::small, DType::f64, with_lengths);
    if (trial.leaves().empty()) continue;
    const GradcheckResult result = gradcheck([&] { return trial.run(); }, trial.leaves());
    INFO((with_lengths ? "with lengths: " : "") << result.message);
    REQUIRE(result.ok);
  }
}

void check_golden(const LayerCase& row) {
  for (const auto& [file, name] : row.golden) {
    INFO(name);
    const DefaultDType f64(DType::f64);
    const Golden golden = read_golden(file, name);
    const MadeLayer made = row.make(Size::small);
    made.layer->load(golden.named_parameters());
    Operands x;
    NamedTensors leaves, outputs;
    for (const LayerInput& input : row.inputs) {
      const auto found = golden.inputs.find(input.name);
      if (found == golden.inputs.end()) continue;
      x.push_back(Tensor::parameter(found->second));
      leaves.emplace_back(input.name, x.back());
    }
    REQUIRE(x.size() == golden.inputs.size());
    for (const Param& param : made.layer->parameters())
      leaves.emplace_back(param.name, param.value);
    const auto given = golden.indices.find(row.indices);
    const Operands results = made.run(x, given == golden.indices.end() ? Indices() : given->second);
    REQUIRE(results.size() == row.outputs.size());
    for (std::size_t i = 0; i < results.size(); ++i)
      outputs.emplace_back(row.outputs[i], results[i]);
    REQUIRE(difference(golden, outputs, leaves) == "");
  }
}

void check_threads(const LayerCase& row) {
  const int before = threads();
  const auto run = [&](int count) {
    set_threads(count);
    return Trial(row, Size::large, DType::f32).outputs_and_gradients();
  };
  const std::vector<Array> alone = run(1);
  for (const int count : {2, 3, 8}) {
    INFO(count << " threads");
    require_same_bits(alone, run(count));
  }
  set_threads(before);
}

void check_saving(const LayerCase& row) {
  const TemporaryFolder folder;
  const std::string path = folder.path("layer.safetensors");
  const Trial from(row, Size::small, DType::f32);
  Trial to(row, Size::small, DType::f32);
  for (Param& param : to.made.layer->parameters()) param.value.value().fill(0.5);
  save_parameters(path, *from.made.layer);
  load_parameters(path, *to.made.layer);
  require_same_bits(from.outputs_and_gradients(), to.outputs_and_gradients());
}

void check_garbage(const LayerCase& row) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  for (const DType dtype : {DType::f32, DType::f64}) {
    const auto run = [&](double garbage) {
      const Trial trial(row, Size::small, dtype);
      Array first = trial.x[0].value();
      for (std::int64_t i = 0; i < first.elements(); ++i)
        if (is_hidden(i, first.shape(), trial.indices)) first.set(i, garbage);
      std::vector<Array> all = trial.outputs_and_gradients();
      const Array gradient = trial.x[0].grad();
      for (std::int64_t i = 0; i < gradient.elements(); ++i)
        if (is_hidden(i, first.shape(), trial.indices)) REQUIRE(gradient.at(i) == 0);
      return all;
    };
    const std::vector<Array> clean = run(0);
    for (const double garbage : {std::nan(""), kInf, -kInf, 1e30}) {
      INFO(garbage << " in " << name_of(dtype));
      require_same_bits(clean, run(garbage));
    }
  }
}

void check_freezing(const LayerCase& row) {
  const std::vector<Array> trained = Trial(row, Size::small, DType::f32).outputs_and_gradients();
  const Trial trial(row, Size::small, DType::f32);
  trial.made.layer->requires_grad(false);
  std::vector<Array> frozen = trial.outputs_and_gradients();
  const std::size_t parameters = trial.made.layer->parameters().size();
  const std::size_t first = frozen.size() - trial.x.size() - parameters;
  for (std::size_t i = first; i < first + parameters; ++i) {
    REQUIRE_FALSE(frozen[i].defined());
    REQUIRE(trained[i].defined());
    frozen[i] = trained[i];
  }
  require_same_bits(trained, frozen);
}

void check_errors(const LayerCase& row) {
  for (const BadCall& bad : row.bad_calls) {
    INFO(bad.error);
    REQUIRE_THROWS_WITH(bad.call(), contains(bad.error));
    REQUIRE_THROWS_AS(bad.call(), Error);
  }
}

const bool added = [] {
  const auto add = [](const LayerCase& row, const std::string& sentence,
                      void (*check)(const LayerCase&)) {
    RowTest<LayerCase>::add(row, sentence, check, "[layer]");
  };
  for (const LayerCase& row : layer_cases()) {
    add(row, "the layer's gradients match finite differences", check_gradient);
    add(row, "the layer's results are bitwise equal for any number of threads", check_threads);
    add(row, "the layer computes the same after saving and loading", check_saving);
    add(row, "freezing the layer changes only its own gradients", check_freezing);
    if (!row.golden.empty())
      add(row, "the layer gives PyTorch's values and gradients", check_golden);
    if (row.takes_lengths())
      add(row, "values beyond a length have no influence on the layer", check_garbage);
    if (!row.bad_calls.empty())
      add(row, "invalid calls of the layer are explained in the error", check_errors);
  }
  return true;
}();

}  // namespace

TEST_CASE("every row of the table of layers has a unique name") {
  std::set<std::string> names;
  for (const LayerCase& row : layer_cases()) {
    INFO(row.name);
    CHECK(names.insert(row.name).second);
  }
}
