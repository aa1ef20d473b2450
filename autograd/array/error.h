#pragma once

#include <fmt/core.h>

#include <stdexcept>

namespace attune {

/// Every error that Attune reports: one line that names the operation, the fault, what was found,
/// what was expected and a hint.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

namespace detail {

// Not a template: formatting is compiled once, not again for each message, of which there are
// hundreds. (For the same reason headers include <fmt/core.h> and never <fmt/format.h>.)
[[noreturn, gnu::cold]] void throw_error(fmt::string_view text, fmt::format_args args);

}  // namespace detail

/// Throws an Error with a formatted message.
template <typename... Args>
[[noreturn]] void fail(fmt::format_string<Args...> text, Args&&... args) {
  detail::throw_error(text, fmt::make_format_args(args...));
}

}  // namespace attune

/// Throws attune::Error with the formatted message unless `condition` holds.
#define ATTUNE_CHECK(condition, ...) \
  do {                               \
    if (!(condition)) [[unlikely]]   \
      ::attune::fail(__VA_ARGS__);   \
  } while (false)
