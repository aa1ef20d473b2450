#include "attune/autograd/array/indices.h"

#include <algorithm>

#include "attune/autograd/array/error.h"

namespace attune {

Indices::Indices(std::span<const std::int32_t> values, const Shape& shape)
    : storage_(values.size_bytes()), shape_(shape) {
  for (const std::int64_t size : shape)
    ATTUNE_CHECK(size >= 0, "Indices: the shape {} has a negative size", shape);
  ATTUNE_CHECK(static_cast<std::int64_t>(values.size()) == shape.elements(),
               "Indices: {} values do not fill the shape {} of {} elements", values.size(), shape,
               shape.elements());
  auto* memory = static_cast<std::int32_t*>(storage_.data());
  std::copy(values.begin(), values.end(), memory);
  data_ = memory;
}

Indices::Indices(std::span<const std::int32_t> values)
    : Indices(values, Shape{static_cast<std::int64_t>(values.size())}) {}

Indices::Indices(std::initializer_list<std::int32_t> values)
    : Indices(std::span<const std::int32_t>(values.begin(), values.size())) {}

Indices Indices::operator[](std::int64_t index) const {
  check_defined();
  ATTUNE_CHECK(shape_.rank() > 0 && index >= 0 && index < shape_[0],
               "Indices: {} is outside the leading axis of {}", index, shape_);
  return block(index, 1).reshape(shape_.without(0));
}

Indices Indices::block(std::int64_t first, std::int64_t count) const {
  check_defined();
  ATTUNE_CHECK(shape_.rank() > 0 && first >= 0 && count >= 0 && first <= shape_[0] &&
                   count <= shape_[0] - first,
               "Indices: {} rows from {} on are outside the leading axis of {}", count, first,
               shape_);
  Indices result = *this;
  result.data_ += first * shape_.elements(1, shape_.rank());
  result.shape_[0] = count;
  return result;
}

Indices Indices::columns(std::int64_t first, std::int64_t count) const {
  check_defined();
  ATTUNE_CHECK(shape_.rank() > 0 && first >= 0 && count >= 0 && first <= shape_.last() &&
                   count <= shape_.last() - first,
               "Indices: {} columns from {} on are outside the last axis of {}", count, first,
               shape_);
  std::vector<std::int32_t> values;
  for (std::int64_t row = first; row < elements(); row += shape_.last())
    values.insert(values.end(), data_ + row, data_ + row + count);
  Shape shape = shape_;
  shape[shape.rank() - 1] = count;
  return Indices(values, shape);
}

Indices Indices::reshape(const Shape& shape) const {
  check_defined();
  ATTUNE_CHECK(std::count_if(shape.begin(), shape.end(), [](auto n) { return n < 0; }) == 0 &&
                   shape.elements() == elements(),
               "Indices: {} cannot be reshaped to {}", shape_, shape);
  Indices result = *this;
  result.shape_ = shape;
  return result;
}

void Indices::no_element(std::int64_t flat) const {
  ATTUNE_CHECK(data_, "Indices: the indices are not defined; give them values first");
  fail("Indices: position {} is outside [0, {}), the numbers of shape {}", flat, elements(),
       shape_);
}

}  // namespace attune
