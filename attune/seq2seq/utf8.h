#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Text as UTF-8: checked strictly, split into characters, and measured in terminal columns. A
/// character here is one code point; a letter followed by a combining accent is two of them.
namespace attune::utf8 {

/// The offset of the first byte that belongs to no valid character, or nothing if `text` is UTF-8.
/// Strict as RFC 3629 asks: overlong forms, surrogates, code points beyond U+10FFFF and characters
/// cut short are invalid.
std::optional<std::size_t> first_invalid_byte(std::string_view text);

/// The characters of `text` in order, each as its own bytes. Throws Error if `text` is not UTF-8.
std::vector<std::string> characters(std::string_view text);

/// The columns that a terminal gives to `character`: 0 (controls, combining marks, joiners),
/// 2 (East Asian wide and full-width characters, emoji) or 1. Small tables after Unicode's
/// EastAsianWidth; rare scripts may be off by one.
int display_width(char32_t character);

/// The sum of the widths of the characters in `text`. Throws Error if `text` is not UTF-8.
int display_width(std::string_view text);

/// `text` with what cannot be seen replaced by a symbol: space U+2423, tab U+21E5, line feed
/// U+23CE, and every other control or zero-width character as `U+XXXX`. A combining mark is put on
/// a dotted circle if it stands first. For labels. Throws Error if `text` is not UTF-8.
std::string visible(std::string_view text);

/// The lines of a UTF-8 text file without their line ends (LF or CRLF); a byte order mark at the
/// start is left out and the last line may lack its end. An empty file has no lines.
/// Throws Error that names `operation`, the file, and the line where a line is not UTF-8.
std::vector<std::string> read_lines(const std::string& path, std::string_view operation);

}  // namespace attune::utf8
