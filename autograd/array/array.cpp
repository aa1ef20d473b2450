#include "attune/autograd/array/array.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace attune {

namespace {

constexpr int kMaxBits = std::bit_width(static_cast<std::uint64_t>(Shape::kMaxElements)) - 1;

// For shapes with a negative size, or that may have too many elements.
[[gnu::noinline]] std::int64_t checked_elements(const Shape& shape) {
  for (const std::int64_t size : shape)
    ATTUNE_CHECK(size >= 0, "Array: the shape {} has a negative size; only reshape works one out",
                 shape);
  shape.check();
  return shape.elements();
}

}  // namespace

std::size_t Array::bytes_of(const Shape& shape, DType dtype) {
  std::uint64_t elements = 1;
  int bits = 0;  // of the product, at most; 64 for a negative size
  for (const std::int64_t size : shape) {
    elements *= static_cast<std::uint64_t>(size);
    bits += std::bit_width(static_cast<std::uint64_t>(size));
  }
  if (bits > kMaxBits) [[unlikely]]
    elements = static_cast<std::uint64_t>(checked_elements(shape));
  return static_cast<std::size_t>(elements) * size_of(dtype);
}

Array Array::zeros(const Shape& shape, DType dtype) {
  Array result(shape, dtype);
  std::memset(result.data_, 0, result.bytes());
  return result;
}

Array Array::full(const Shape& shape, double value, DType dtype) {
  Array result(shape, dtype);
  result.fill(value);
  return result;
}

Nested::Nested(std::initializer_list<Nested> parts) {
  const Shape part = parts.size() == 0 ? Shape{} : parts.begin()->shape();
  for (const Nested& other : parts) {
    ATTUNE_CHECK(other.shape() == part,
                 "Array: nested braces hold parts of shapes {} and {}; all must be equal", part,
                 other.shape());
    values_.insert(values_.end(), other.values().begin(), other.values().end());
  }
  shape_ = part.with(0, static_cast<std::int64_t>(parts.size()));
}

Array Array::from(const Nested& values, DType dtype) {
  return from(std::span<const double>(values.values()), values.shape()).to(dtype);
}

Array Array::from(const void* values, std::size_t count, DType dtype, const Shape& shape) {
  ATTUNE_CHECK(static_cast<std::int64_t>(count) == shape.elements(),
               "Array: {} values do not fill the shape {} of {} elements", count, shape,
               shape.elements());
  Array result(shape, dtype);
  if (count > 0) std::memcpy(result.mutable_raw(), values, result.bytes());
  return result;
}

Array Array::reshape(const Shape& shape) const {
  check_defined("reshape");
  Shape full = shape;
  const auto open = std::count(shape.begin(), shape.end(), -1);
  ATTUNE_CHECK(open <= 1, "reshape: {} leaves {} sizes open; at most one can be -1", shape, open);
  if (open == 1) {
    const std::int64_t known = -shape.elements();
    const auto axis = static_cast<int>(std::find(shape.begin(), shape.end(), -1) - shape.begin());
    ATTUNE_CHECK(known > 0 && elements() % known == 0,
                 "reshape: {} elements of {} cannot be reshaped to {}", elements(), shape_, shape);
    full[axis] = elements() / known;
  }
  ATTUNE_CHECK(full.elements() == elements(),
               "reshape: {} has {} elements and {} has {}; they must be equal", shape_, elements(),
               full, full.elements());
  return view(0, full);
}

Array Array::block(std::int64_t first, std::int64_t count) const {
  check_defined("block");
  ATTUNE_CHECK(shape_.rank() > 0, "block: a scalar has no leading axis");
  ATTUNE_CHECK(first >= 0 && count >= 0 && first <= shape_[0] && count <= shape_[0] - first,
               "block: {} rows from {} on are outside the leading axis of {}", count, first,
               shape_);
  Shape shape = shape_;
  shape[0] = count;
  return view(first * shape_.elements(1, shape_.rank()), shape);
}

