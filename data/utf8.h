#pragma once

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "attune/data/gzip.h"

/// Text as UTF-8: checked strictly, split into characters, and measured in terminal columns. A
/// character here is one code point; a letter followed by a combining accent is two of them.
namespace attune::utf8 {

/// The offset of the first byte that is not part of a valid character; nullopt if `text` is UTF-8.
/// Strict as in RFC 3629: overlong forms, surrogates, code points beyond U+10FFFF and truncated
/// characters are invalid.
std::optional<std::size_t> first_invalid_byte(std::string_view text);

/// The characters of `text` in order. Errors: `text` is not UTF-8.
std::vector<std::string> characters(std::string_view text);

/// The code points of `text` in order. Errors: `text` is not UTF-8.
std::u32string code_points(std::string_view text);

/// The number of terminal columns of `character`: 0 (controls, combining marks, joiners),
/// 2 (East Asian wide and full-width characters, emoji) or 1. Follows Unicode's properties
/// General_Category and East_Asian_Width.
int display_width(char32_t character);

/// The sum of the widths of the characters in `text`; a symbol that U+FE0F turns into an emoji has
/// two columns. The parts of a joined emoji are counted separately, since not every terminal joins
/// them. Errors: `text` is not UTF-8.
int display_width(std::string_view text);

/// `text` with invisible characters replaced by symbols: space U+2423, tab U+21E5, line feed
/// U+23CE, and every other control or zero-width character by `U+XXXX`. A combining mark at the
/// start is put on a dotted circle. For labels. Errors: `text` is not UTF-8.
std::string visible(std::string_view text);

/// `text` made safe to print on one line of a terminal: control characters (escape sequences, line
/// ends, tabs) and characters that change the writing direction (U+202A to U+202E, U+2066 to
/// U+2069) become `U+XXXX`, bytes that are not UTF-8 become `\xXX`. For quoting data in error
/// messages, titles and labels.
std::string printable(std::string_view text);

/// `text` cut to at most `width` columns, the last of which is an ellipsis if anything was cut.
/// Errors: `text` is not UTF-8.
std::string shortened(std::string_view text, int width);

/// `text` between the isolates U+2068 and U+2069 if it has letters of a right-to-left script, so
/// that the text around it keeps its order.
std::string isolated(std::string_view text);

/// Opens a text file. Errors: it cannot be opened (the message gives `operation`, the file and the
/// system's reason).
std::ifstream open_text(const std::string& path, std::string_view operation);

/// Reads text line by line. Lines end with LF, CRLF or CR; a byte order mark at the start is
/// skipped, and the last line may lack a line end. Empty text has no lines. Text compressed with
/// gzip, which its first two bytes show, is decompressed.
class LineReader {
 public:
  /// `stream` must outlive the reader. Errors start with `name`; `option` names the option with
  /// which a program reads standard input.
  LineReader(std::istream& stream, std::string name, std::string_view option = "data");
  /// Reads the next line into `line`, without its line end, and does not check whether it is UTF-8.
  /// Returns false at the end of the text. Errors: the stream fails; its content is damaged gzip
  /// data, compressed in another way, or UTF-16.
  bool next(std::string& line);
  /// The number of the line read last, from 1.
  std::int64_t number() const { return number_; }

 private:
  bool next_block();
  void check_start(std::string_view text) const;

  std::istream* stream_;
  std::unique_ptr<GzipStream> decompressed_;  // which stream_ points to if there is one
  std::string name_, option_;
  std::string block_;           // text up to a line feed: a line, or several that end with CR
  std::size_t at_ = 0;          // position in block_
  bool is_block_open_ = false;  // a line starts at at_
  std::int64_t number_ = 0;
};

/// Why `line` is not a line of UTF-8 text: an invalid byte or a NUL, with its column, counted in
/// bytes from 1. Empty if the line is valid.
std::string fault_of(std::string_view line);

/// The lines of a UTF-8 text file, as read by LineReader. Errors: as open_text() and
/// LineReader::next(); a line is not UTF-8 (the message gives `operation`, file and line).
std::vector<std::string> read_lines(const std::string& path, std::string_view operation);

}  // namespace attune::utf8
