#include "attune/seq2seq/utf8.h"

#include <string>
#include <vector>

#include "attune/autograd/array/error.h"
#include "catch.h"
#include "temporary_folder.h"

using namespace attune;

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

TEST_CASE("a line that is not UTF-8 is named by file, line and column") {
  const TemporaryFolder folder;
  const std::string path = folder.write("latin1.txt", "one\ncaf\xE9\n");
  CHECK_THROWS_WITH(utf8::read_lines(path, "test"),
                    contains(path + ":2:") && contains("0xe9") && contains("column 4"));
}

TEST_CASE("a text file that cannot be read is named with the reason") {
  const TemporaryFolder folder;
  CHECK_THROWS_WITH(utf8::read_lines(folder.path("none"), "test"),
                    contains(folder.path("none")) && contains("No such file"));
  CHECK_THROWS_WITH(utf8::read_lines(folder.path(""), "test"), contains("is a folder"));
}
