#include "attune/train/token_files.h"

#include <string>
#include <vector>

#include "catch.h"
#include "program.h"
#include "temporary_folder.h"

using namespace attune;
using namespace program;

namespace {

TrainOptions options_for(const TemporaryFolder& folder) {
  folder.write("pairs.tsv", "ab\tX Y\nba\tY X\naab\tX X Y\nlonger than that\tY\n");
  TrainOptions options{.run = folder.path("run")};
  options.data.file = folder.path("pairs.tsv");
  options.data.target_tokens = "words";
  options.data.max_length = 6;
  options.data.token_files = folder.path("tokens");
  return options;
}

void check_equal(const Corpus& a, const Corpus& b) {
  CHECK(a.source == b.source);
  CHECK(a.target == b.target);
  CHECK(a.sample == b.sample);
  CHECK(a.left_out == b.left_out);
  REQUIRE(a.pairs.size() == b.pairs.size());
  CHECK(a.pairs.ids().index() == b.pairs.ids().index());
  for (std::size_t i = 0; i < a.pairs.size(); ++i) {
    CHECK(a.pairs[i].source == b.pairs[i].source);
    CHECK(a.pairs[i].target == b.pairs[i].target);
  }
}

}  // namespace

TEST_CASE("token files give back the corpus, with ids of two or four bytes") {
  const TemporaryFolder folder;
  const TrainOptions options = options_for(folder);
  Corpus corpus = read_corpus(options);
  CHECK(corpus.left_out == "1 of 4 lines left out: 1 too long");
  CHECK(corpus.sample == "ab");
  const std::vector<std::string> key = token_key(options);
  const TokenFiles files(options.data.token_files, key);
  CHECK_FALSE(files.load());
  REQUIRE(files.save(corpus, key));
  check_equal(files.load().value(), corpus);
  PairTableBuilder wide(1 << 20);
  for (int i = 0; i < 3; ++i) wide.add(std::vector<int>{4, 5 + i}, std::vector<int>{6});
  corpus.pairs = std::move(wide).build();
  REQUIRE(files.save(corpus, key));
  check_equal(files.load().value(), corpus);
}

TEST_CASE("token files of other data or options are not used") {
  const TemporaryFolder folder;
  const TrainOptions options = options_for(folder);
  const std::vector<std::string> key = token_key(options);
  const Corpus corpus = read_corpus(options);
  REQUIRE(TokenFiles(options.data.token_files, key).save(corpus, key));
  const auto is_used = [&](auto change) {
    TrainOptions other = options;
    change(other);
    return TokenFiles(options.data.token_files, token_key(other)).load().has_value();
  };
  CHECK(is_used([](auto&) {}));
  CHECK(is_used([](auto& o) { o.steps = 5, o.seed = 9, o.data.valid = "v", o.batch = 3; }));
  CHECK_FALSE(is_used([](auto& o) { o.data.target_tokens = "chars"; }));
  CHECK_FALSE(is_used([](auto& o) { o.data.max_source_length = 3; }));
  CHECK_FALSE(is_used([](auto& o) { o.data.drop_duplicates = true; }));
  CHECK_FALSE(is_used([](auto& o) { o.data.max_ratio = 2; }));
  CHECK_FALSE(is_used([](auto& o) { o.data.too_long = "truncate"; }));
  folder.write("pairs.tsv", folder.read("pairs.tsv") + "a\tX\n");
  CHECK_FALSE(is_used([](auto&) {}));
  // Data that changed while it was read.
  CHECK_FALSE(TokenFiles(options.data.token_files, key).save(corpus, token_key(options)));
}

TEST_CASE("damaged token files are noticed, whatever byte is changed or missing") {
  const TemporaryFolder folder;
  const TrainOptions options = options_for(folder);
  const std::vector<std::string> key = token_key(options);
  const TokenFiles files(options.data.token_files, key);
  REQUIRE(files.save(read_corpus(options), key));
  for (const char* name : {"pairs.tokens", "source.vocab", "target.vocab"}) {
    const std::string path = std::string("tokens/") + name, whole = folder.read(path);
    CAPTURE(name);
    for (std::size_t i = 0; i < whole.size(); ++i) {
      std::string damaged = whole;
      damaged[i] = static_cast<char>(damaged[i] ^ 0x40);
      folder.write(path, damaged);
      if (files.load()) FAIL("byte " << i << " is changed");
      folder.write(path, whole.substr(0, i));
      if (files.load()) FAIL("the file ends at byte " << i);
    }
    folder.write(path, whole + "x");
    CHECK_FALSE(files.load());
    std::filesystem::remove(folder.path(path));
    CHECK_FALSE(files.load());
    folder.write(path, whole);
    CHECK(files.load());
  }
}

