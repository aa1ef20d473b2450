#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "attune/autograd/array/parse_number.h"

/// CLI11 with numbers parsed by attune::parse_number(). Include this header instead of CLI/CLI.hpp.
/// By default, CLI11 parses 010 as eight and rejects 1e3.
#ifdef CLI11_PARSE
#error "include examples/cli11_numbers.h instead of CLI/CLI.hpp, before any header of CLI11"
#endif

// CLI11 converts values with lexical_cast(). These overloads take precedence over its templates.
namespace CLI::detail {

template <typename T>
bool read_number(const std::string& text, T& value) {
  const std::optional<T> number = attune::parse_number<T>(text);
  if (number) value = *number;
  return number.has_value();
}

inline bool lexical_cast(const std::string& text, int& value) { return read_number(text, value); }
inline bool lexical_cast(const std::string& text, std::int64_t& value) {
  return read_number(text, value);
}
inline bool lexical_cast(const std::string& text, std::uint64_t& value) {
  return read_number(text, value);
}
inline bool lexical_cast(const std::string& text, double& value) {
  return read_number(text, value);
}

}  // namespace CLI::detail

#include <CLI/CLI.hpp>

namespace flags {

/// Accepts numbers from `low` to `high`; `name` describes them. (CLI::Range accepts NaN.)
template <typename T>
CLI::Validator in_range(T low, T high, const std::string& name) {
  return CLI::Validator(
      [=](const std::string& text) {
        const std::optional<T> value = attune::parse_number<T>(text);
        const bool ok = value && *value >= low && *value <= high;
        return ok ? std::string() : "'" + text + "' is not " + name;
      },
      name);
}

/// The error of a command line as one line: CLI11's message, except for invalid numbers and numbers
/// out of range.
inline std::string reason_of(const CLI::ParseError& error) {
  const std::string reason = error.what(), start = "Could not convert: ", sign = " = ";
  const std::size_t at = reason.find(sign);
  if (error.get_name() != "ConversionError" || !reason.starts_with(start) ||
      at == std::string::npos)
    return reason;
  const std::string flag = reason.substr(start.size(), at - start.size());
  // If a flag is given several times, the last value is used, and CLI11 joins them with commas.
  const std::string text = reason.substr(std::max(at + sign.size(), reason.rfind(',') + 1));
  const std::optional<double> number = attune::parse_number<double>(text);
  const bool large = number && std::abs(*number) >= 2147483648.0;
  return flag + ": '" + text + "' is " +
         (large    ? "too large"
          : number ? "not a whole number"
                   : "not a number");
}

}  // namespace flags
