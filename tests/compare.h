#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "attune/autograd/array/random.h"
#include "attune/autograd/tensor.h"
#include "catch.h"

/// A constant of normally distributed numbers.
inline attune::Tensor random_normal(const attune::Shape& shape, attune::DType dtype) {
  attune::Array array(shape, dtype);
  attune::generator().normal(array, 0, 1);
  return attune::Tensor(array);
}

/// The largest difference between two arrays of one shape; infinity if an element is NaN.
inline double distance(const attune::Array& a, const attune::Array& b) {
  REQUIRE(a.shape() == b.shape());
  double largest = 0;
  for (std::int64_t i = 0; i < a.elements(); ++i) {
    const double difference = std::fabs(a.at(i) - b.at(i));
    if (std::isnan(difference)) return std::numeric_limits<double>::infinity();
    largest = std::max(largest, difference);
  }
  return largest;
}
