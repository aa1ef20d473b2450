#include "attune/data/utf8.h"

#include <cstdint>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "attune/autograd/array/error.h"
#include "attune/data/utf8_words.h"
#include "catch.h"
#include "temporary_folder.h"

using namespace attune;

namespace {

std::string encoded(char32_t c) {
  const auto tail = [c](int shift) { return static_cast<char>(0x80 | (c >> shift & 0x3F)); };
  if (c < 0x80) return {static_cast<char>(c)};
  if (c < 0x800) return {static_cast<char>(0xC0 | c >> 6), tail(0)};
  if (c < 0x10000) return {static_cast<char>(0xE0 | c >> 12), tail(6), tail(0)};
  return {static_cast<char>(0xF0 | c >> 18), tail(12), tail(6), tail(0)};
}

}  // namespace

TEST_CASE("valid UTF-8 of one to four bytes a character has no invalid byte") {
  CHECK_FALSE(utf8::first_invalid_byte(""));
  CHECK_FALSE(utf8::first_invalid_byte("aé漢👍"));
  CHECK_FALSE(utf8::first_invalid_byte("\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF"));
  CHECK_FALSE(utf8::first_invalid_byte("\xED\x9F\xBF\xEE\x80\x80\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"));
  CHECK_FALSE(utf8::first_invalid_byte(std::string("a\0b", 3)));
}

TEST_CASE("overlong forms, surrogates, too large and broken characters are invalid UTF-8") {
  const std::vector<std::string> faults = {
      "\x80",              // a continuation alone
      "\xBF",              //
      "\xC0\x80",          // overlong NUL
      "\xC1\xBF",          // overlong U+007F
      "\xE0\x9F\xBF",      // overlong U+07FF
      "\xF0\x8F\xBF\xBF",  // overlong U+FFFF
      "\xED\xA0\x80",      // surrogate U+D800
      "\xED\xBF\xBF",      // surrogate U+DFFF
      "\xF4\x90\x80\x80",  // U+110000
      "\xF5\x80\x80\x80",  // leads beyond U+10FFFF
      "\xFF",              //
      "\xC3",              // cut short
      "\xE6\xBC",          //
      "\xF0\x9F\x91",      //
      "\xC3(",             // no continuation
      "\xE6\xBC(",         //
  };
  for (const std::string& fault : faults) {
    CAPTURE(fault.size(), static_cast<int>(static_cast<unsigned char>(fault[0])));
    CHECK(utf8::first_invalid_byte("ab" + fault) == 2);
    CHECK_THROWS_WITH(utf8::characters("ab" + fault), contains("byte 2"));
  }
}

TEST_CASE("text is split into its characters") {
  CHECK(utf8::characters("") == std::vector<std::string>{});
  CHECK(utf8::characters("a é漢👍") == std::vector<std::string>{"a", " ", "é", "漢", "👍"});
}

TEST_CASE("display width counts two columns for wide characters and none for marks") {
  CHECK(utf8::display_width("abc") == 3);
  CHECK(utf8::display_width("é") == 1);
  CHECK(utf8::display_width("e\u0301") == 1);  // a combining accent
  CHECK(utf8::display_width("漢字かなカナ한글") == 16);
  CHECK(utf8::display_width("ＡＢ") == 4);  // full-width forms
  CHECK(utf8::display_width("👍🎉") == 4);
  CHECK(utf8::display_width("\u200B\u200D\uFEFF\t\n\x7F") == 0);
  CHECK(utf8::display_width("░▒▓█━·…␣") == 8);
  CHECK(utf8::display_width(U'Ж') == 1);
}

TEST_CASE("invisible characters become visible symbols") {
  CHECK(utf8::visible("a b") == "a␣b");
  CHECK(utf8::visible("\t\n") == "⇥⏎");
  CHECK(utf8::visible("\x1b[0m") == "U+001B[0m");
  CHECK(utf8::visible("\u200B") == "U+200B");
  CHECK(utf8::visible("\u0301") == "◌\u0301");
  CHECK(utf8::visible("e\u0301") == "e\u0301");
  CHECK(utf8::visible("漢") == "漢");
}

