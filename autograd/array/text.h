#pragma once

#include <string>
#include <string_view>
#include <type_traits>

namespace attune {

/// "a, b, c": texts or whole numbers, one after the other. (fmt::join does it too, but costs each
/// source that uses it a second or two of compiling.)
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
