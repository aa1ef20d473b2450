#include "attune/data/vocabulary.h"

#include <algorithm>
#include <string>
#include <vector>

#include "attune/autograd/array/error.h"
#include "catch.h"
#include "temporary_folder.h"

using namespace attune;

namespace {

using Lines = std::vector<std::string>;
using Ids = std::vector<int>;

Vocabulary built(Tokens kind, const Lines& lines) { return Vocabulary::build(kind, lines); }

std::string file_of(std::string_view tokens) {
  return "chars\n<pad>\n<s>\n</s>\n<unk>\n" + std::string(tokens);
}

}  // namespace

TEST_CASE("a vocabulary starts with its four special tokens") {
  const Vocabulary vocabulary(Tokens::chars);
  REQUIRE(vocabulary.size() == 4);
  CHECK(vocabulary.token(Vocabulary::pad) == "<pad>");
  CHECK(vocabulary.token(Vocabulary::start) == "<s>");
  CHECK(vocabulary.token(Vocabulary::end) == "</s>");
  CHECK(vocabulary.token(Vocabulary::unknown) == "<unk>");
}

TEST_CASE("a vocabulary lists frequent tokens first and equally frequent ones by their bytes") {
  const Vocabulary chars = built(Tokens::chars, {"banana", "zé"});
  CHECK(chars.size() == 9);
  CHECK(chars.encode("anbzé") == Ids{4, 5, 6, 7, 8});

  Lines lines = {"the cat sat", "the dog sat", "the end"};
  const Vocabulary words = built(Tokens::words, lines);
  CHECK(words.encode("the sat cat dog end") == Ids{4, 5, 6, 7, 8});
  std::reverse(lines.begin(), lines.end());
  CHECK(built(Tokens::words, lines) == words);
}

TEST_CASE("characters keep white space and words drop it") {
  CHECK(Vocabulary(Tokens::chars).tokenize("a  é") == Lines{"a", " ", " ", "é"});
  CHECK(Vocabulary(Tokens::words).tokenize(" \t a  é\r\n") == Lines{"a", "é"});
  CHECK(Vocabulary(Tokens::words).tokenize(" \t").empty());
}

TEST_CASE("a vocabulary maps an unseen token to unknown and reports it once") {
  const Vocabulary vocabulary = built(Tokens::chars, {"abc"});
  UnknownTokens unknown;
  CHECK(vocabulary.encode("axbxy", &unknown) == Ids{4, 3, 5, 3, 3});
  CHECK(unknown.tokens() == Lines{"x", "y"});
  vocabulary.encode("yz", &unknown);
  CHECK(unknown.tokens() == Lines{"x", "y", "z"});
  CHECK(unknown.occurrences() == 5);
  CHECK(vocabulary.encode("x") == Ids{3});
}

TEST_CASE("text that spells a special token is not encoded as that token") {
  const Vocabulary vocabulary = built(Tokens::words, {"a </s> <pad> <unk>"});
  CHECK(vocabulary.size() == 5);
  UnknownTokens unknown;
  CHECK(vocabulary.encode("a </s> <pad> <unk>", &unknown) == Ids{4, 3, 3, 3});
  CHECK(unknown.tokens() == Lines{"</s>", "<pad>", "<unk>"});
}

TEST_CASE("decoding stops at the end token and omits start and padding") {
  const Vocabulary chars = built(Tokens::chars, {"ab"});
  CHECK(chars.decode(Ids{1, 4, 5, 3, 0, 4, 2, 5, 5}) == "ab<unk>a");
  CHECK(chars.tokens(Ids{1, 4, 5, 2, 5}) == Lines{"a", "b"});
  CHECK(chars.decode(Ids{}) == "");
  const Vocabulary words = built(Tokens::words, {"ab c"});
  CHECK(words.decode(Ids{4, 5, 4}) == "ab c ab");
}

TEST_CASE("a vocabulary decodes encoded text to the same text") {
  const std::string line = "Ça va, 漢字 👍!";
  CHECK(built(Tokens::chars, {line}).decode(built(Tokens::chars, {line}).encode(line)) == line);
  CHECK(built(Tokens::words, {line}).decode(built(Tokens::words, {line}).encode(line)) == line);
}

TEST_CASE("an index outside the vocabulary is an error with the vocabulary's size") {
  const Vocabulary vocabulary = built(Tokens::chars, {"ab"});
  CHECK_THROWS_AS(vocabulary.token(6), Error);
  CHECK_THROWS_WITH(vocabulary.token(6), contains("index 6") && contains("6 tokens"));
  CHECK_THROWS_WITH(vocabulary.decode(Ids{4, -1}), contains("index -1"));
}

TEST_CASE("tokenizing text that is not UTF-8 is an error") {
  CHECK_THROWS_AS(Vocabulary(Tokens::chars).encode("a\xFF"), Error);
  CHECK_THROWS_AS(Vocabulary(Tokens::words).encode("a\xFF"), Error);
}

TEST_CASE("kinds of tokens have names") {
  CHECK(tokens_named("chars") == Tokens::chars);
  CHECK(tokens_named("words") == Tokens::words);
  CHECK(name_of(Tokens::words) == "words");
  CHECK_THROWS_WITH(tokens_named("bytes"), contains("'bytes'") && contains("chars, words"));
}

