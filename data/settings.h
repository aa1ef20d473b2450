#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace attune {

/// A line `key = value` of a file of settings.
struct Setting {
  std::string where;    ///< "FILE:LINE", for errors
  std::string section;  ///< empty: above all sections
  std::string key, value;
};

/// Reads a file of settings: lines `key = value` as in TOML, where a value is bare or in quotes
/// ("…" with escapes, '…' without) and # begins a comment. `[section]` begins one of `sections`.
/// Errors, with file and line: no such line, a section that is not known, a key given twice; the
/// file cannot be read, which the message begins with `operation` for.
std::vector<Setting> read_settings(const std::string& path,
                                   std::span<const std::string_view> sections,
                                   std::string_view operation);

}  // namespace attune
