#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <vector>

#include "attune/autograd/array/shape.h"
#include "attune/autograd/array/storage.h"

namespace attune {

/// Whole numbers with a shape, such as token ids [T, B] or lengths [B]. Never changed after they
/// are made, so copies and views share the memory. The default is "none given".
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
  const std::int32_t* data() const { return data_; }
  std::int32_t at(std::int64_t flat) const { return data_[flat]; }
  /// Entry `index` of the leading axis, without a copy.
  Indices operator[](std::int64_t index) const;
  /// Rows [first, first + count) of the leading axis, without a copy.
  Indices block(std::int64_t first, std::int64_t count) const;
  /// Columns [first, first + count) of the last axis, a copy: of ids [T, B] those of some
  /// sequences.
  Indices columns(std::int64_t first, std::int64_t count) const;
  Indices reshape(const Shape& shape) const;
  std::vector<std::int32_t> to_vector() const { return {data_, data_ + elements()}; }

 private:
  Storage storage_;
  const std::int32_t* data_ = nullptr;
  Shape shape_;
};

}  // namespace attune