TEST_CASE("a vocabulary is saved and loaded, with spaces, tabs and line ends as tokens") {
  const TemporaryFolder folder;
  const std::string path = folder.path("source.vocabulary");
  const Vocabulary chars = built(
      Tokens::chars,
      {" \t\n\r\v\f\\sx", "\u0085\u2028\u2029\uFEFF\x7F" + std::string(1, '\0'), "é漢👍 e\u0301"});
  chars.save(path);
  CHECK(Vocabulary::load(path) == chars);
  CHECK(Vocabulary::load(path).encode("\n é") == chars.encode("\n é"));

  const Vocabulary words = built(Tokens::words, {"a\\b \\n </s> x\u2028y"});
  words.save(path);
  CHECK(Vocabulary::load(path) == words);
  CHECK(Vocabulary::load(path).kind() == Tokens::words);
  CHECK(folder.entries() == 1);
}

TEST_CASE("a vocabulary's file is plain text with one token a line") {
  const TemporaryFolder folder;
  built(Tokens::chars, {"aab \n\\\v\u2028"}).save(folder.path("v"));
  CHECK(folder.read("v") == file_of("a\n\\n\n\\x0B\n\\s\n\\\\\nb\n\\xE2\\x80\\xA8\n"));
}

TEST_CASE("a vocabulary's file with CRLF line ends loads") {
  const TemporaryFolder folder;
  const std::string path = folder.write("v", "words\r\n<pad>\r\n<s>\r\n</s>\r\n<unk>\r\ncat\r\n");
  CHECK(Vocabulary::load(path).encode("cat") == Ids{4});
}

TEST_CASE("an error in a vocabulary's file names the line") {
  const TemporaryFolder folder;
  const auto fault = [&](std::string_view text, const std::string& line, const std::string& what) {
    const std::string path = folder.write("v", text);
    CAPTURE(text);
    CHECK_THROWS_AS(Vocabulary::load(path), Error);
    CHECK_THROWS_WITH(Vocabulary::load(path), contains(path + ":" + line + ":") && contains(what));
  };
  fault("", "1", "is not a kind");
  fault("bytes\n", "1", "'bytes'");
  fault("chars\n<pad>\n", "3", "not saved completely");
  fault("chars\n<pad>\na\n", "3", "'<s>' is expected");
  fault(file_of("a\nb\na\n"), "8", "twice");
  fault(file_of("a\n\nb\n"), "7", "0 tokens");
  fault(file_of("a\nbc\n"), "7", "2 tokens");
  fault(file_of("\\q\n"), "6", "bad escape");
  fault(file_of("\\\n"), "6", "bad escape");
  fault(file_of("\\x4\n"), "6", "bad escape");
  fault(file_of("\\xFF\n"), "6", "bad escape");
  fault(file_of("a\n\xFF\n"), "7", "not UTF-8");
  fault("words\n<pad>\n<s>\n</s>\n<unk>\n</s>\n", "6", "twice");
}

TEST_CASE("an error in writing or reading a vocabulary names the file and leaves none behind") {
  const TemporaryFolder folder;
  const std::string path = folder.path("no/such/folder/v");
  CHECK_THROWS_WITH(Vocabulary(Tokens::chars).save(path),
                    contains(path) && contains("No such file"));
  CHECK_THROWS_WITH(Vocabulary::load(path), contains(path) && contains("No such file"));
  CHECK(folder.entries() == 0);
}

TEST_CASE("a vocabulary can leave out rare tokens") {
  const Lines lines = {"a b a", "c b a", "d"};
  const Vocabulary all = Vocabulary::build(Tokens::words, lines);
  CHECK(all == Vocabulary::build({.kind = Tokens::words, .min_count = 1}, lines));
  CHECK(all.size() == Vocabulary::specials + 4);
  const Vocabulary frequent = Vocabulary::build({.kind = Tokens::words, .min_count = 2}, lines);
  CHECK(frequent.size() == Vocabulary::specials + 2);
  CHECK(frequent.encode("a b c") == std::vector<int>{4, 5, Vocabulary::unknown});
  CHECK(Vocabulary::build({.kind = Tokens::words, .min_count = 4}, lines).size() ==
        Vocabulary::specials);
}

TEST_CASE("a vocabulary handles 300,000 different unknown tokens quickly") {
  const Vocabulary vocabulary(Tokens::words);
  UnknownTokens unknown;
  std::string line;
  for (int i = 0; i < 300000; ++i) line += std::to_string(i) + " ";
  vocabulary.encode(line, &unknown);
  CHECK(unknown.tokens().size() == 300000);
  vocabulary.encode("7 7", &unknown);
  CHECK(unknown.tokens().size() == 300000);
  CHECK(unknown.occurrences() == 300002);
}

TEST_CASE("a vocabulary file may have any line ends and a byte order mark") {
  const TemporaryFolder folder;
  const Vocabulary vocabulary = built(Tokens::chars, {"ab \r\n"});
  const std::string path = folder.path("v");
  vocabulary.save(path);
  const std::string text = folder.read("v");
  for (const std::string end : {"\r\n", "\r"}) {
    std::string changed = "\xEF\xBB\xBF";
    for (const char byte : text) byte == '\n' ? changed += end : changed += byte;
    CHECK(Vocabulary::load(folder.write("w", changed)) == vocabulary);
    changed.resize(changed.size() - end.size());
    CHECK(Vocabulary::load(folder.write("w", changed)) == vocabulary);
  }
}

TEST_CASE("a vocabulary can be limited to the most frequent tokens") {
  const Lines lines = {"a b a", "c b a", "d"};
  const auto limited = [&](std::size_t most) {
    return Vocabulary::build(
        {.kind = Tokens::words, .form = {}, .min_count = 1, .max_tokens = most, .subwords = {}},
        lines);
  };
  CHECK(limited(2).size() == Vocabulary::specials + 2);
  CHECK(limited(3).encode("a b c d") == std::vector<int>{4, 5, 6, Vocabulary::unknown});
  CHECK(limited(100).size() == Vocabulary::specials + 4);
}
