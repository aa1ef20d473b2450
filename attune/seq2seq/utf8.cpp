#include "attune/seq2seq/utf8.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <system_error>
#include <utility>

#include "attune/autograd/array/error.h"

namespace attune::utf8 {
namespace {

struct Decoded {
  char32_t code_point;
  std::size_t length;  // in bytes; 0 if no valid character starts here
};

Decoded decode(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at);
  if (first < 0x80) return {first, 1};
  // 0x80..0xC1 are continuations and overlong leads; 0xF5.. lead beyond U+10FFFF.
  if (first < 0xC2 || first > 0xF4) return {0, 0};
  const std::size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (at + length > text.size()) return {0, 0};
  char32_t code_point = first & (0xFF >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xC0) != 0x80) return {0, 0};
    code_point = code_point << 6 | (byte(at + i) & 0x3F);
  }
  const char32_t smallest = length == 2 ? 0x80 : length == 3 ? 0x800 : 0x10000;
  const bool surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
  if (code_point < smallest || code_point > 0x10FFFF || surrogate) return {0, 0};
  return {code_point, length};
}

// Calls `visit(code_point, bytes)` for every character.
template <typename Visit>
void for_each_character(std::string_view text, Visit visit) {
  for (std::size_t at = 0; at < text.size();) {
    const auto [code_point, length] = decode(text, at);
    ATTUNE_CHECK(length > 0,
                 "utf8: byte {} (0x{:02x}) of {} starts no valid character; expected UTF-8 text",
                 at, static_cast<unsigned char>(text[at]), text.size());
    visit(code_point, text.substr(at, length));
    at += length;
  }
}

struct Range {
  char32_t first, last;
};

template <std::size_t n>
bool contains(const std::array<Range, n>& sorted, char32_t c) {
  const auto range = std::lower_bound(sorted.begin(), sorted.end(), c,
                                      [](const Range& r, char32_t v) { return r.last < v; });
  return range != sorted.end() && c >= range->first;
}

bool is_control(char32_t c) { return c < 0x20 || (c >= 0x7F && c < 0xA0); }

// Marks that sit on the character before them.
constexpr auto combining = std::to_array<Range>({
    {0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD},   {0x05BF, 0x05BF}, {0x05C1, 0x05C2},
    {0x05C4, 0x05C5}, {0x05C7, 0x05C7}, {0x0610, 0x061A},   {0x064B, 0x065F}, {0x0670, 0x0670},
    {0x06D6, 0x06DC}, {0x06DF, 0x06E4}, {0x06E7, 0x06E8},   {0x06EA, 0x06ED}, {0x0900, 0x0902},
    {0x093A, 0x093A}, {0x093C, 0x093C}, {0x0941, 0x0948},   {0x094D, 0x094D}, {0x0951, 0x0957},
    {0x0962, 0x0963}, {0x0981, 0x0981}, {0x09BC, 0x09BC},   {0x09C1, 0x09C4}, {0x09CD, 0x09CD},
    {0x0A01, 0x0A02}, {0x0A3C, 0x0A3C}, {0x0A41, 0x0A51},   {0x0B82, 0x0B82}, {0x0BC0, 0x0BC0},
    {0x0BCD, 0x0BCD}, {0x0C3E, 0x0C40}, {0x0C46, 0x0C56},   {0x0E31, 0x0E31}, {0x0E34, 0x0E3A},
    {0x0E47, 0x0E4E}, {0x0EB1, 0x0EB1}, {0x0EB4, 0x0EBC},   {0x0EC8, 0x0ECE}, {0x0F71, 0x0F7E},
    {0x0F80, 0x0F84}, {0x102D, 0x1030}, {0x1032, 0x1037},   {0x1039, 0x103A}, {0x135D, 0x135F},
    {0x1AB0, 0x1ACE}, {0x1DC0, 0x1DFF}, {0x20D0, 0x20F0},   {0x302A, 0x302D}, {0x3099, 0x309A},
    {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}, {0xE0100, 0xE01EF},
});

// Joiners, direction marks and other characters without a shape of their own.
constexpr auto invisible = std::to_array<Range>({
    {0x00AD, 0x00AD},
    {0x061C, 0x061C},
    {0x1160, 0x11FF},  // vowels and finals of a Hangul syllable, drawn into the one before
    {0x200B, 0x200F},
    {0x2028, 0x202E},
    {0x2060, 0x206F},
    {0xFEFF, 0xFEFF},
});

constexpr auto wide = std::to_array<Range>({
    {0x1100, 0x115F},   {0x231A, 0x231B},   {0x2329, 0x232A},   {0x23E9, 0x23EC},
    {0x23F0, 0x23F0},   {0x23F3, 0x23F3},   {0x25FD, 0x25FE},   {0x2614, 0x2615},
    {0x2648, 0x2653},   {0x267F, 0x267F},   {0x2693, 0x2693},   {0x26A1, 0x26A1},
    {0x26AA, 0x26AB},   {0x26BD, 0x26BE},   {0x26C4, 0x26C5},   {0x26CE, 0x26CE},
    {0x26D4, 0x26D4},   {0x26EA, 0x26EA},   {0x26F2, 0x26F3},   {0x26F5, 0x26F5},
    {0x26FA, 0x26FA},   {0x26FD, 0x26FD},   {0x2705, 0x2705},   {0x270A, 0x270B},
    {0x2728, 0x2728},   {0x274C, 0x274C},   {0x274E, 0x274E},   {0x2753, 0x2755},
    {0x2757, 0x2757},   {0x2795, 0x2797},   {0x27B0, 0x27B0},   {0x27BF, 0x27BF},
    {0x2B1B, 0x2B1C},   {0x2B50, 0x2B50},   {0x2B55, 0x2B55},   {0x2E80, 0x3029},
    {0x3030, 0x303E},   {0x3041, 0x3098},   {0x309B, 0x4DBF},   {0x4E00, 0xA4CF},
    {0xA960, 0xA97C},   {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},   {0xFE10, 0xFE19},
    {0xFE30, 0xFE6B},   {0xFF01, 0xFF60},   {0xFFE0, 0xFFE6},   {0x16FE0, 0x1B2FB},
    {0x1F004, 0x1F004}, {0x1F0CF, 0x1F0CF}, {0x1F18E, 0x1F320}, {0x1F32D, 0x1F64F},
    {0x1F680, 0x1F6FF}, {0x1F7E0, 0x1F7EB}, {0x1F900, 0x1FAFF}, {0x20000, 0x3FFFD},
});

}  // namespace

