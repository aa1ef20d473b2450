#include "attune/autograd/print.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <ostream>

namespace attune {
namespace {

// Prints one array: first all numbers that are shown decide on a format, then it is applied.
class Printer {
 public:
  Printer(const Array& values, const PrintOptions& options)
      : values_(values),
        options_(options),
        shortens_(values.elements() > options.threshold && options.edge_items > 0) {
    visit(0, 0, [this](std::int64_t at) { note(values_.at(at)); });
    while (decimals_ < options_.precision && !all_exact()) ++decimals_;
    visit(0, 0,
          [this](std::int64_t at) { width_ = std::max(width_, text(values_.at(at)).size()); });
  }

  std::string print() {
    if (values_.shape().rank() == 0) return text(values_.item());
    print_axis(0, 0);
    return std::move(out_);
  }

 private:
  static constexpr std::size_t kLineLength = 75;

  // Calls body(i) for each index of an axis that is shown, and body(-1) for those left out.
  template <typename Body>
  void shown(int axis, const Body& body) const {
    const std::int64_t n = values_.shape()[axis], edge = options_.edge_items;
    const bool skips = shortens_ && n > 2 * edge;
    for (std::int64_t i = 0; i < n; ++i) {
      if (skips && i == edge) {
        body(std::int64_t{-1});
        i = n - edge;
      }
      body(i);
    }
  }

  // Calls for the flat position of each element that is shown.
  void visit(int axis, std::int64_t offset, const std::function<void(std::int64_t)>& body) const {
    if (axis == values_.shape().rank()) return body(offset);
    shown(axis, [&](std::int64_t i) {
      if (i >= 0) visit(axis + 1, offset + i * step(axis), body);
    });
  }

  std::int64_t step(int axis) const {
    return values_.shape().elements(axis + 1, values_.shape().rank());
  }

  void note(double value) {
    const double size = std::fabs(value);
    if (!std::isfinite(value) || size == 0) return;
    largest_ = std::max(largest_, size);
    smallest_ = smallest_ == 0 ? size : std::min(smallest_, size);
    scientific_ = largest_ >= 1e8 || smallest_ < 1e-4 || largest_ / smallest_ > 1e6;
  }

  bool all_exact() const {
    bool exact = true;
    visit(0, 0, [&](std::int64_t at) { exact = exact && is_exact(values_.at(at)); });
    return exact;
  }

  // Whether the decimals so far say as much as all that may be shown.
  bool is_exact(double value) const {
    if (!std::isfinite(value)) return true;
    const std::string full = digits(value, options_.precision);
    return std::strtod(digits(value, decimals_).c_str(), nullptr) ==
           std::strtod(full.c_str(), nullptr);
  }

  std::string digits(double value, int decimals) const {
    return scientific_ ? fmt::format("{:#.{}e}", value, decimals)
                       : fmt::format("{:#.{}f}", value, decimals);
  }

  std::string text(double value) const {
    if (values_.dtype() == DType::boolean) return value != 0 ? "True" : "False";
    if (!std::isfinite(value)) return std::isnan(value) ? "nan" : (value > 0 ? "inf" : "-inf");
    std::string number = digits(value, decimals_);
    if (scientific_) return number;
    // 1.50 beside 2.25 is written "1.5 ".
    const std::size_t length = number.size();
    number.resize(number.find_last_not_of('0') + 1);
    number.resize(length, ' ');
    return number;
  }

  void print_axis(int axis, std::int64_t offset) {
    const bool last = axis == values_.shape().rank() - 1;
    out_ += '[';
    bool first = true;
    std::size_t line = static_cast<std::size_t>(axis) + 1;
    shown(axis, [&](std::int64_t i) {
      const std::string item = !last ? "" : (i < 0 ? "..." : padded(values_.at(offset + i)));
      if (!first && last) {
        const bool wraps = line + 1 + item.size() > kLineLength;
        out_ += wraps ? new_line(axis) : " ";
        line = wraps ? static_cast<std::size_t>(axis) + 1 : line + 1;
      } else if (!first) {
        // One line for each row, an empty one more between the blocks of each axis further out.
        out_ += std::string(static_cast<std::size_t>(values_.shape().rank() - axis - 2), '\n');
        out_ += new_line(axis);
      }
      first = false;
      line += item.size();
      if (last)
        out_ += item;
      else if (i < 0)
        out_ += "...";
      else
        print_axis(axis + 1, offset + i * step(axis));
    });
    out_ += ']';
  }

  std::string new_line(int axis) const {
    return '\n' + std::string(static_cast<std::size_t>(axis) + 1, ' ');
  }

  std::string padded(double value) const {
    const std::string number = text(value);
    return std::string(width_ - number.size(), ' ') + number;
  }

  const Array& values_;
  const PrintOptions& options_;
  bool shortens_;
  double largest_ = 0, smallest_ = 0;
  bool scientific_ = false;
  int decimals_ = 0;
  std::size_t width_ = 0;
  std::string out_;
};

}  // namespace

std::string to_string(const Array& values, const PrintOptions& options) {
  return values.defined() ? Printer(values, options).print() : "(not defined)";
}

std::string to_string(const Tensor& tensor, const PrintOptions& options) {
  return to_string(tensor.value(), options);
}

std::ostream& operator<<(std::ostream& stream, const Array& values) {
  return stream << to_string(values);
}

std::ostream& operator<<(std::ostream& stream, const Tensor& tensor) {
  return stream << to_string(tensor);
}

}  // namespace attune

fmt::format_context::iterator fmt::formatter<attune::Array>::format(
    const attune::Array& values, fmt::format_context& context) const {
  return fmt::format_to(context.out(), "{}", attune::to_string(values));
}

fmt::format_context::iterator fmt::formatter<attune::Tensor>::format(
    const attune::Tensor& tensor, fmt::format_context& context) const {
  return fmt::format_to(context.out(), "{}", attune::to_string(tensor));
}
