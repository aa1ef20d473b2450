#include "attune/autograd/array/shape.h"

#include <algorithm>
#include <string>

#include "attune/autograd/array/error.h"
#include "attune/autograd/array/text.h"

namespace attune {

Shape::Shape(std::span<const std::int64_t> sizes) {
  ATTUNE_CHECK(sizes.size() <= kMaxRank, "Shape: {} axes; at most {} are supported", sizes.size(),
               kMaxRank);
  for (std::int64_t size : sizes) {
    ATTUNE_CHECK(size >= -1, "Shape: axis {} has the negative size {}", rank_, size);
    sizes_[rank_++] = size;
  }
  check();
}

Shape::Shape(std::initializer_list<std::int64_t> sizes)
    : Shape(std::span<const std::int64_t>(sizes.begin(), sizes.size())) {}

int Shape::axis(int axis, const char* op) const {
  ATTUNE_CHECK(axis >= -rank_ && axis < rank_,
               "{}: axis {} is outside a tensor of shape {}; use {} to {}", op, axis, *this, -rank_,
               rank_ - 1);
  return axis < 0 ? axis + rank_ : axis;
}

Shape Shape::without(int axis, bool keep) const {
  Shape result = *this;
  if (keep) {
    result.sizes_[axis] = 1;
    return result;
  }
  std::copy(sizes_.begin() + axis + 1, sizes_.begin() + rank_, result.sizes_.begin() + axis);
  result.sizes_[--result.rank_] = 0;
  return result;
}

Shape Shape::with(int axis, std::int64_t size) const {
  ATTUNE_CHECK(rank_ < kMaxRank, "Shape: {} has {} axes already; at most {} are supported", *this,
               rank_, kMaxRank);
  Shape result = *this;
  std::copy_backward(result.sizes_.begin() + axis, result.sizes_.begin() + rank_,
                     result.sizes_.begin() + rank_ + 1);
  result.sizes_[axis] = size;
  ++result.rank_;
  return result;
}

void Shape::too_large() const {
  fail("Shape: {} is too large; the sizes' product may be 2^59 at most", *this);
}

Shape broadcast(const Shape& a, const Shape& b, const char* op) {
  Shape result = a.rank() >= b.rank() ? a : b;
  for (int back = 0; back < std::min(a.rank(), b.rank()); ++back) {
    const std::int64_t x = a.last(back), y = b.last(back);
    ATTUNE_CHECK(x == y || x == 1 || y == 1,
                 "{}: shapes do not broadcast: {} and {} differ in axis {} from the end ({} and "
                 "{}); sizes must be equal, or one of them 1",
                 op, a, b, back + 1, x, y);
    result[result.rank() - 1 - back] = x == 1 ? y : x;
  }
  return result;
}

}  // namespace attune

fmt::format_context::iterator fmt::formatter<attune::Shape>::format(
    const attune::Shape& shape, fmt::format_context& context) const {
  std::string text = "[";
  text += joined(shape);
  text += ']';
  return std::copy(text.begin(), text.end(), context.out());
}
