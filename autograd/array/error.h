#pragma once

#include <fmt/core.h>

#include <stdexcept>

namespace attune {

/// The exception that Attune throws. Its message is one line: the operation, what is wrong, what
/// was found, what was expected, and a hint.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

namespace detail {

// Not a template, so that the formatting code is compiled once and not for each of hundreds of
// messages. (For the same reason headers include <fmt/core.h> and never <fmt/format.h>.)
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
