#include "attune/data/subword_dropout.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "attune/data/batch_stream.h"
#include "catch.h"

using namespace attune;

namespace {

using Ids = std::vector<int>;

// Sentences of words that share parts, among them some with accents.
std::vector<std::string> sentences() {
  const std::vector<std::string> words = {"the",   "reader", "reads", "readers", "café",
                                          "cafés", "a",      "lower", "lowest"};
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < 200; ++i)
    lines.push_back(words[i % 9] + " " + words[i * 7 % 9] + " " + words[i * i % 9]);
  return lines;
}

Vocabulary pieces(int size) {
  return Vocabulary::build({.kind = Tokens::subwords,
                            .form = {},
                            .min_count = 1,
                            .max_tokens = {},
                            .subwords = {"bpe", size}},
                           sentences());
}

}  // namespace

TEST_CASE("subword dropout that leaves out nothing gives the pieces of SentencePiece") {
  for (const int size : {25, 40, 60}) {
    const Vocabulary vocabulary = pieces(size);
    const SubwordDropout none(vocabulary, 0);
    Generator random(1);
    std::vector<std::string> lines = sentences();
    lines.insert(lines.end(), {"theater loads", "rest", "caféfac t e", "lowerlowest"});
    for (const std::string& line : lines) {
      const Ids ids = vocabulary.encode(line);
      CHECK(none(ids, random) == ids);
    }
  }
}

TEST_CASE("subword dropout cuts a text in many ways, which join to the same text") {
  const Vocabulary vocabulary = pieces(60);
  const SubwordDropout some(vocabulary, 0.3), most(vocabulary, 0.999);
  Generator random(1), same(1), other(2);
  std::set<Ids> forms;
  const std::string line = "the readers lower cafés";
  const Ids ids = vocabulary.encode(line);
  for (int i = 0; i < 50; ++i) {
    const Ids form = some(ids, random);
    CHECK(vocabulary.decode(form) == line);
    CHECK(form == some(ids, same));
    forms.insert(form);
  }
  CHECK(forms.size() > 20);
  CHECK(forms.count(ids) == 1);
  CHECK(some(ids, other) != some(ids, other));
  // Each character and, before each word, a space.
  CHECK(most(ids, random).size() > 20);
  CHECK(most({}, random).empty());
}

TEST_CASE("subword dropout keeps unknown pieces") {
  const Vocabulary vocabulary = pieces(60);
  const SubwordDropout some(vocabulary, 0.5);
  Generator random(1);
  const Ids ids = vocabulary.encode("the ☃ reads");
  REQUIRE(std::count(ids.begin(), ids.end(), Vocabulary::unknown) == 1);
  for (int i = 0; i < 20; ++i) {
    const Ids form = some(ids, random);
    CHECK(std::count(form.begin(), form.end(), Vocabulary::unknown) == 1);
  }
}

TEST_CASE("subword dropout is for subwords, with a probability below 1") {
  const std::vector<std::string> letters = {"abc"};
  CHECK_THROWS_WITH(SubwordDropout(Vocabulary::build(Tokens::chars, letters), 0.1),
                    contains("expected subwords"));
  CHECK_THROWS_WITH(SubwordDropout(pieces(40), 1), contains("probability 1"));
  Generator random(1);
  CHECK_THROWS_WITH(SubwordDropout(pieces(40), 0)({40}, random), contains("id 40"));
}