TEST_CASE("lines are read with LF or CRLF ends, a byte order mark, and a last line without end") {
  const TemporaryFolder folder;
  CHECK(utf8::read_lines(folder.write("a", "\xEF\xBB\xBFone\r\ntwo\n\nfour"), "test") ==
        std::vector<std::string>{"one", "two", "", "four"});
  CHECK(utf8::read_lines(folder.write("b", "one\n"), "test") == std::vector<std::string>{"one"});
  CHECK(utf8::read_lines(folder.write("c", ""), "test").empty());
}

TEST_CASE("a line that is not UTF-8 is an error with file, line and column") {
  const TemporaryFolder folder;
  const std::string path = folder.write("latin1.txt", "one\ncaf\xE9\n");
  CHECK_THROWS_WITH(utf8::read_lines(path, "test"),
                    contains(path + ":2:") && contains("0xe9") && contains("column 4"));
}

TEST_CASE("a text file that cannot be read is an error with its name and the reason") {
  const TemporaryFolder folder;
  CHECK_THROWS_WITH(utf8::read_lines(folder.path("none"), "test"),
                    contains(folder.path("none")) && contains("No such file"));
  CHECK_THROWS_WITH(utf8::read_lines(folder.path(""), "test"), contains("is a folder"));
}

TEST_CASE("lines end with LF, CRLF or CR, also mixed, in files and streams") {
  const TemporaryFolder folder;
  const auto lines = [&](std::string_view text) {
    return utf8::read_lines(folder.write("a", text), "test");
  };
  using Lines = std::vector<std::string>;
  CHECK(lines("one\rtwo\r\rfour\r") == Lines{"one", "two", "", "four"});
  CHECK(lines("one\rtwo") == Lines{"one", "two"});
  CHECK(lines("one\rtwo\r\nthree\nfour\r\r\n\n") == Lines{"one", "two", "three", "four", "", ""});
  CHECK(lines("\r\n") == Lines{""});
  CHECK(lines("\n") == Lines{""});
  CHECK(lines("\xEF\xBB\xBF").empty());
  CHECK(lines("\xEF\xBB\xBF\r\n") == Lines{""});
  CHECK(lines(std::string("\xEF\xBB\xBF\xEF\xBB\xBF") + "a") == Lines{"\uFEFFa"});

  std::istringstream stream("\xEF\xBB\xBFone\rtwo\r\n\xFF");
  utf8::LineReader reader(stream, "a stream");
  Lines read;
  for (std::string line; reader.next(line);) read.push_back(line);
  CHECK(read == Lines{"one", "two", "\xFF"});  // checked by the caller, not here
  CHECK(reader.number() == 3);
}

TEST_CASE("compressed and UTF-16 files are rejected with a hint how to convert them") {
  const TemporaryFolder folder;
  const auto check = [&](std::string_view bytes, const char* kind, const char* remedy) {
    const std::string path = folder.write("a", bytes);
    CHECK_THROWS_WITH(utf8::read_lines(path, "test"),
                      contains("'" + path + "'") && contains(kind) && contains(remedy));
  };
  check("\x28\xB5\x2F\xFD_", "compressed with zstd", "zstd -dc");
  check(std::string_view("\xFD"
                         "7zXZ\0\0",
                         7),
        "compressed with xz", "xz -dc");
  check("BZh91AY&SY", "compressed with bzip2", "bzip2 -dc");
  check("PK\x03\x04", "zip archive", "unzip -p");
  check(std::string_view("\xFF\xFE"
                         "a\0\n\0",
                         6),
        "UTF-16", "iconv");
  CHECK(utf8::read_lines(folder.write("a", "BZh was here"), "test").size() == 1);
}

TEST_CASE("a NUL byte in text is an error with line and column") {
  const TemporaryFolder folder;
  const std::string path = folder.write("a", std::string_view("one\nt\0o\n", 8));
  CHECK_THROWS_WITH(utf8::read_lines(path, "test"), contains(path + ":2:") && contains("column 2"));
}

