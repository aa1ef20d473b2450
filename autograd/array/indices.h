#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <vector>

#include "attune/autograd/array/shape.h"
#include "attune/autograd/array/storage.h"

namespace attune {

/// A target class that no loss counts, by convention: padding.
inline constexpr std::int32_t kIgnore = -100;

/// Whole numbers with a shape, such as token ids [T, B] or lengths [B]. Never changed after they
/// are made, so copies and views share the memory. The default means "none given"; anything but
/// defined() and shape() is then an Error.
class Indices {
 public:
  Indices() = default;
  /// One axis. Implicit, so that `embedding(weight, {3, 1, 4})` reads as it should.
  Indices(std::initializer_list<std::int32_t> values);
  explicit Indices(std::span<const std::int32_t> values);
  /// Row-major. Errors: the number of values is not the shape's.
  Indices(std::span<const std::int32_t> values, const Shape& shape);

  bool defined() const { return static_cast<bool>(storage_); }
  const Shape& shape() const { return shape_; }
  std::int64_t elements() const { return shape_.elements(); }
  /// The first number. Errors: not defined.
  const std::int32_t* data() const {
    check_defined();
    return data_;
  }
  /// The number at a flat position. Errors: not defined, outside.
  std::int32_t at(std::int64_t flat) const {
    if (!data_ || flat < 0 || flat >= elements()) [[unlikely]]
      no_element(flat);
    return data_[flat];
  }
  /// Entry `index` of the leading axis, without a copy.
  Indices operator[](std::int64_t index) const;
  /// Rows [first, first + count) of the leading axis, without a copy.
  Indices block(std::int64_t first, std::int64_t count) const;
  /// Columns [first, first + count) of the last axis, a copy: of ids [T, B] those of some
  /// sequences.
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
