// Operations that pick elements by position or go along an axis, on values without garbage.
#include <algorithm>

#include "random_programs/builder.h"

namespace attune::random_programs {
namespace {

bool add_step_slice(Builder& b) {
  const int x = b.any(1), rank = b.shape_of(x).rank(), axis = b.axis(rank);
  const std::int64_t n = b.shape_of(x)[(axis + rank) % rank];
  const auto position = [&] { return b.chance(0.2) ? kEnd : b.below(2 * n + 3) - n - 1; };
  const std::int64_t start = position(), stop = position();
  const std::int64_t step = (b.chance(0.5) ? 1 : -1) * (1 + b.below(4));
  return b.push("slice with steps", fmt::format("axis={} {}:{}:{}", axis, start, stop, step), {x},
                [=](const Tensors& in) { return Tensors{slice(in[0], axis, start, stop, step)}; });
}

bool add_expand(Builder& b) {
  const int x = b.any(0, 3);
  const int axis = static_cast<int>(b.below(b.shape_of(x).rank() + 1));
  Shape to = b.shape_of(x).with(axis, b.size());
  return b.push("unsqueeze and expand", fmt::format("axis={}", axis), {x},
                [=](const Tensors& in) { return Tensors{expand(unsqueeze(in[0], axis), to)}; });
}

// Positions along an axis of x, which may come several times, in the shape of x but along the axis.
Indices positions(Builder& b, const Shape& x, int axis) {
  Shape shape = x;
  shape[axis] = b.size();
  return b.ids(shape, x[axis]);
}

bool add_take_along_axis(Builder& b) {
  const int x = b.any_filled(1), axis = static_cast<int>(b.below(b.shape_of(x).rank()));
  const Indices index = positions(b, b.shape_of(x), axis);
  return b.push("take_along_axis", fmt::format("axis={} index={}", axis, to_text(index)), {x},
                [=](const Tensors& in) { return Tensors{take_along_axis(in[0], index, axis)}; });
}

bool add_scatter_add(Builder& b) {
  const int x = b.any_filled(1), axis = static_cast<int>(b.below(b.shape_of(x).rank()));
  const Indices index = positions(b, b.shape_of(x), axis);
  const int source = b.of(index.shape());
  return b.push("scatter_add", fmt::format("axis={} index={}", axis, to_text(index)), {x, source},
                [=](const Tensors& in) { return Tensors{scatter_add(in[0], axis, index, in[1])}; });
}

bool add_log_copy_mixture(Builder& b) {
  const int logits = b.any_filled(2, 3);
  Shape shape = b.shape_of(logits);
  const int last = shape.rank() - 1;
  const std::int64_t positions = b.size(), vocabulary = shape[last] + b.below(3);
  if (shape[last] == 0 || positions == 0) return false;
  const Indices tokens = b.ids({shape[last - 1], positions}, vocabulary);
  shape[last] = 1;
  const int gate = b.of(shape);
  shape[last] = positions;
  const int scores = b.of(shape);
  return b.push(
      "log_copy_mixture", fmt::format("of {} tokens={}", vocabulary, to_text(tokens)),
      {logits, gate, scores}, [=](const Tensors& in) {
        const Tensor generate = sigmoid(in[1]);
        const Tensor copies = (1.0 - generate) * softmax(in[2]);
        return Tensors{log_copy_mixture(in[0], generate, copies, tokens, vocabulary, 1e-30)};
      });
}

bool add_cumsum(Builder& b) {
  const int x = b.any(1), axis = b.axis(b.shape_of(x).rank());
  return b.push("cumsum", fmt::format("axis={}", axis), {x},
                [axis](const Tensors& in) { return Tensors{cumsum(in[0], axis)}; });
}

bool add_logcumsumexp(Builder& b) {
  const int x = b.any(1), axis = b.axis(b.shape_of(x).rank());
  return b.push("logcumsumexp", fmt::format("axis={}", axis), {x},
                [axis](const Tensors& in) { return Tensors{logcumsumexp(in[0], axis)}; });
}

bool add_sum_over_axes(Builder& b) {
  const int x = b.any(2), rank = b.shape_of(x).rank();
  std::vector<int> axes;
  for (int axis = 0; axis < rank; ++axis)
    if (b.chance(0.6)) axes.insert(axes.begin() + b.below(std::ssize(axes) + 1), axis);
  const bool keep = b.chance(0.5);
  std::string details = fmt::format("keep={} axes", keep);
  for (const int axis : axes) details += fmt::format(" {}", axis);
  return b.push("sum over axes", details, {x},
                [=](const Tensors& in) { return Tensors{sum(in[0], axes, keep)}; });
}

bool add_masked_fill(Builder& b) {
  const int x = b.any();
  Array mask(b.shape_of(x), DType::boolean);
  for (std::int64_t i = 0; i < mask.elements(); ++i) mask.set(i, b.chance(0.4));
  return b.push("masked_fill", "", {x},
                [mask](const Tensors& in) { return Tensors{masked_fill(in[0], mask, 0.5)}; });
}

}  // namespace

std::vector<Operation> indexing_operations() {
  return {
      {"slice with steps", add_step_slice},       {"unsqueeze and expand", add_expand},
      {"take_along_axis", add_take_along_axis},   {"scatter_add", add_scatter_add},
      {"log_copy_mixture", add_log_copy_mixture}, {"cumsum", add_cumsum},
      {"logcumsumexp", add_logcumsumexp},         {"sum over axes", add_sum_over_axes},
      {"masked_fill", add_masked_fill},
  };
}

}  // namespace attune::random_programs
