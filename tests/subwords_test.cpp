#include "attune/data/subwords.h"

#include <string>
#include <vector>

#include "attune/autograd/array/threads.h"
#include "attune/data/vocabulary.h"
#include "catch.h"
#include "temporary_folder.h"

using namespace attune;

namespace {

using Lines = std::vector<std::string>;

// Sentences of a few words, among them some with accents.
Lines sentences() {
  Lines lines;
  const Lines words = {"the",   "reader", "reads", "readers", "café",
                       "cafés", "a",      "lower", "lowest"};
  for (std::size_t i = 0; i < 200; ++i)
    lines.push_back(words[i % 9] + " " + words[i * 7 % 9] + " " + words[i * i % 9]);
  return lines;
}

Vocabulary subwords_of(const std::string& model, int size, TextForm form = {}) {
  return Vocabulary::build({.kind = Tokens::subwords,
                            .form = form,
                            .min_count = 1,
                            .max_tokens = {},
                            .subwords = {model, size}},
                           sentences());
}

}  // namespace

TEST_CASE("subwords of a text join to the text again") {
  const Vocabulary vocabulary = subwords_of(GENERATE("unigram", "bpe"), 40);
  CHECK(vocabulary.size() <= 40);
  CHECK(vocabulary.kind() == Tokens::subwords);
  for (const std::string& line : sentences())
    CHECK(vocabulary.decode(vocabulary.encode(line)) == line);
  // A word that is not in the text has pieces of it.
  CHECK(vocabulary.decode(vocabulary.encode("rest of thea")) != "");
  const std::vector<int> ids = vocabulary.encode("theater");
  CHECK(std::count(ids.begin(), ids.end(), Vocabulary::unknown) == 0);
  CHECK(vocabulary.decode(ids) == "theater");
}

TEST_CASE("bpe joins the most frequent pairs of pieces first") {
  // Sennrich et al. 2016, figure 1: "lo", "low", "er" are joined in words that occur often.
  const Lines lines = {
      "low low low low low lower lower newest newest newest newest newest newest "
      "widest widest widest"};
  const Vocabulary vocabulary = Vocabulary::build({.kind = Tokens::subwords,
                                                   .form = {},
                                                   .min_count = 1,
                                                   .max_tokens = {},
                                                   .subwords = {"bpe", 4 + 11 + 3}},
                                                  lines);
  const auto has = [&](const std::string& piece) {
    return vocabulary.id(piece) != Vocabulary::unknown;
  };
  CHECK(has("es"));
  CHECK(has("est"));
  CHECK_FALSE(has("▁newest"));
  CHECK(vocabulary.tokenize("lowest").back() == "est");
}

TEST_CASE("characters that a subword model has not seen are unknown, and counted") {
  const Vocabulary vocabulary = subwords_of("unigram", 40);
  UnknownTokens unknown;
  const std::vector<int> ids = vocabulary.encode("the Ω", &unknown);
  CHECK(ids.back() == Vocabulary::unknown);
  CHECK(unknown.tokens() == Lines{"Ω"});
}

TEST_CASE("special tokens do not come out of text") {
  const Vocabulary vocabulary = subwords_of("unigram", 40);
  for (const int id : vocabulary.encode("<s> </s> <pad>"))
    CHECK((id == Vocabulary::unknown || id >= Vocabulary::specials));
}

TEST_CASE("a subword model does not depend on the number of threads") {
  const std::string model = GENERATE("unigram", "bpe");
  const int before = threads();
  set_threads(1);
  const Vocabulary one = subwords_of(model, 40);
  set_threads(3);
  CHECK(subwords_of(model, 40) == one);
  set_threads(before);
}

TEST_CASE("a vocabulary of subwords is saved and loaded as one file") {
  const TemporaryFolder folder;
  const Vocabulary vocabulary =
      subwords_of("bpe", 40, {.lowercase = true, .normalization = NormalForm::nfc});
  vocabulary.save(folder.path("v"));
  CHECK(folder.entries() == 1);
  CHECK(folder.read("v").starts_with("subwords lowercase nfc\n"));
  const Vocabulary loaded = Vocabulary::load(folder.path("v"));
  CHECK(loaded == vocabulary);
  CHECK(loaded.encode("The Cafés") == vocabulary.encode("the cafés"));
  CHECK(loaded.form().lowercase);

  const std::string bytes = folder.read("v");
  const std::string cut = folder.write("cut", bytes.substr(0, bytes.size() / 2));
  CHECK_THROWS_WITH(Vocabulary::load(cut),
                    contains("not a model of SentencePiece") && contains(cut));
  const std::string none = folder.write("none", "subwords\n");
  CHECK_THROWS_WITH(Vocabulary::load(none), contains(none));
}

TEST_CASE("text that is too short for a subword model of some size gives a smaller one") {
  const std::string model = GENERATE("unigram", "bpe");
  const Lines lines = {"a pair of words"};
  const Vocabulary vocabulary = Vocabulary::build({.kind = Tokens::subwords,
                                                   .form = {},
                                                   .min_count = 1,
                                                   .max_tokens = {},
                                                   .subwords = {model, 8000}},
                                                  lines);
  CHECK(vocabulary.size() < 40);
  CHECK(vocabulary.decode(vocabulary.encode(lines[0])) == lines[0]);
}

TEST_CASE("a subword model that cannot be trained says why") {
  const auto build = [](const SubwordOptions& options, const Lines& lines) {
    return SubwordModel::train(lines, options);
  };
  CHECK_THROWS_WITH(build({"wordpiece", 100}, sentences()),
                    contains("unknown model 'wordpiece'") && contains("unigram, bpe"));
  CHECK_THROWS_WITH(build({"bpe", 5}, sentences()),
                    contains("200 lines do not make a bpe model of 5"));
  const Lines without =
      GENERATE(Lines{}, Lines{""}, Lines{" ", "\u2581", "\t"}, Lines{std::string(100'000, 'x')});
  for (const char* model : {"unigram", "bpe"})
    CHECK_THROWS_WITH(build({model, 100}, without), contains("lines have no text"));
  CHECK_THROWS_WITH(Vocabulary(Tokens::subwords), contains("need a model"));
}

TEST_CASE("a text form normalises and lowers text before it is split") {
  CHECK(in_form("Cafe\u0301 \uFB01t", {}) == "Cafe\u0301 \uFB01t");
  CHECK(in_form("Cafe\u0301 \uFB01t", {.lowercase = false, .normalization = NormalForm::nfc}) ==
        "Caf\u00E9 \uFB01t");
  CHECK(in_form("CAFE\u0301 \uFB01t", {.lowercase = true, .normalization = NormalForm::nfkc}) ==
        "caf\u00E9 fit");
  CHECK(normal_form_named("nfkc") == NormalForm::nfkc);
  CHECK_THROWS_WITH(normal_form_named("nfd"), contains("'nfd'") && contains("none, nfc, nfkc"));

  const Vocabulary words = Vocabulary::build({.kind = Tokens::words,
                                              .form = {.lowercase = true},
                                              .min_count = 1,
                                              .max_tokens = {},
                                              .subwords = {}},
                                             Lines{"The the THE cat"});
  CHECK(words.size() == Vocabulary::specials + 2);
  CHECK(words.encode("tHe Cat") == std::vector<int>{4, 5});
  CHECK_THROWS_WITH(words.encode("a\xFF"), contains("UTF-8"));
  const TemporaryFolder folder;
  words.save(folder.path("v"));
  CHECK(folder.read("v").starts_with("words lowercase\n<pad>\n"));
  CHECK(Vocabulary::load(folder.path("v")) == words);
}