TEST_CASE("display_width handles combining marks, joiners and emoji of many scripts") {
  CHECK(utf8::display_width("שָׁלוֹם") == 4);          // Hebrew points
  CHECK(utf8::display_width("مُحَمَّد") == 4);          // Arabic vowels
  CHECK(utf8::display_width("ก็") == 1);             // Thai
  CHECK(utf8::display_width("ഥ്") == 1);             // Malayalam virama
  CHECK(utf8::display_width("\U0001E944") == 0);    // Adlam
  CHECK(utf8::display_width("\uD7B0\u1160") == 0);  // Hangul vowels
  CHECK(utf8::display_width("❤️") == 2);        // a symbol made an emoji
  CHECK(utf8::display_width("❤") == 1);
  CHECK(utf8::display_width("\uFE0F") == 0);
  CHECK(utf8::display_width("👍️") == 2);
  CHECK(utf8::display_width("🇩🇪") == 4);
  CHECK(utf8::display_width("\u2068a\u2069\u200F") == 1);
  CHECK(utf8::display_width("\U000E0061") == 0);  // a tag
}

TEST_CASE("printable text contains no terminal control sequences") {
  CHECK(utf8::printable("a é漢👍 \u200D") == "a é漢👍 \u200D");
  CHECK(utf8::printable("\x1b[31m") == "U+001B[31m");
  CHECK(utf8::printable("a\nb\tc\r\x7F") == "aU+000AbU+0009cU+000DU+007F");
  CHECK(utf8::printable("\u009B31m\u2028") == "U+009B31mU+2028");
  CHECK(utf8::printable("\u202Eabc\u2069") == "U+202EabcU+2069");
  CHECK(utf8::printable("a\xFF\xC3") == "a\\xff\\xc3");
  CHECK(utf8::printable(std::string(1, '\0')) == "U+0000");
}

TEST_CASE("shortened text fits into its columns") {
  CHECK(utf8::shortened("abc", 3) == "abc");
  CHECK(utf8::shortened("abcd", 3) == "ab…");
  CHECK(utf8::shortened("漢字", 3) == "漢…");
  CHECK(utf8::shortened("漢字", 2) == "…");
  CHECK(utf8::shortened("e\u0301e\u0301e\u0301", 2) == "e\u0301…");
  CHECK(utf8::display_width(utf8::shortened("❤️b", 2)) == 2);
  CHECK(utf8::shortened("ab", 0) == "");
}

TEST_CASE("right-to-left text is isolated") {
  CHECK(utf8::isolated("abc → 漢") == "abc → 漢");
  CHECK(utf8::isolated("שלום") == "\u2068שלום\u2069");
  CHECK(utf8::isolated("abc سلام") == "\u2068abc سلام\u2069");
}

TEST_CASE("text is split into words and turned into lower case as by Python") {
  const nlohmann::json golden = nlohmann::json::parse(
      std::ifstream(std::string(ATTUNE_GOLDEN_DIR) + "/metrics.json"))["words"];
  for (const nlohmann::json& text : golden.at("texts")) {
    std::vector<std::string> words;
    const std::string given = text[0];
    for (const std::string_view word : utf8::words(given)) words.emplace_back(word);
    CHECK(words == text[1].get<std::vector<std::string>>());
    CHECK(utf8::lower(given) == text[2].get<std::string>());
  }
  CHECK_THROWS_WITH(utf8::lower("a\xFF"), contains("byte 1"));
}

TEST_CASE("the lower case and the white space of every code point are Unicode's") {
  const nlohmann::json golden = nlohmann::json::parse(
      std::ifstream(std::string(ATTUNE_GOLDEN_DIR) + "/metrics.json"))["words"];
  std::uint64_t checksum = 0;
  std::vector<char32_t> spaces;
  for (char32_t c = 0; c < 0x110000; ++c) {
    if (c >= 0xD800 && c < 0xE000) continue;
    const std::string text = encoded(c);
    for (const char32_t lower : utf8::code_points(utf8::lower(text)))
      checksum = checksum * 31 + c + lower;
    if (utf8::words(text).empty()) spaces.push_back(c);
  }
  CHECK(std::to_string(checksum) == golden.at("lower_checksum").get<std::string>());
  CHECK(spaces == golden.at("spaces").get<std::vector<char32_t>>());
}
