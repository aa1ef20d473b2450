#include "attune/autograd/array/arguments.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "attune/autograd/array/error.h"
#include "attune/autograd/array/parse_number.h"
#include "attune/autograd/array/text.h"

namespace attune {
namespace {

// The text before the first separator; removes it, and the separator, from `text`.
std::string_view take_part(std::string_view& text, char separator) {
  const std::size_t end = std::min(text.find(separator), text.size());
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

std::string range_text(const Arguments::Range& range) {
  std::string text = "a number";
  if (std::isfinite(range.from)) text += fmt::format(" from {}", range.from);
  if (std::isfinite(range.above)) text += fmt::format(" above {}", range.above);
  if (std::isfinite(range.to)) text += fmt::format(" up to {}", range.to);
  return text;
}

}  // namespace

Arguments::Arguments(std::string owner, std::string_view text) : owner_(std::move(owner)) {
  while (!text.empty()) {
    const std::string_view part = take_part(text, ',');
    std::string_view value = part;
    const std::string_view name = take_part(value, '=');
    ATTUNE_CHECK(!name.empty() && !value.empty(),
                 "{}: '{}' is not an option; expected NAME=VALUE, several with commas between them",
                 owner_, part);
    ATTUNE_CHECK(std::none_of(given_.begin(), given_.end(),
                              [&](const Given& given) { return given.name == name; }),
                 "{}: {} is given twice", owner_, name);
    given_.push_back({std::string(name), std::string(value)});
  }
}

const std::string* Arguments::find(std::string_view name) const {
  read_->emplace_back(name);
  for (const Given& given : given_)
    if (given.name == name) return &given.value;
  return nullptr;
}

void Arguments::refuse(std::string_view name, std::string_view value,
                       std::string_view expected) const {
  fail("{}: {} is '{}'; expected {}", owner_, name, value, expected);
}

double Arguments::number(std::string_view name, double otherwise, const Range& range) const {
  const std::string* value = find(name);
  if (!value) return otherwise;
  const std::optional<double> number = parse_number<double>(*value);
  if (!number || *number < range.from || *number <= range.above || *number > range.to)
    refuse(name, *value, range_text(range));
  return *number;
}

std::int64_t Arguments::whole(std::string_view name, std::int64_t otherwise,
                              std::int64_t from) const {
  const std::string* value = find(name);
  if (!value) return otherwise;
  const std::optional<std::int64_t> number = parse_number<std::int64_t>(*value);
  if (!number || *number < from) refuse(name, *value, fmt::format("a whole number from {}", from));
  return *number;
}

std::vector<std::int64_t> Arguments::sizes(std::string_view name,
                                           std::vector<std::int64_t> otherwise) const {
  const std::string* value = find(name);
  if (!value) return otherwise;
  std::vector<std::int64_t> sizes;
  std::string_view rest = *value;
  for (bool more = true; more;) {
    more = rest.find('x') != std::string_view::npos;
    const std::optional<std::int64_t> size = parse_number<std::int64_t>(take_part(rest, 'x'));
    if (!size || *size < 1) refuse(name, *value, "whole numbers from 1 with an x between them");
    sizes.push_back(*size);
  }
  return sizes;
}

std::string Arguments::text(std::string_view name, std::string_view otherwise) const {
  const std::string* value = find(name);
  return value ? *value : std::string(otherwise);
}

bool Arguments::flag(std::string_view name, bool otherwise) const {
  const std::string* value = find(name);
  if (!value) return otherwise;
  if (*value != "true" && *value != "false") refuse(name, *value, "true or false");
  return *value == "true";
}

void Arguments::check_all_read() const {
  for (const Given& given : given_) {
    if (std::find(read_->begin(), read_->end(), given.name) != read_->end()) continue;
    ATTUNE_CHECK(!read_->empty(), "{}: {}={} is given, but it has no options", owner_, given.name,
                 given.value);
    fail("{}: it has no option '{}'; known are {}", owner_, given.name, joined(*read_));
  }
}

}  // namespace attune