std::optional<std::size_t> first_invalid_byte(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = decode(text, at).length;
    if (length == 0) return at;
    at += length;
  }
  return std::nullopt;
}

std::vector<std::string> characters(std::string_view text) {
  std::vector<std::string> result;
  for_each_character(text, [&](char32_t, std::string_view bytes) { result.emplace_back(bytes); });
  return result;
}

int display_width(char32_t c) {
  if (is_control(c)) return 0;
  if (c < 0x0300) return c == 0x00AD ? 0 : 1;
  if (contains(combining, c) || contains(invisible, c)) return 0;
  return contains(wide, c) ? 2 : 1;
}

int display_width(std::string_view text) {
  int width = 0;
  for_each_character(text, [&](char32_t c, std::string_view) { width += display_width(c); });
  return width;
}

std::string visible(std::string_view text) {
  std::string result;
  for_each_character(text, [&](char32_t c, std::string_view bytes) {
    if (c == ' ') {
      result += "␣";
    } else if (c == '\t') {
      result += "⇥";
    } else if (c == '\n') {
      result += "⏎";
    } else if (is_control(c) || (contains(invisible, c) && (c < 0x1160 || c > 0x11FF))) {
      result += fmt::format("U+{:04X}", static_cast<std::uint32_t>(c));
    } else {
      if (result.empty() && contains(combining, c)) result += "◌";
      result += bytes;
    }
  });
  return result;
}

namespace {

// How files begin that are taken for text and are none, and what makes text of them.
struct Signature {
  std::string_view bytes, kind, remedy;
};
constexpr auto signatures = std::to_array<Signature>({
    {"\x1F\x8B", "compressed with gzip", "gzip -dc"},
    {"BZh91AY&SY", "compressed with bzip2", "bzip2 -dc"},
    {{"\xFD"
      "7zXZ\0",
      6},
     "compressed with xz",
     "xz -dc"},
    {"\x28\xB5\x2F\xFD", "compressed with zstd", "zstd -dc"},
    {"PK\x03\x04", "a zip archive", "unzip -p"},
    {"\xFF\xFE", "UTF-16", "iconv -f UTF-16 -t UTF-8"},
    {"\xFE\xFF", "UTF-16", "iconv -f UTF-16 -t UTF-8"},
});

}  // namespace

std::ifstream open_text(const std::string& path, std::string_view operation) {
  ATTUNE_CHECK(!std::filesystem::is_directory(path), "{}: '{}' is a folder; expected a text file",
               operation, path);
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  ATTUNE_CHECK(file, "{}: cannot open '{}': {}", operation, path,
               std::generic_category().message(errno));
  return file;
}

LineReader::LineReader(std::istream& stream, std::string name)
    : stream_(stream), name_(std::move(name)) {}

bool LineReader::next(std::string& line) {
  if (!is_block_open_) {
    errno = 0;
    if (!std::getline(stream_, block_)) {
      const bool failed =
          stream_.bad() || (stream_.rdbuf() == std::cin.rdbuf() && std::ferror(stdin) != 0);
      ATTUNE_CHECK(!failed, "{}: cannot be read: {}", name_,
                   std::generic_category().message(errno));
      return false;
    }
    at_ = 0;
    if (number_ == 0) {
      check_start(block_);
      if (block_.starts_with("\xEF\xBB\xBF")) at_ = 3;
      if (at_ == block_.size() && stream_.eof()) return false;
    }
    if (block_.size() > at_ && block_.back() == '\r') block_.pop_back();
  }
  const std::size_t end = std::min(block_.find('\r', at_), block_.size());
  line.assign(block_, at_, end - at_);
  is_block_open_ = end < block_.size();
  at_ = end + 1;
  ++number_;
  return true;
}

void LineReader::check_start(std::string_view text) const {
  for (const auto& [bytes, kind, remedy] : signatures)
    ATTUNE_CHECK(
        !text.starts_with(bytes),
        "{} is {}; expected UTF-8 text: convert it, or pipe it into standard input: {} FILE "
        "| ... --data -",
        name_, kind, remedy);
}

std::string fault_of(std::string_view line) {
  if (const auto bad = first_invalid_byte(line))
    return fmt::format("not UTF-8: byte 0x{:02x} at column {}",
                       static_cast<unsigned char>(line[*bad]), *bad + 1);
  const std::size_t nul = line.find('\0');
  if (nul != std::string_view::npos)
    return fmt::format("not text: a NUL byte at column {}", nul + 1);
  return "";
}

std::vector<std::string> read_lines(const std::string& path, std::string_view operation) {
  std::ifstream file = open_text(path, operation);
  LineReader reader(file, fmt::format("{}: '{}'", operation, path));
  std::vector<std::string> lines;
  for (std::string line; reader.next(line);) {
    const std::string fault = fault_of(line);
    ATTUNE_CHECK(fault.empty(), "{}: {}:{}: {}; convert the file first", operation, path,
                 reader.number(), fault);
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace attune::utf8
