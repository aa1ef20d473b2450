#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace attune {
namespace detail {

[[noreturn, gnu::cold]] void unknown_name(const char* what, std::string_view name,
                                          const std::vector<std::string>& known);

}  // namespace detail

/// A choice made at run time: names and what they stand for, in the order to list them.
template <typename Value>
using NameTable = std::vector<std::pair<std::string, Value>>;

/// The names of a table, for messages and for the choices of a command line.
template <typename Value>
std::vector<std::string> names_of(const NameTable<Value>& table) {
  std::vector<std::string> names;
  for (const auto& entry : table) names.push_back(entry.first);
  return names;
}

/// What `name` stands for. Errors: it is not in the table; the message says what was asked for
/// (`what`, such as "attention score") and lists the names that are known.
template <typename Value>
const Value& look_up(const NameTable<Value>& table, std::string_view name, const char* what) {
  for (const auto& [known, value] : table)
    if (known == name) return value;
  detail::unknown_name(what, name, names_of(table));
}

}  // namespace attune
