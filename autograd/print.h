#pragma once

#include <fmt/core.h>

#include <iosfwd>
#include <string>

#include "attune/autograd/tensor.h"

namespace attune {

/// How arrays are printed.
struct PrintOptions {
  int precision = 4;              ///< digits behind the point, at most
  std::int64_t threshold = 1000;  ///< with more elements, the middle of long axes is left out
  std::int64_t edge_items = 3;    ///< how many are then shown at either end of an axis
};

/// Values as NumPy prints them, one row a line and the numbers below each other:
///
///     [[ 1.   2.5]
///      [-3.   4. ]]
///
/// Very large and very small numbers are written as 1.5e-07.
std::string to_string(const Array& values, const PrintOptions& options = {});
std::string to_string(const Tensor& tensor, const PrintOptions& options = {});

std::ostream& operator<<(std::ostream& stream, const Array& values);
std::ostream& operator<<(std::ostream& stream, const Tensor& tensor);

}  // namespace attune

/// fmt::print("{}", tensor)
template <>
struct fmt::formatter<attune::Array> {
  constexpr auto parse(fmt::format_parse_context& context) { return context.begin(); }
  fmt::format_context::iterator format(const attune::Array& values,
                                       fmt::format_context& context) const;
};
template <>
struct fmt::formatter<attune::Tensor> : fmt::formatter<attune::Array> {
  fmt::format_context::iterator format(const attune::Tensor& tensor,
                                       fmt::format_context& context) const;
};
