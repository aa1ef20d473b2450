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

PairLine parse(std::string_view line, std::int64_t number) {
  PairLine result{number, {}, utf8::fault_of(line), false};
  if (!result.fault.empty()) return result;
  const std::size_t tab = line.find('\t');
  result.pair.source = line.substr(0, tab);
  if (tab == std::string_view::npos) {
    result.fault = fmt::format("no tab in '{}'", excerpt(line));
    return result;
  }
  const std::size_t end = std::min(line.find('\t', tab + 1), line.size());
  result.pair.target = line.substr(tab + 1, end - tab - 1);
  result.has_more = end < line.size();
  if (result.pair.source.empty()) result.fault = "the source before the tab is empty";
  if (result.pair.target.empty()) result.fault = "the target after the tab is empty";
  return result;
}

}  // namespace

bool PairReader::next(PairLine& line) {
  if (!is_text_waiting_) {
    do {
      if (!lines_.next(text_)) return false;
    } while (is_blank(text_));
    is_text_waiting_ = true;
  }
  if (next_ < lines_.number()) {
    line = {next_++, {}, "the line is blank", false};
    return true;
  }
  is_text_waiting_ = false;
  line = parse(text_, next_++);
  return true;
}

std::vector<Pair> read_pairs(const std::string& path) {
  std::ifstream file = utf8::open_text(path, "read_pairs");
  PairReader reader(file, fmt::format("read_pairs: '{}'", path));
  std::vector<Pair> pairs;
  for (PairLine line; reader.next(line);) {
    ATTUNE_CHECK(line.fault.empty(), "read_pairs: {}:{}: {}; expected source TAB target", path,
                 line.number, line.fault);
    pairs.push_back(std::move(line.pair));
  }
  ATTUNE_CHECK(!pairs.empty(), "read_pairs: {}:1: the file is empty; expected source TAB target",
               path);
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
