#pragma once

#include <compare>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace attune {

/// A link of a source position with a target position, both counted from 0.
struct Link {
  int source = 0, target = 0;
  auto operator<=>(const Link&) const = default;
};

/// The correct alignment of a pair. Where it is ambiguous, links are possible rather than sure (Och
/// and Ney 2003). Any token may have no link, one, or several. No link is there twice.
struct ReferenceAlignment {
  std::vector<Link> sure = {};  ///< S
  std::vector<Link> possible =
      {};  ///< the links of P that are not in S; those of S are possible too

  bool is_sure(const Link& link) const;
  bool is_possible(const Link& link) const;  ///< or sure

  bool operator==(const ReferenceAlignment&) const = default;
};

/// The reference of a target whose tokens come from the given source positions, kNowhere for those
/// that come from none: a sure link for each. If equal source tokens are interchangeable, as in
/// sorting, pass the tokens as `source`: a target token then has a possible link with each position
/// of an equal token, and a sure one only if there is no other. Errors: a position outside
/// `source`.
ReferenceAlignment reference_of(std::span<const int> positions, std::span<const int> source = {});

/// Parses an alignment in Moses form: sure links SOURCE-TARGET and possible links
/// SOURCEpTARGET, with spaces between them, such as "0-0 1-2 1p1". Errors: anything else.
ReferenceAlignment parse_moses(std::string_view line);

/// The links of an alignment in this form: sure ones, then possible ones. Empty without links.
std::string to_moses(const ReferenceAlignment& alignment);

/// Reads the alignments of a file, one a line, as parse_moses() does. A blank line has no links.
/// Errors: the file cannot be read; a malformed link (the message gives file and line).
std::vector<ReferenceAlignment> read_moses(const std::string& path);

/// Errors: a link beyond the end of the source or the target.
void check_positions(const ReferenceAlignment& alignment, std::size_t source_length,
                     std::size_t target_length);

}  // namespace attune
