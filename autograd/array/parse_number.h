#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>

namespace attune {

namespace detail {

// The parts of a number's text: [+|-] digits [. digits] [(e|E) [+|-] digits].
struct WrittenNumber {
  bool negative = false;
  std::string digits;         // on both sides of the point
  std::size_t before = 0;     // digits before the point
  std::int64_t exponent = 0;  // clamped so that nothing overflows
};

inline std::optional<WrittenNumber> read_number(std::string_view text) {
  WrittenNumber number;
  const auto skip_sign = [&] {
    const bool negative = text.starts_with('-');
    if (negative || text.starts_with('+')) text.remove_prefix(1);
    return negative;
  };
  const auto take_digits = [&] {
    std::size_t count = 0;
    while (count < text.size() && text[count] >= '0' && text[count] <= '9') ++count;
    const std::string_view digits = text.substr(0, count);
    text.remove_prefix(count);
    return digits;
  };
  number.negative = skip_sign();
  number.digits = take_digits();
  number.before = number.digits.size();
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    number.digits += take_digits();
  }
  if (number.digits.empty()) return {};
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    const bool negative = skip_sign();
    const std::string_view digits = take_digits();
    if (digits.empty()) return {};
    constexpr std::int64_t kLargest = 1'000'000'000'000;
    for (const char digit : digits)
      if (number.exponent < kLargest) number.exponent = 10 * number.exponent + (digit - '0');
    if (negative) number.exponent = -number.exponent;
  }
  if (!text.empty()) return {};
  return number;
}

}  // namespace detail

/// Parses all of `text` as a number; nullopt if it is not one or does not fit into `T`. Numbers are
/// decimal in every locale: 10, 010, +10 and 1e1 are ten. For an integer `T` parsing is exact: 5.0
/// is accepted, 5.5 is not. Spaces, thousands separators, hexadecimal numbers, infinity, NaN and
/// numbers that overflow or underflow a double are not accepted.
template <typename T>
std::optional<T> parse_number(std::string_view text) {
  const std::optional<detail::WrittenNumber> written = detail::read_number(text);
  if (!written) return {};
  T value{};
  if constexpr (std::is_floating_point_v<T>) {
    if (text.front() == '+') text.remove_prefix(1);  // from_chars does not accept a plus
    if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc()) return {};
  } else {
    std::string digits = written->digits;
    std::int64_t point = static_cast<std::int64_t>(written->before) + written->exponent;
    const std::size_t leading = digits.find_first_not_of('0');
    if (leading == std::string::npos) return T{0};
    digits.erase(digits.find_last_not_of('0') + 1);
    digits.erase(0, leading);
    point -= static_cast<std::int64_t>(leading);
    // The number is now 0.digits * 10^point.
    if (point < static_cast<std::int64_t>(digits.size())) return {};  // a fraction
    if (point > std::numeric_limits<T>::digits10 + 1) return {};
    digits.append(static_cast<std::size_t>(point) - digits.size(), '0');
    if (written->negative) digits.insert(0, 1, '-');  // from_chars rejects it for an unsigned T
    if (std::from_chars(digits.data(), digits.data() + digits.size(), value).ec != std::errc())
      return {};
  }
  return value;
}

}  // namespace attune
