#include "attune/alignment/reference_alignment.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

#include "attune/alignment/alignment.h"
#include "attune/autograd/array/error.h"
#include "attune/data/lines.h"
#include "attune/data/utf8.h"

namespace attune {
namespace {

bool contains(const std::vector<Link>& links, const Link& link) {
  return std::find(links.begin(), links.end(), link) != links.end();
}

// Removes a position from the start of `text`; nullopt if there is none.
std::optional<int> take_position(std::string_view& text) {
  int position = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, position);
  if (error != std::errc() || position < 0) return {};
  text = {rest, end};
  return position;
}

// Adds the link that `text` describes. Errors: it describes none.
void add_link(std::string_view text, ReferenceAlignment& alignment) {
  std::string_view rest = text;
  const std::optional<int> source = take_position(rest);
  const char kind = rest.empty() ? '\0' : rest.front();
  rest.remove_prefix(rest.empty() ? 0 : 1);
  const std::optional<int> target = take_position(rest);
  ATTUNE_CHECK(source && target && rest.empty() && (kind == '-' || kind == 'p'),
               "'{}' is not a link; expected SOURCE-TARGET, or SOURCEpTARGET for a possible link, "
               "with positions counted from 0",
               utf8::printable(text));
  std::vector<Link>& links = kind == '-' ? alignment.sure : alignment.possible;
  if (!contains(links, {*source, *target})) links.push_back({*source, *target});
}

}  // namespace

bool ReferenceAlignment::is_sure(const Link& link) const { return contains(sure, link); }
bool ReferenceAlignment::is_possible(const Link& link) const {
  return contains(sure, link) || contains(possible, link);
}

ReferenceAlignment reference_of(std::span<const int> positions, std::span<const int> source) {
  ReferenceAlignment reference;
  for (int t = 0; t < std::ssize(positions); ++t) {
    const int position = positions[static_cast<std::size_t>(t)];
    if (position == kNowhere) continue;
    ATTUNE_CHECK(position >= 0, "reference_of: source position {} is negative; kNowhere means none",
                 position);
    ATTUNE_CHECK(source.empty() || position < std::ssize(source),
                 "reference_of: source position {} is outside the source of {} tokens", position,
                 source.size());
    const int token = source.empty() ? 0 : source[static_cast<std::size_t>(position)];
    if (source.empty() || std::count(source.begin(), source.end(), token) == 1) {
      reference.sure.push_back({position, t});
      continue;
    }
    for (int s = 0; s < std::ssize(source); ++s)
      if (source[static_cast<std::size_t>(s)] == token) reference.possible.push_back({s, t});
  }
  return reference;
}

ReferenceAlignment parse_moses(std::string_view line) {
  constexpr std::string_view kSpaces = " \t";
  ReferenceAlignment alignment;
  while (true) {
    line.remove_prefix(std::min(line.find_first_not_of(kSpaces), line.size()));
    if (line.empty()) break;
    const std::string_view link = line.substr(0, line.find_first_of(kSpaces));
    add_link(link, alignment);
    line.remove_prefix(link.size());
  }
  std::erase_if(alignment.possible, [&](const Link& link) { return alignment.is_sure(link); });
  return alignment;
}

std::string to_moses(const ReferenceAlignment& alignment) {
  std::string text;
  for (const std::vector<Link>* links : {&alignment.sure, &alignment.possible})
    for (const Link& link : *links)
      text += fmt::format("{}{}{}{}", text.empty() ? "" : " ", link.source,
                          links == &alignment.sure ? '-' : 'p', link.target);
  return text;
}

std::vector<ReferenceAlignment> read_moses(const std::string& path) {
  std::ifstream file = utf8::open_text(path, "alignments");
  utf8::LineReader reader(file, name_of_input(path));
  std::vector<ReferenceAlignment> alignments;
  for (std::string line; reader.next(line);) {
    try {
      alignments.push_back(parse_moses(line));
    } catch (const Error& error) {
      fail("{}: {}", place_of(path, reader.number()), error.what());
    }
  }
  return alignments;
}

void check_positions(const ReferenceAlignment& alignment, std::size_t source_length,
                     std::size_t target_length) {
  for (const std::vector<Link>* links : {&alignment.sure, &alignment.possible})
    for (const Link& link : *links)
      ATTUNE_CHECK(static_cast<std::size_t>(link.source) < source_length &&
                       static_cast<std::size_t>(link.target) < target_length,
                   "link {}{}{} is outside its pair, which has {} source and {} target tokens; "
                   "positions are counted from 0",
                   link.source, links == &alignment.sure ? '-' : 'p', link.target, source_length,
                   target_length);
}

}  // namespace attune
