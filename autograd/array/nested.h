#pragma once

#include <initializer_list>
#include <vector>

#include "attune/autograd/array/shape.h"

namespace attune {

/// Numbers in nested braces, the argument of Array::from(): {1, 2} has one axis, {{1, 2}, {3, 4}}
/// two.
class Nested {
 public:
  Nested(double value) : values_{value} {}  // NOLINT(google-explicit-constructor)
  /// Errors: the parts differ in shape; more than seven levels.
  Nested(std::initializer_list<Nested> parts);

  const Shape& shape() const { return shape_; }
  const std::vector<double>& values() const { return values_; }  ///< row-major

 private:
  Shape shape_;
  std::vector<double> values_;
};

}  // namespace attune
