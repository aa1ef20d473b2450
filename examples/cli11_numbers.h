#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "attune/autograd/array/parse_number.h"

/// CLI11, which reads numbers as attune::parse_number() does in every program that includes this
/// instead of CLI/CLI.hpp. On its own it takes 010 for eight and does not know 1e3.
#ifdef CLI11_PARSE
#error "include examples/cli11_numbers.h instead of CLI/CLI.hpp: what CLI11 calls comes first"
#endif

// CLI11 asks its overloads of lexical_cast() for each type; those of one type come before its own,
// which are templates.
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

/// Takes the numbers from `low` to `high`, which are called `name`. (CLI::Range lets NaN through.)
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

/// What is wrong with the command line, in one line: CLI11's words, but for numbers that are none
/// or that have no room in their type.
inline std::string reason_of(const CLI::ParseError& error) {
  const std::string reason = error.what(), start = "Could not convert: ", sign = " = ";
  const std::size_t at = reason.find(sign);
  if (error.get_name() != "ConversionError" || !reason.starts_with(start) ||
      at == std::string::npos)
    return reason;
  const std::string flag = reason.substr(start.size(), at - start.size());
  // Of a flag that is given several times the last value counts, and CLI11 joins them by commas.
  const std::string text = reason.substr(std::max(at + sign.size(), reason.rfind(',') + 1));
  const std::optional<double> number = attune::parse_number<double>(text);
  const bool large = number && std::abs(*number) >= 2147483648.0;
  return flag + ": '" + text + "' is " +
         (large    ? "too large"
          : number ? "not a whole number"
                   : "not a number");
}

}  // namespace flags
