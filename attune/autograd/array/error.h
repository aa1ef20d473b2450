#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace attune {

/// Every error that Attune reports: one line that names the operation, the fault, what was found,
/// what was expected and a hint.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Throws an Error with a formatted message.
template <typename... Args>
[[noreturn]] void fail(fmt::format_string<Args...> text, Args&&... args) {
  throw Error(fmt::format(text, std::forward<Args>(args)...));
}

}  // namespace attune

/// Throws attune::Error with the formatted message unless `condition` holds.
#define ATTUNE_CHECK(condition, ...) \
  do {                               \
    if (!(condition)) [[unlikely]]   \
      ::attune::fail(__VA_ARGS__);   \
  } while (false)
