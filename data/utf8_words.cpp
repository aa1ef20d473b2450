#include "attune/data/utf8_words.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstddef>

#include "attune/data/utf8.h"

namespace attune::utf8 {
namespace {

constexpr char32_t kCapitalSigma = 0x03A3, kFinalSigma = 0x03C2, kCapitalDottedI = 0x0130;

char32_t lower(char32_t c) {
  return static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c)));
}

// Whether `c` has an upper-case or a lower-case form.
bool has_case(char32_t c) {
  const auto code = static_cast<utf8proc_int32_t>(c);
  return utf8proc_tolower(code) != code || utf8proc_toupper(code) != code;
}

// Whether `c` may stand within a word without being one of its letters: a combining mark, a
// zero-width character, an apostrophe, a dot or a colon.
bool is_within_word(char32_t c) {
  constexpr std::u32string_view kPunctuation = U"'.:\u00B7\u2018\u2019\u2024\u2027";
  return kPunctuation.find(c) != kPunctuation.npos || (c > 0xA0 && display_width(c) == 0);
}

// Whether the capital sigma at `at` ends a word: there is a letter before it and none after it.
bool ends_word(std::u32string_view text, std::size_t at) {
  std::size_t before = at, after = at + 1;
  while (before > 0 && is_within_word(text[before - 1])) --before;
  while (after < text.size() && is_within_word(text[after])) ++after;
  return before > 0 && has_case(text[before - 1]) &&
         (after == text.size() || !has_case(text[after]));
}

void append(std::string& text, char32_t c) {
  const auto add = [&](char32_t byte) { text += static_cast<char>(byte); };
  if (c < 0x80) return add(c);
  if (c < 0x800) {
    add(0xC0 | c >> 6);
  } else {
    if (c < 0x10000) {
      add(0xE0 | c >> 12);
    } else {
      add(0xF0 | c >> 18);
      add(0x80 | (c >> 12 & 0x3F));
    }
    add(0x80 | (c >> 6 & 0x3F));
  }
  add(0x80 | (c & 0x3F));
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char byte) { return (byte & 0x80) == 0; });
}

// The length in bytes of the white space that `text` begins with; 0 if it begins with another
// character.
std::size_t space_at_start(std::string_view text) {
  const auto byte = static_cast<unsigned char>(text[0]);
  if (byte < 0x80)
    return byte == ' ' || (byte >= 0x09 && byte <= 0x0D) || (byte >= 0x1C && byte <= 0x1F);
  if (byte == 0xC2) return text.starts_with("\u0085") || text.starts_with("\u00A0") ? 2 : 0;
  if (byte < 0xE1 || byte > 0xE3 || text.size() < 3) return 0;
  if (text.starts_with("\u1680") || text.starts_with("\u3000")) return 3;
  if (!text.starts_with("\xE2\x80") && !text.starts_with("\xE2\x81")) return 0;
  const int low = (text[1] & 1) << 6 | (text[2] & 0x3F);  // of U+2000 to U+207F
  return low <= 0x0A || low == 0x28 || low == 0x29 || low == 0x2F || low == 0x5F ? 3 : 0;
}

}  // namespace

std::string lower(std::string_view text) {
  std::string result;
  if (is_ascii(text)) {
    for (const char byte : text)
      result += byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte + 32) : byte;
    return result;
  }
  const std::u32string all = code_points(text);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i] == kCapitalDottedI)
      result += "i\u0307";
    else if (all[i] == kCapitalSigma && ends_word(all, i))
      append(result, kFinalSigma);
    else
      append(result, lower(all[i]));
  }
  return result;
}

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> result;
  std::size_t begin = 0;  // of the current word
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t space = at < text.size() ? space_at_start(text.substr(at)) : 1;
    if (space > 0 && at > begin) result.push_back(text.substr(begin, at - begin));
    at += std::max<std::size_t>(1, space);
    if (space > 0) begin = at;
  }
  return result;
}

}  // namespace attune::utf8
