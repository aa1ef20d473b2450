#include "attune/data/pairs.h"

#include <algorithm>
#include <cstddef>
#include <unordered_map>

#include "attune/autograd/array/error.h"
#include "attune/data/utf8.h"

namespace attune {
namespace {

bool is_blank(std::string_view line) {
  return line.find_first_not_of(" \t\v\f") == std::string_view::npos;
}

// The start of a line, for an error message.
std::string excerpt(std::string_view line) {
  std::size_t end = std::min<std::size_t>(60, line.size());
  while (end < line.size() && (line[end] & 0xC0) == 0x80) --end;  // not within a character
  return utf8::visible(line.substr(0, end)) + (end < line.size() ? "..." : "");
}

// Splits `text` into source and target.
void parse(std::string_view text, PairLine& line) {
  line.fault = utf8::fault_of(text);
  if (!line.fault.empty()) return;
  const std::size_t tab = text.find('\t');
  line.source = text.substr(0, tab);
  if (tab == std::string_view::npos) {
    line.fault = fmt::format("no tab in '{}'", excerpt(text));
    return;
  }
  const std::size_t end = std::min(text.find('\t', tab + 1), text.size());
  line.targets = {std::string(text.substr(tab + 1, end - tab - 1))};
  line.has_more = end < text.size();
  if (line.source.empty()) line.fault = "the source before the tab is empty";
  if (line.targets.front().empty()) line.fault = "the target after the tab is empty";
}

// What is wrong with a side of a pair; empty if nothing is.
std::string fault_of_side(std::string_view text, const std::string& side) {
  if (text.empty()) return fmt::format("{} is empty", side);
  const std::string fault = utf8::fault_of(text);
  return fault.empty() ? "" : fmt::format("{} is {}", side, fault);
}

}  // namespace

std::vector<std::string> PairFiles::paths() const {
  if (!are_side_by_side()) return {pairs};
  std::vector<std::string> paths = {source};
  paths.insert(paths.end(), targets.begin(), targets.end());
  return paths;
}

std::string PairFiles::name() const {
  const std::vector<std::string> all = paths();
  std::string text = name_of_input(all.front());
  for (std::size_t i = 1; i < all.size(); ++i)
    text += (i + 1 < all.size() ? ", " : " and ") + name_of_input(all[i]);
  return text;
}

std::string PairFiles::place_of(std::int64_t line) const {
  return are_side_by_side() ? fmt::format("line {} of {}", line, name())
                            : attune::place_of(pairs, line);
}

std::string PairFiles::expected() const {
  return are_side_by_side() ? "a text in every line of each file" : "source TAB target";
}

void PairFiles::check_not_empty(std::int64_t lines) const {
  ATTUNE_CHECK(lines > 0, "{} {} empty; expected {}", name(), are_side_by_side() ? "are" : "is",
               expected());
}

PairReader::PairReader(const PairFiles& files) : is_side_by_side_(files.are_side_by_side()) {
  const std::vector<std::string> paths = files.paths();
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const char* option = !is_side_by_side_ ? "data" : i == 0 ? "source" : "target";
    inputs_.push_back(std::make_unique<Input>(paths[i], option));
  }
}

bool PairReader::next(PairLine& line) {
  line = {};
  return is_side_by_side_ ? next_of_each(line) : next_columns(line);
}

bool PairReader::next_columns(PairLine& line) {
  utf8::LineReader& lines = inputs_.front()->lines;
  if (!is_text_waiting_) {
    do {
      if (!lines.next(text_)) return false;
    } while (is_blank(text_));
    is_text_waiting_ = true;
  }
  line.number = next_++;
  if (line.number < lines.number()) {
    line.fault = "the line is blank";
    return true;
  }
  is_text_waiting_ = false;
  parse(text_, line);
  return true;
}

bool PairReader::next_of_each(PairLine& line) {
  line.targets.resize(inputs_.size() - 1);
  std::size_t ended = 0;
  for (std::size_t i = 0; i < inputs_.size(); ++i)
    ended += !inputs_[i]->lines.next(i == 0 ? line.source : line.targets[i - 1]);
  if (ended > 0) {
    check_ends();
    return false;
  }
  line.number = next_++;
  line.fault = fault_of_side(line.source, "the source");
  for (std::size_t i = 0; i < line.targets.size() && line.fault.empty(); ++i)
    line.fault = fault_of_side(line.targets[i],
                               line.targets.size() == 1
                                   ? "the target"
                                   : "the target in " + name_of_input(inputs_[i + 1]->path));
  return true;
}

// Errors: some files have more lines than others.
void PairReader::check_ends() {
  std::string rest;
  for (const auto& input : inputs_)
    while (input->lines.next(rest)) {
    }
  const Input& first = *inputs_.front();
  for (const auto& input : inputs_)
    ATTUNE_CHECK(input->lines.number() == first.lines.number(),
                 "{} has {}, but {} has {}; expected as many, since line n of one belongs to line "
                 "n of the other",
                 name_of_input(first.path), lines_text(first.lines.number()),
                 name_of_input(input->path), lines_text(input->lines.number()));
}

std::vector<Pair> read_pairs(const std::string& path) {
  const PairFiles files{.pairs = path, .source = {}, .targets = {}};
  PairReader reader(files);
  std::vector<Pair> pairs;
  for (PairLine line; reader.next(line);) {
    ATTUNE_CHECK(line.fault.empty(), "{}: {}; expected {}", files.place_of(line.number), line.fault,
                 files.expected());
    pairs.push_back({std::move(line.source), std::move(line.targets.front())});
  }
  ATTUNE_CHECK(!pairs.empty(), "{}: the file is empty; expected {}", files.place_of(1),
               files.expected());
  return pairs;
}

std::vector<References> group_by_source(const std::vector<Pair>& pairs) {
  std::vector<References> groups;
  std::unordered_map<std::string_view, std::size_t> group_of;
  for (const Pair& pair : pairs) {
    const auto [entry, is_new] = group_of.emplace(pair.source, groups.size());
    if (is_new) groups.push_back({pair.source, {}});
    groups[entry->second].targets.push_back(pair.target);
  }
  return groups;
}

}  // namespace attune
