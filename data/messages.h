#pragma once

#include <fmt/core.h>

#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

/// Messages for users. Data quoted in them must not send control sequences to a terminal.
namespace attune {

/// The file name of the running program, with which its messages begin.
std::string program_name();

/// The name of an option in messages: that of its member in an options struct, such as max_length,
/// unless set_option_names() has been called.
std::string option_name(std::string_view option);

/// Sets the function that option_name() calls, for example to name options by their flags. Call
/// this before starting other threads.
void set_option_names(std::string (*name)(std::string_view option));

/// `text` with each option in backticks replaced by its option_name().
std::string with_option_names(std::string_view text);

/// `text` with control characters other than TAB and line feed made visible; see utf8::printable().
std::string without_controls(std::string_view text);

/// `text` for standard output: unchanged for a file or a pipe, without_controls() for a terminal.
std::string shown(std::string_view text);

/// Prints to standard error, with control characters made visible. Unlike fmt::print(), this
/// ignores write errors, so that a closed pipe does not end a long computation.
template <typename... Args>
void tell(fmt::format_string<Args...> text, Args&&... args) {
  std::fputs(without_controls(fmt::format(text, std::forward<Args>(args)...)).c_str(), stderr);
}

/// Prints the line "PROGRAM: warning: TEXT" in the same way.
template <typename... Args>
void warn(fmt::format_string<Args...> text, Args&&... args) {
  tell("{}: warning: {}\n", program_name(), fmt::format(text, std::forward<Args>(args)...));
}

}  // namespace attune
