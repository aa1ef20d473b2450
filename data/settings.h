#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace attune {

/// A line `key = value` of a settings file.
struct Setting {
  std::string where;    ///< "FILE:LINE", for errors
  std::string section;  ///< empty before the first section
  std::string key, value;
};

/// Reads a settings file: lines `key = value` as in TOML. Values are bare or quoted ("…" with
/// escapes, '…' without), # starts a comment, and `[section]` starts one of `sections`.
/// Errors: a malformed line, an unknown section or a repeated key (the message gives file and
/// line); the file cannot be read (the message starts with `operation`).
std::vector<Setting> read_settings(const std::string& path,
                                   std::span<const std::string_view> sections,
                                   std::string_view operation);

}  // namespace attune
