#include "random_programs/builder.h"

#include <algorithm>
#include <cmath>

namespace attune::random_programs {
namespace {

constexpr double kLargest = 100;  // beyond it finite differences lose too many digits
constexpr std::int64_t kElements = 300, kLargeElements = 60000;

thread_local Fault fault = Fault::none;

// Whether all elements that are not hidden are at most kLargest in magnitude; false for NaN.
bool is_tame(const Array& value, const HiddenMask& hidden) {
  const double* x = value.data<double>();
  for (std::int64_t i = 0; i < value.elements(); ++i) {
    if (!hidden.empty() && hidden[static_cast<std::size_t>(i)]) continue;
    if (!(std::fabs(x[i]) <= kLargest)) return false;
  }
  return true;
}

HiddenMask mask_of(const Array& flags) {
  HiddenMask mask;
  bool any = false;
  for (std::int64_t i = 0; i < flags.elements(); ++i) {
    mask.push_back(flags.at(i) != 0);
    any = any || mask.back() != 0;
  }
  return any ? mask : HiddenMask();
}

// Twice the product in value, but a gradient that is off by a part in a thousand.
bool add_wrong_gradient(Builder& b) {
  const int x = b.any_filled();
  return b.push("wrong_gradient", "", {x}, [](const Tensors& in) {
    const Array twice = (in[0] * 2.0).detach().value();
    return Tensors{record("wrong_gradient", twice, {in[0]},
                          [](Grads& g) { g.add(0, (Tensor(g.dy()) * 2.002).value()); })};
  });
}

// A mask by multiplication, which NaN times 0 passes through.
bool add_leak(Builder& b) {
  const Shape shape = {1 + b.below(3), 2};
  HiddenMask hidden(static_cast<std::size_t>(shape.elements()), 0);
  hidden.back() = 1;
  const int x = b.hidden_leaf(shape, hidden);
  Array keep = Array::full(shape, 1, DType::f64);
  keep.set(keep.elements() - 1, 0);
  return b.push("leak", "", {x}, [keep](const Tensors& in) {
    return Tensors{in[0] * Tensor(keep.to(in[0].dtype()))};
  });
}

}  // namespace

Builder::Builder(std::uint64_t seed) : bits_(seed * 0x9E3779B97F4A7C15ULL + 1) {
  program.seed = seed;
  program.large = below(256) == 0;
  program.one_loss = chance(0.5);
}

std::int64_t Builder::size() {
  static constexpr std::int64_t kSmall[] = {1, 2, 2, 3, 3, 5, 7},
                                kLarge[] = {1, 7, 17, 33, 65, 130};
  return program.large ? kLarge[below(6)] : kSmall[below(7)];
}

Shape Builder::shape(int lowest_rank, int highest_rank) {
  const std::int64_t most = program.large ? kLargeElements : kElements;
  std::vector<std::int64_t> sizes(
      static_cast<std::size_t>(lowest_rank + below(highest_rank - lowest_rank + 1)));
  std::int64_t elements = 1;
  for (std::int64_t& n : sizes) {
    n = size();
    if (elements * n > most) n = 1;
    elements *= n;
  }
  if (!sizes.empty() && below(64) == 0)
    sizes[static_cast<std::size_t>(below(static_cast<std::int64_t>(sizes.size())))] = 0;
  return Shape(std::span<const std::int64_t>(sizes));
}

Indices Builder::lengths(std::int64_t count, std::int64_t longest) {
  return ids({count}, longest + 1);
}

Indices Builder::ids(const Shape& shape, std::int64_t limit) {
  std::vector<std::int32_t> all(static_cast<std::size_t>(shape.elements()));
  for (std::int32_t& id : all) id = static_cast<std::int32_t>(below(limit));
  return Indices(std::span<const std::int32_t>(all), shape);
}

int Builder::axis(int rank) {
  const int axis = static_cast<int>(below(rank));
  return chance(0.5) ? axis : axis - rank;
}

int Builder::add(const Array& value, HiddenMask hidden) {
  values_.push_back(value);
  program.shapes.push_back(value.shape());
  program.hidden.push_back(std::move(hidden));
  return static_cast<int>(values_.size()) - 1;
}

int Builder::leaf(const Shape& shape, double low, double high) {
  Array value(shape, DType::f64);
  double* x = value.mutable_data<double>();
  // Floats, so that the same program in float32 begins with the same numbers.
  for (std::int64_t i = 0; i < value.elements(); ++i)
    x[i] = static_cast<double>(static_cast<float>(uniform(low, high)));
  return leaf(Tensor::parameter(value));
}

int Builder::leaf(const Tensor& parameter) {
  const int id = add(parameter.value(), {});
  program.leaves.push_back({id, parameter});
  return id;
}

int Builder::hidden_leaf(const Shape& shape, const HiddenMask& mask) {
  const int id = leaf(shape);
  if (std::any_of(mask.begin(), mask.end(), [](char flag) { return flag != 0; }))
    program.hidden[static_cast<std::size_t>(id)] = mask;
  return id;
}

int Builder::any(int lowest_rank, int highest_rank) {
  for (int tries = 0; tries < 4 && !values_.empty(); ++tries) {
    // Later values are likelier, so that programs grow deep.
    const auto count = static_cast<std::int64_t>(values_.size());
    const int id = static_cast<int>(std::max(below(count), below(count)));
    const int rank = shape_of(id).rank();
    if (rank >= lowest_rank && rank <= highest_rank && hidden(id).empty() && chance(0.85))
      return id;
  }
  return leaf(shape(lowest_rank, highest_rank));
}

int Builder::any_filled(int lowest_rank, int highest_rank) {
  for (int tries = 0; tries < 3; ++tries)
    if (const int id = any(lowest_rank, highest_rank); shape_of(id).elements() > 0) return id;
  Shape filled = shape(lowest_rank, highest_rank);
  for (int i = 0; i < filled.rank(); ++i) filled[i] = std::max<std::int64_t>(1, filled[i]);
  return leaf(filled);
}

int Builder::of(const Shape& shape) {
  std::vector<int> fitting, reshapable;
  for (int id = 0; id < static_cast<int>(values_.size()); ++id) {
    if (!hidden(id).empty()) continue;
    if (shape_of(id) == shape)
      fitting.push_back(id);
    else if (shape_of(id).elements() == shape.elements())
      reshapable.push_back(id);
  }
  if (!fitting.empty() && chance(0.6))
    return fitting[static_cast<std::size_t>(below(static_cast<std::int64_t>(fitting.size())))];
  if (!reshapable.empty() && chance(0.3)) {
    const int id =
        reshapable[static_cast<std::size_t>(below(static_cast<std::int64_t>(reshapable.size())))];
    if (push("reshape", "", {id},
             [shape](const Tensors& in) { return Tensors{reshape(in[0], shape)}; }))
      return result();
  }
  return leaf(shape);
}

int Builder::broadcast_to_be(const Shape& shape) {
  std::vector<std::int64_t> sizes(shape.begin(), shape.end());
  if (chance(0.5)) {
    sizes.erase(sizes.begin(), sizes.begin() + below(shape.rank() + 1));
    for (std::int64_t& n : sizes)
      if (chance(0.3)) n = 1;
  }
  return of(Shape(std::span<const std::int64_t>(sizes)));
}

int Builder::within(int value, double low, double high, double kink) {
  const auto fits = [&](double x) { return x > low && x < high && std::fabs(x - kink) > kMargin; };
  const Array& given = (*this)[value];
  const double* x = given.data<double>();
  if (std::all_of(x, x + given.elements(), fits)) return value;
  const int fresh = leaf(shape_of(value), std::max(low, -1.5), std::min(high, 1.5));
  Array own = Tensor(program.leaves.back().tensor).value();
  double* y = own.mutable_data<double>();
  for (std::int64_t i = 0; i < own.elements(); ++i)
    while (!fits(y[i]))
      y[i] = static_cast<double>(
          static_cast<float>(uniform(std::max(low, -1.5), std::min(high, 1.5))));
  return fresh;
}

bool Builder::push(std::string name, std::string details, std::vector<int> inputs, Apply apply,
                   std::vector<HiddenMask> hidden, bool float64_only) {
  const NoGrad no_grad;
  Tensors operands;
  for (const int id : inputs) operands.push_back(id < 0 ? Tensor() : Tensor((*this)[id]));
  const Tensors results = apply(operands);
  hidden.resize(results.size());
  for (std::size_t k = 0; k < results.size(); ++k)
    if (!is_tame(results[k].value(), hidden[k])) return false;
  std::vector<int> outputs;
  for (std::size_t k = 0; k < results.size(); ++k)
    outputs.push_back(add(results[k].value(), std::move(hidden[k])));
  program.steps.push_back({std::move(name), std::move(details), std::move(inputs), outputs,
                           std::move(apply), float64_only});
  return true;
}

bool Builder::push_moving(std::string name, std::string details, std::vector<int> inputs,
                          Apply apply) {
  Tensors flags;
  for (const int id : inputs) {
    Array flag = Array::zeros(shape_of(id), DType::f64);
    const HiddenMask& mask = hidden(id);
    for (std::size_t i = 0; i < mask.size(); ++i) flag.set(static_cast<std::int64_t>(i), mask[i]);
    flags.emplace_back(flag);
  }
  std::vector<HiddenMask> masks;
  for (const Tensor& moved : apply(flags)) masks.push_back(mask_of(moved.value()));
  return push(std::move(name), std::move(details), std::move(inputs), std::move(apply),
              std::move(masks));
}

Program Builder::finish() {
  for (int id = static_cast<int>(values_.size()) - 1; id >= 0; --id) {
    const bool is_last = program.outputs.empty();
    if (!hidden(id).empty() || !(is_last || chance(0.3))) continue;
    Array cotangent(shape_of(id), DType::f64);
    double* r = cotangent.mutable_data<double>();
    for (std::int64_t i = 0; i < cotangent.elements(); ++i)
      r[i] = static_cast<double>(static_cast<float>(uniform(-1, 1)));
    program.outputs.push_back({id, cotangent});
  }
  return std::move(program);
}

const std::vector<Operation>& operations() {
  static const std::vector<Operation> all = [] {
    std::vector<Operation> list = plain_operations();
    for (const Operation& operation : indexing_operations()) list.push_back(operation);
    for (const Operation& operation : masked_operations()) list.push_back(operation);
    return list;
  }();
  return all;
}

FaultScope::FaultScope(Fault wanted) { fault = wanted; }
FaultScope::~FaultScope() { fault = Fault::none; }

Program make_program(std::uint64_t seed) {
  Builder builder(seed);
  const std::int64_t wanted = 1 + builder.below(7);
  const std::vector<Operation>& all = operations();
  for (std::int64_t added = 0, tries = 0; added < wanted && tries < 3 * wanted; ++tries) {
    const auto choice = builder.below(static_cast<std::int64_t>(all.size()));
    const Operation& operation = all[static_cast<std::size_t>(choice)];
    builder.operation = operation.name;
    added += operation.add(builder);
  }
  if (fault == Fault::wrong_gradient) add_wrong_gradient(builder);
  if (fault == Fault::leak) add_leak(builder);
  return builder.finish();
}

}  // namespace attune::random_programs