Array Array::operator[](std::int64_t index) const {
  check_defined("index");
  ATTUNE_CHECK(shape_.rank() > 0, "index: a scalar has no leading axis");
  ATTUNE_CHECK(index >= -shape_[0] && index < shape_[0],
               "index: {} is outside the leading axis of {}; use {} to {}", index, shape_,
               -shape_[0], shape_[0] - 1);
  if (index < 0) index += shape_[0];
  return view(index * shape_.elements(1, shape_.rank()), shape_.without(0));
}

Array Array::view(std::int64_t offset, const Shape& shape) const {
  check_defined("view");
  Array result = *this;
  result.data_ += offset * static_cast<std::int64_t>(size_of(dtype_));
  result.shape_ = shape;
  return result;
}

Array Array::clone() const {
  check_defined("clone");
  Array result(shape_, dtype_);
  std::memcpy(result.data_, data_, bytes());
  return result;
}

Array Array::to(DType dtype) const {
  check_defined("to");
  if (dtype == dtype_) return *this;
  Array result(shape_, dtype);
  dispatch_any(dtype_, [&](auto from) {
    dispatch_any(dtype, [&](auto to) {
      using From = decltype(from);
      using To = decltype(to);
      const From* source = data<From>();
      std::transform(source, source + elements(), result.mutable_data<To>(),
                     [](From value) { return static_cast<To>(value); });
    });
  });
  return result;
}

void Array::assign(const Array& values) {
  check_defined("assign");
  values.check_defined("assign");
  ATTUNE_CHECK(values.shape_ == shape_, "assign: values of shape {} do not fit an array of {}",
               values.shape_, shape_);
  const Array same = values.to(dtype_);
  std::memmove(mutable_raw(), same.data_, bytes());
}

void Array::fill(double value) {
  dispatch_any(dtype_, [&](auto type) {
    using T = decltype(type);
    std::fill_n(mutable_data<T>(), elements(), static_cast<T>(value));
  });
}

double Array::item() const {
  check_defined("item");
  ATTUNE_CHECK(elements() == 1,
               "item: a tensor of shape {} is not one number; index it or reduce it first", shape_);
  return at(0);
}

double Array::at(std::int64_t index) const {
  ATTUNE_CHECK(index >= 0 && index < elements(), "at: {} is outside an array of {} elements", index,
               elements());
  return dispatch_any(
      dtype_, [&](auto type) { return static_cast<double>(data<decltype(type)>()[index]); });
}

void Array::set(std::int64_t index, double value) {
  ATTUNE_CHECK(index >= 0 && index < elements(), "set: {} is outside an array of {} elements",
               index, elements());
  dispatch_any(dtype_, [&](auto type) {
    using T = decltype(type);
    mutable_data<T>()[index] = static_cast<T>(value);
  });
}

template <typename T>
std::vector<T> Array::to_vector() const {
  const Array same = to(dtype_of<T>);
  return std::vector<T>(same.data<T>(), same.data<T>() + elements());
}
template std::vector<float> Array::to_vector() const;
template std::vector<double> Array::to_vector() const;
template std::vector<bool> Array::to_vector() const;

bool Array::all_finite() const {
  return dispatch_any(dtype_, [&](auto type) {
    using T = decltype(type);
    const T* values = data<T>();
    return std::all_of(values, values + elements(), [](T v) { return std::isfinite(v); });
  });
}

const void* Array::raw() const {
  check_defined("raw");
  return data_;
}

void* Array::mutable_raw() {
  check_defined("mutable_raw");
  storage_.touch();
  return data_;
}

void Array::not_defined(const char* op) {
  fail("{}: the array is not defined; give it a value first", op);
}

void Array::no_data(DType asked) const {
  ATTUNE_CHECK(data_, "Array: the array is not defined and has no values; give it a value");
  ATTUNE_CHECK(
      dtype_ != DType::boolean,
      "Array: the values of shape {} are booleans (b8), but numbers are needed; choose with "
      "where(), combine with logical_and(), or convert with to(DType::f32)",
      shape_);
  fail("Array: the values of shape {} are {}, but {} was requested; convert with to()", shape_,
       name_of(dtype_), name_of(asked));
}

}  // namespace attune
