#pragma once

#include <string>
#include <string_view>
#include <type_traits>

namespace attune {

/// Joins strings or integers: "a, b, c". (fmt::join would add a second or two to the compilation of
/// each source that uses it.)
template <typename Parts>
std::string joined(const Parts& parts, std::string_view separator = ", ") {
  std::string text;
  bool first = true;
  for (const auto& part : parts) {
    if (!first) text += separator;
    first = false;
    if constexpr (std::is_integral_v<std::decay_t<decltype(part)>>)
      text += std::to_string(part);
    else
      text += part;
  }
  return text;
}

}  // namespace attune
