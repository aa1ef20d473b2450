#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <vector>

#include "attune/autograd/array/shape.h"
#include "attune/autograd/array/storage.h"

namespace attune {

/// The target class that losses ignore by default, as for padding.
inline constexpr std::int32_t kIgnore = -100;

/// An immutable array of 32-bit integers, such as token ids [T, B] or lengths [B]. Copies and views
/// share the memory. A default-constructed object means "none given"; using its numbers is an
/// Error.
class Indices {
 public:
  Indices() = default;
  /// One axis. Implicit, to allow `embedding(weight, {3, 1, 4})`.
  Indices(std::initializer_list<std::int32_t> values);
  explicit Indices(std::span<const std::int32_t> values);
  /// Row-major. Errors: the number of values does not fit the shape.
  Indices(std::span<const std::int32_t> values, const Shape& shape);

  bool defined() const { return static_cast<bool>(storage_); }
  const Shape& shape() const { return shape_; }
  std::int64_t elements() const { return shape_.elements(); }
  /// Pointer to the first number. Errors: not defined.
  const std::int32_t* data() const {
    check_defined();
    return data_;
  }
  /// The number at a flat position. Errors: not defined; out of range.
  std::int32_t at(std::int64_t flat) const {
    if (!data_ || flat < 0 || flat >= elements()) [[unlikely]]
      no_element(flat);
    return data_[flat];
  }
  /// A view of entry `index` of the leading axis. Errors: not defined; outside the axis.
  Indices operator[](std::int64_t index) const;
  /// A view of rows [first, first + count) of the leading axis. Errors: not defined; outside the
  /// axis.
  Indices block(std::int64_t first, std::int64_t count) const;
  /// A copy of columns [first, first + count) of the last axis, such as some of the sequences of
  /// ids [T, B]. Errors: not defined; outside the axis.
  Indices columns(std::int64_t first, std::int64_t count) const;
  Indices reshape(const Shape& shape) const;
  std::vector<std::int32_t> to_vector() const { return {data(), data() + elements()}; }

 private:
  void check_defined() const {
    if (!data_) [[unlikely]]
      no_element(0);
  }
  [[noreturn]] void no_element(std::int64_t flat) const;

  Storage storage_;
  const std::int32_t* data_ = nullptr;
  Shape shape_;
};

}  // namespace attune
