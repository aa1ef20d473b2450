#pragma once

#include <fmt/core.h>

#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

/// What programs write for people: data that they quote must not drive a terminal.
namespace attune {

/// The name of the running program's file, which its messages begin with.
std::string program_name();

/// How messages call an option, such as max_length: by the name of its member in an options struct,
/// unless set_option_names() has said otherwise.
std::string option_name(std::string_view option);

/// Has option_name() call options as the users of this program do, by flags for example. To be
/// called before there are other threads.
void set_option_names(std::string (*name)(std::string_view option));

/// `text` with option_name() of each option that stands in backticks in it.
std::string with_option_names(std::string_view text);

/// `text` with its control characters but TAB and line feed made visible, see utf8::printable().
std::string without_controls(std::string_view text);

/// `text` for standard output: as it is for a file or a pipe, without_controls() for a terminal.
std::string shown(std::string_view text);

/// Writes to standard error what long work must not end for when nobody listens any more: where
/// fmt::print() throws, this goes on. Control characters are made visible.
template <typename... Args>
void tell(fmt::format_string<Args...> text, Args&&... args) {
  std::fputs(without_controls(fmt::format(text, std::forward<Args>(args)...)).c_str(), stderr);
}

/// The same as a line of its own, "PROGRAM: warning: TEXT".
template <typename... Args>
void warn(fmt::format_string<Args...> text, Args&&... args) {
  tell("{}: warning: {}\n", program_name(), fmt::format(text, std::forward<Args>(args)...));
}

}  // namespace attune
