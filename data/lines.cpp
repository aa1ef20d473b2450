#include "attune/data/lines.h"

#include <cstddef>
#include <numeric>

#include "attune/data/messages.h"
#include "attune/data/utf8.h"

namespace attune {

TextInput::TextInput(const std::string& path, std::string_view operation) {
  if (path != "-") file_ = utf8::open_text(path, operation);
}

std::vector<std::string> read_text_lines(const std::string& path, std::string_view option) {
  TextInput input(path, "text");
  utf8::LineReader reader(input.stream(), name_of_input(path), option);
  std::vector<std::string> lines;
  for (std::string line; reader.next(line);) {
    const std::string fault = utf8::fault_of(line);
    ATTUNE_CHECK(fault.empty(), "{}: {}", place_of(path, reader.number()), fault);
    lines.push_back(std::move(line));
  }
  ATTUNE_CHECK(!lines.empty(), "{} is empty", name_of_input(path));
  return lines;
}

std::string name_of_input(const std::string& path) {
  return path == "-" ? "standard input" : fmt::format("'{}'", utf8::printable(path));
}

std::string lines_text(std::int64_t count) {
  return fmt::format("{} line{}", count, count == 1 ? "" : "s");
}

std::string place_of(const std::string& path, std::int64_t line) {
  return path == "-" ? fmt::format("standard input, line {}", line)
                     : fmt::format("{}:{}", utf8::printable(path), line);
}

void BadLines::add(const std::string& place, BadLine::Kind kind, std::string_view reason) {
  constexpr std::int64_t kNamed = 10;
  if (kind == BadLine::Kind::malformed && on_malformed_ == OnMalformed::stop)
    fail("{}: {}; expected {} ({} leaves such lines out)", place, reason, expected_,
         option_name("skip_bad"));
  ++counts_[static_cast<std::size_t>(kind)];
  if (count() <= kNamed) tell("{}: {}: {}: {}; left out\n", program_name(), level_, place, reason);
  if (count() == kNamed + 1)
    tell("{}: {}: further lines are left out without a message\n", program_name(), level_);
}

std::int64_t BadLines::count() const {
  return std::accumulate(counts_.begin(), counts_.end(), std::int64_t{0});
}

std::string BadLines::summary() const {
  constexpr std::array kNames = {"too long", "of unlike lengths", "repeated", "malformed"};
  std::string text;
  for (std::size_t i = 0; i < counts_.size(); ++i)
    if (counts_[i] > 0)
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", counts_[i], kNames[i]);
  return text;
}

void warn_of_columns(const std::string& name, std::int64_t lines) {
  if (lines == 0) return;
  warn("{} of {} with more than two columns; source and target are read, the others are not",
       lines_text(lines), name);
}

}  // namespace attune
