#include "attune/data/settings.h"

#include <algorithm>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <set>

#include "attune/autograd/array/error.h"
#include "attune/data/utf8.h"

namespace attune {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

bool is_end(std::string_view text) {
  text = trimmed(text);
  return text.empty() || text.front() == '#';
}

// The value at the start of `text`, which follows the equals sign.
std::string value_of(std::string_view text, const std::string& where) {
  const char quote = text.empty() ? '\0' : text.front();
  if (quote != '"' && quote != '\'') {
    std::size_t comment = text.find('#');
    while (comment != std::string_view::npos && comment > 0 && text[comment - 1] != ' ' &&
           text[comment - 1] != '\t')
      comment = text.find('#', comment + 1);
    const std::string_view value = trimmed(text.substr(0, comment));
    ATTUNE_CHECK(!value.empty(), "{}: there is no value; an empty one is written \"\"", where);
    ATTUNE_CHECK(value.front() != '[' && value.front() != '{',
                 "{}: '{}' is a list or a table, which no setting takes; text that looks like "
                 "one is written in quotes",
                 where, value);
    return std::string(value);
  }
  std::size_t end = 1;
  while (end < text.size() && text[end] != quote)
    end += quote == '"' && text[end] == '\\' ? std::size_t{2} : std::size_t{1};
  ATTUNE_CHECK(end < text.size(), "{}: the quote {} is not closed", where, quote);
  ATTUNE_CHECK(is_end(text.substr(end + 1)), "{}: '{}' behind the value; expected nothing", where,
               trimmed(text.substr(end + 1)));
  if (quote == '\'') return std::string(text.substr(1, end - 1));
  // Double-quoted strings have the same escapes in TOML and in JSON.
  const auto value = nlohmann::json::parse(text.substr(0, end + 1), nullptr, false);
  ATTUNE_CHECK(value.is_string(), "{}: {} has an unknown escape; '…' takes all as it is", where,
               text.substr(0, end + 1));
  return value.get<std::string>();
}

// The name of the section in the header `line`, "[NAME]".
std::string section_of(std::string_view line, std::span<const std::string_view> sections,
                       const std::string& where) {
  const std::size_t end = std::min(line.find(']'), line.size());
  const std::string_view section = trimmed(line.substr(1, end - 1));
  std::string known;
  for (const std::string_view name : sections)
    known += fmt::format("{}[{}]", known.empty() ? "" : ", ", name);
  ATTUNE_CHECK(end < line.size() && is_end(line.substr(end + 1)) &&
                   std::find(sections.begin(), sections.end(), section) != sections.end(),
               "{}: '{}' is none of the sections {}", where, line, known);
  return std::string(section);
}

}  // namespace

std::vector<Setting> read_settings(const std::string& path,
                                   std::span<const std::string_view> sections,
                                   std::string_view operation) {
  const std::vector<std::string> lines = utf8::read_lines(path, operation);
  std::vector<Setting> settings;
  std::set<std::string> keys;
  std::string section;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string where = fmt::format("{}:{}", path, i + 1);
    const std::string_view line = trimmed(lines[i]);
    if (is_end(line)) continue;
    if (line.front() == '[') {
      section = section_of(line, sections, where);
      continue;
    }
    const std::size_t equals = line.find('=');
    ATTUNE_CHECK(equals != std::string_view::npos,
                 "{}: '{}' is not a line such as steps = 2000 or json = true", where, line);
    const std::string key(trimmed(line.substr(0, equals)));
    ATTUNE_CHECK(keys.insert(section + " " + key).second, "{}: '{}' is given twice", where, key);
    settings.push_back({where, section, key, value_of(trimmed(line.substr(equals + 1)), where)});
  }
  return settings;
}

}  // namespace attune