TEST_CASE("a training from token files has the result of one without") {
  const TemporaryFolder folder;
  folder.write("source", "ab\nba\nab\naab\nb\na\nabababab\n");
  folder.write("target", "X Y\nY X\nX Y\nX X Y\nY\nX\nX\n");
  const std::string flags =
      "--steps 20 --source source --target target --target-tokens words --drop-duplicates "
      "--max-length 7 --valid-source source --valid-target target" +
      std::string(kSmall);
  const auto train_into = [&](const std::string& run, const std::string& more) {
    const Result result = seq2seq(folder, "train --run " + run + " " + flags + more);
    INFO(result.err);
    CHECK(result.code == 0);
    CHECK_THAT(result.err, contains("5 pairs of 'source' and 'target'"));
    CHECK_THAT(result.err, contains("'source' and 'target': 2 of 7 lines left out: 1 too long, 1 "
                                    "repeated"));
    for (const char* file : {"source.vocab", "target.vocab", "model.safetensors", "metrics.jsonl"})
      CHECK(folder.read(run + "/" + file) == folder.read(std::string("plain/") + file));
    return result.err;
  };
  train_into("plain", "");
  const std::string with = " --token-files cache/tokens";
  CHECK_THAT(train_into("first", with), contains("tokens kept in 'cache/tokens'"));
  CHECK(names_in(folder.path("cache/tokens")) ==
        std::vector<std::string>{"pairs.tokens", "source.vocab", "target.vocab"});
  const std::string second = train_into("second", with);
  CHECK_THAT(second, contains("tokens from 'cache/tokens'; 2 of 7 lines left out"));
  CHECK_FALSE(contains("in an earlier line").match(second));

  folder.write("cache/tokens/target.vocab", "words\n");
  CHECK_THAT(train_into("third", with),
             contains("warning: the token files in 'cache/tokens' cannot be used: "
                      "'cache/tokens/target.vocab' is damaged, or of other tokens; they are made "
                      "again") &&
                 contains("tokens kept in"));
  CHECK_THAT(seq2seq(folder, "train --run other " + flags + with + " --max-ratio 8").err,
             contains("are of other data or options: max_ratio= then, max_ratio=8 now; they are "
                      "made again"));
}

TEST_CASE("token files keep subwords, and their lengths are filtered once they are known") {
  const TemporaryFolder folder;
  std::string pairs;
  for (int i = 0; i < 30; ++i)
    pairs += fmt::format("the cat {0} sat on mats\tder kater {0} sass auf matten\n", i);
  folder.write("pairs", pairs + "the cat\tder kater sass auf matten und auf matten und matten\n");
  const std::string flags =
      "--data pairs --source-tokens subwords --target-tokens subwords --vocabulary 45 "
      "--joint-vocabulary --lowercase --batch-tokens 200 --max-ratio 3 --steps 5 --hidden 8 "
      "--embedding 4";
  const Result plain = seq2seq(folder, "train --run plain " + flags);
  INFO(plain.err);
  REQUIRE(plain.code == 0);
  CHECK_THAT(plain.err, contains("pairs:31: the source has") &&
                            contains("1 of 31 lines left out: 1 of unlike lengths"));
  for (const char* run : {"first", "second"}) {
    const Result kept =
        seq2seq(folder, "train --token-files t " + flags + " --run " + std::string(run));
    CHECK(kept.code == 0);
    CHECK_THAT(kept.err, contains(run == std::string("first") ? "kept in 't'" : "from 't'"));
    CHECK(folder.read(std::string(run) + "/model.safetensors") ==
          folder.read("plain/model.safetensors"));
  }
}

TEST_CASE("a resumed training may use token files, or others") {
  const TemporaryFolder folder;
  folder.write("pairs", "ab\tba\nba\tab\nb\tb\n");
  const std::string flags = "--data pairs --steps 20 --keep 9 --save-every 5" + std::string(kSmall);
  REQUIRE(seq2seq(folder, "train --run a " + flags).code == 0);
  REQUIRE(seq2seq(folder, "train --run b --token-files t " + flags).code == 0);
  const std::string done = folder.read("b/model.safetensors");
  for (const char* name : {"checkpoint-20.safetensors", "checkpoint-15.safetensors"})
    std::filesystem::remove(folder.path(std::string("b/") + name));
  const Result resumed = seq2seq(folder, "train --run b --resume --token-files t");
  INFO(resumed.err);
  CHECK(resumed.code == 0);
  CHECK_THAT(resumed.err, contains("tokens from 't'") && contains("after step 10"));
  CHECK(folder.read("b/model.safetensors") == done);
  CHECK(folder.read("a/model.safetensors") == done);
}

TEST_CASE("token files need plain files, and a folder that cannot be written does no harm") {
  const TemporaryFolder folder;
  folder.write("pairs", "ab\tba\nba\tab\n");
  folder.write("plain", "");
  check_error(seq2seq(folder, "train --run run --data - --token-files t", "a\tb\n"),
              "--token-files: standard input is no plain file");
  check_error(train(folder, "--token-files t"), "--token-files: it needs --data");
  const Result result = train(folder, "--data pairs --token-files plain/t");
  CHECK(result.code == 0);
  CHECK_THAT(result.err, contains("warning: the tokens cannot be kept in 'plain/t'"));
}
