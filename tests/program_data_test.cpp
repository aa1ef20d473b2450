// How seq2seq handles invalid data, and the outputs that it writes.
#include <nlohmann/json.hpp>

#include "gzipped.h"
#include "program.h"

using namespace program;

namespace {

std::size_t occurrences(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

nlohmann::json scores_of(const Result& result) { return nlohmann::json::parse(result.out); }

std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields(1);
  for (const char byte : line)
    if (byte == '\t') {
      fields.emplace_back();
    } else {
      fields.back() += byte;
    }
  return fields;
}

// Trains on pairs, long enough to memorise them.
void learn(const TemporaryFolder& folder, const std::string& pairs, const std::string& flags = "") {
  folder.write("learnt.tsv", pairs);
  const Result trained = seq2seq(folder,
                                 "train --run run --data learnt.tsv --hidden 16 --embedding 8 "
                                 "--batch 8 --learning-rate 0.01 --steps 200 " +
                                     flags);
  INFO(trained.err);
  REQUIRE(trained.code == 0);
}

constexpr const char* kPairs = "ab\tX Y\nba\tY X\naab\tX X Y\nb\tY\na\tX\n";

}  // namespace

// Lines that cannot be used

TEST_CASE("translate writes an empty line for a bad line and translates the others") {
  const TemporaryFolder folder;
  learn(folder, kPairs, "--target-tokens words --max-length 6");
  const Result result = seq2seq(folder, "translate --run run",
                                "ab\n\nba\n\xff\nabababab\n" + std::string("a\0b\n", 4) + "aab");
  CHECK(lines_of(result.out) == std::vector<std::string>{"X Y", "", "Y X", "", "", "", "X X Y"});
  CHECK(result.code == 3);
  CHECK_THAT(result.err, contains("standard input, line 2: the source is empty"));
  CHECK_THAT(result.err, contains("standard input, line 4: not UTF-8: byte 0xff at column 1"));
  CHECK_THAT(result.err, contains("standard input, line 5: the source has 8 tokens, more than the "
                                  "limit of 6"));
  CHECK_THAT(result.err, contains("standard input, line 6: not text: a NUL byte at column 2"));
  CHECK_THAT(result.err, contains("error: 4 of 7 sources could not be translated"));

  const Result arguments = seq2seq(folder, "translate --run run ab '' ba");
  CHECK(lines_of(arguments.out) == std::vector<std::string>{"X Y", "", "Y X"});
  CHECK(arguments.code == 3);
  CHECK_THAT(arguments.err, contains("argument 2: the source is empty"));

  const Result longer = seq2seq(folder, "translate --run run --max-source-length 8 abababab");
  CHECK(longer.code == 0);
}

TEST_CASE("test skips, counts and reports lines that it cannot use") {
  const TemporaryFolder folder;
  learn(folder, kPairs, "--target-tokens words --max-length 6");
  folder.write("test.tsv", "ab\tX Y\nno tab\n\xff\tX\nabababa\tX\n\nba\tY X\tmore\n\n");
  const Result result = seq2seq(folder, "test --run run --data test.tsv --json --output out.tsv");
  INFO(result.err);
  CHECK(result.code == 3);
  const auto scores = scores_of(result);
  CHECK(scores.at("sequences") == 2);
  CHECK(scores.at("sequence_accuracy") == 1);
  CHECK(scores.at("skipped") == 4);
  CHECK(scores.at("unfinished") == 0);
  for (const char* place : {"test.tsv:2: no tab", "test.tsv:3: not UTF-8",
                            "test.tsv:4: the source has 7", "test.tsv:5: the line is blank"})
    CHECK_THAT(result.err, contains(place));
  CHECK_THAT(result.err, contains("4 lines of 'test.tsv' could not be tested on: 1 too long, 3 "
                                  "malformed"));
  CHECK_THAT(result.err, contains("1 line of 'test.tsv' with more than two columns"));
  CHECK(lines_of(folder.read("out.tsv")) ==
        std::vector<std::string>{"source\treference\toutput\tscore\tstatus",
                                 "ab\tX Y\tX Y\t1.0000\tfinished", "no tab\t\t\t\tskipped",
                                 "\t\t\t\tskipped", "abababa\tX\t\t\tskipped", "\t\t\t\tskipped",
                                 "ba\tY X\tY X\t1.0000\tfinished"});
  CHECK_THAT(seq2seq(folder, "test --run run --data test.tsv").out,
             contains("skipped lines") && contains("unfinished outputs"));

  folder.write("none.tsv", "no tab\n");
  const Result none = seq2seq(folder, "test --run run --data none.tsv");
  CHECK(none.code == 1);
  CHECK_THAT(none.err, contains("no pair of 'none.tsv' is left to test on"));
  folder.write("empty.tsv", "\n\n");
  check_error(seq2seq(folder, "test --run run --data empty.tsv"), "'empty.tsv' is empty");
}

TEST_CASE("many bad lines are counted, and only the first ones are reported") {
  const TemporaryFolder folder;
  learn(folder, kPairs, "--target-tokens words --max-length 6");
  std::string pairs = "ab\tX Y\n";
  for (int i = 0; i < 500; ++i) pairs += "no tab\n";
  folder.write("test.tsv", pairs + "ba\tY X\n");
  const Result result = seq2seq(folder, "test --run run --data test.tsv --json");
  CHECK(scores_of(result).at("skipped") == 500);
  CHECK(lines_of(result.err).size() == 12);
}

TEST_CASE("train skips, counts and reports pairs that are too long") {
  const TemporaryFolder folder;
  folder.write("pairs.tsv", "a\tb\nabcdef\tb\na\tbbbbbb\nb\ta\n\n \n");
  const Result result = train(folder, "--data pairs.tsv --max-length 5");
  CHECK(result.code == 0);
  CHECK_THAT(result.err,
             contains("pairs.tsv:2: the source has 6 tokens, more than the limit of 5"));
  CHECK_THAT(result.err,
             contains("pairs.tsv:3: the target has 6 tokens, more than the limit of 5"));
  CHECK_THAT(result.err, contains("'pairs.tsv': 2 of 4 lines left out: 2 too long"));
  // A letter of what was left out is not in the vocabulary.
  CHECK_FALSE(contains("f").match(folder.read("run/source.vocab").substr(30)));

  const Result own = train(folder, "--data pairs.tsv --max-source-length 6 --max-target-length 5");
  CHECK_THAT(own.err, contains("'pairs.tsv': 1 of 4 lines left out: 1 too long"));
  CHECK_THAT(own.err, contains("pairs.tsv:3"));
  CHECK(seq2seq(folder, "translate --run run abcdef").code == 0);

  const Result cut = train(folder, "--data pairs.tsv --max-length 5 --too-long truncate");
  CHECK(cut.code == 0);
  CHECK_THAT(cut.err, contains("'pairs.tsv': 1 source cut to 5 tokens"));
  CHECK_THAT(cut.err, contains("'pairs.tsv': 1 target cut to 5 tokens"));
  CHECK_FALSE(contains("left out").match(cut.err));

  folder.write("words.tsv", "a b  c d\tA B C D\n");
  const Result words = train(folder,
                             "--data words.tsv --max-length 3 --too-long truncate "
                             "--source-tokens words --target-tokens words");
  CHECK(words.code == 0);
  CHECK(lines_of(folder.read("run/source.vocab")).size() == 1 + 4 + 3);

  folder.write("long.tsv", "abcdef\tb\n");
  const Result none = train(folder, "--data long.tsv --max-length 5");
  CHECK(none.code == 1);
  CHECK_THAT(none.err, contains("no pair of 'long.tsv' is left to learn from: 1 too long"));
}

TEST_CASE("train rejects a malformed line unless --skip-bad is given") {
  const TemporaryFolder folder;
  const auto check = [&](const std::string& line, const std::string& fault) {
    folder.write("pairs.tsv", "a\tb\n" + line + "\nb\ta\n");
    check_error(train(folder, "--data pairs.tsv"), "pairs.tsv:2: " + fault);
    const Result skipped = train(folder, "--data pairs.tsv --skip-bad");
    CHECK(skipped.code == 0);
    CHECK_THAT(skipped.err, contains("pairs.tsv:2: " + fault));
    CHECK_THAT(skipped.err, contains("'pairs.tsv': 1 of 3 lines left out: 1 malformed"));
  };
  check("ab", "no tab in 'ab'");
  check("", "the line is blank");
  check("a\t", "the target after the tab is empty");
  check("\ta", "the source before the tab is empty");
  check("\xff\ta", "not UTF-8");
  check(std::string("a\0\ta", 4), "not text: a NUL byte");
  folder.write("pairs.tsv", "a\tb\tc\nb\ta\t\n");
  const Result more = train(folder, "--data pairs.tsv");
  CHECK(more.code == 0);
  CHECK_THAT(more.err, contains("2 lines of 'pairs.tsv' with more than two columns"));
  check_error(train(folder, "--skip-bad"), "--data");
  check_error(train(folder, "--data pairs.tsv --too-long drop"), "drop");
}

TEST_CASE("line ends and byte order marks do not affect the data") {
  const TemporaryFolder folder;
  learn(folder, kPairs, "--target-tokens words");
  const std::string expected = "X Y\nY X\nX\n";
  const std::string bom = "\xEF\xBB\xBF";
  for (const std::string& input :
       {std::string("ab\nba\na"), bom + "ab\r\nba\r\na\r\n", std::string("ab\rba\ra\r"),
        bom + "ab\rba\ra", std::string("ab\r\nba\ra\n")}) {
    const Result result = seq2seq(folder, "translate --run run", input);
    CHECK(result.out == expected);
    CHECK(result.err == "");
    CHECK(result.code == 0);
  }
  for (const std::string& pairs : {bom + "ab\tX Y\r\nba\tY X\r\n", std::string("ab\tX Y\rba\tY X"),
                                   bom + "ab\tX Y\nba\tY X"}) {
    folder.write("test.tsv", pairs);
    const Result file = seq2seq(folder, "test --run run --data test.tsv --json");
    CHECK(file.err == "");
    CHECK(scores_of(file).at("sequence_accuracy") == 1);
    CHECK(seq2seq(folder, "test --run run --data - --json", pairs).out == file.out);
  }
}

TEST_CASE("data compressed with gzip is read from files and from standard input") {
  const TemporaryFolder folder;
  const std::string compressed = gzipped(kPairs);
  folder.write("pairs.tsv.gz", compressed);
  learn(folder, compressed, "--target-tokens words --valid pairs.tsv.gz");
  CHECK(seq2seq(folder, "translate --run run", gzipped("ab\nba\na\n")).out == "X Y\nY X\nX\n");
  const Result plain = seq2seq(folder, "test --run run --data - --json", kPairs);
  CHECK(scores_of(plain).at("sequence_accuracy") == 1);
  CHECK(seq2seq(folder, "test --run run --data pairs.tsv.gz --json").out == plain.out);
  CHECK(seq2seq(folder, "test --run run --data - --json", compressed).out == plain.out);
  const Result score =
      seq2seq(folder, "score --output - --reference pairs.tsv.gz --metrics chrf", kPairs);
  CHECK_THAT(score.out, contains("100.00"));

  folder.write("early.gz", compressed.substr(0, compressed.size() - 9));
  check_error(train(folder, "--data early.gz"), "'early.gz' ends before its gzip data is complete");
  check_error(seq2seq(folder, "translate --run run", compressed.substr(0, 20)),
              "standard input ends before its gzip data is complete");
}

TEST_CASE("otherwise compressed data is rejected with a hint, from a file and standard input") {
  const TemporaryFolder folder;
  const std::string bytes = "\x28\xB5\x2F\xFD\xff\n\xfe";
  folder.write("pairs.tsv.zst", bytes);
  check_error(train(folder, "--data pairs.tsv.zst"), "'pairs.tsv.zst' is compressed with zstd");
  CHECK_THAT(train(folder, "--data pairs.tsv.zst").err, contains("zstd -dc FILE | ... --data -"));
  CHECK_THAT(train(folder, "--source pairs.tsv.zst --target pairs.tsv.zst").err,
             contains("zstd -dc FILE | ... --source -"));
  REQUIRE(train(folder, "").code == 0);
  check_error(seq2seq(folder, "test --run run --data pairs.tsv.zst"), "zstd -dc");
  check_error(seq2seq(folder, "translate --run run", bytes), "standard input is compressed");
}

// Files side by side, and filters

TEST_CASE("a training on files side by side has the result of one on a file of pairs") {
  const TemporaryFolder folder;
  learn(folder, kPairs, "--target-tokens words --valid learnt.tsv");
  folder.write("source", "ab\nba\naab\nb\na\n");
  folder.write("target.gz", gzipped("X Y\nY X\nX X Y\nY\nX"));
  const Result trained = seq2seq(folder,
                                 "train --run other --source source --target target.gz --hidden 16 "
                                 "--embedding 8 --batch 8 --learning-rate 0.01 --steps 200 "
                                 "--target-tokens words --valid-source source --valid-target "
                                 "target.gz");
  INFO(trained.err);
  REQUIRE(trained.code == 0);
  CHECK_THAT(trained.err, contains("5 pairs of 'source' and 'target.gz', 6 source"));
  for (const char* file : {"source.vocab", "target.vocab", "model.safetensors", "metrics.jsonl"})
    CHECK(folder.read(std::string("other/") + file) == folder.read(std::string("run/") + file));
  CHECK(seq2seq(folder, "test --run other --source source --reference target.gz --json").out ==
        seq2seq(folder, "test --run run --data learnt.tsv --json").out);
  CHECK(seq2seq(folder,
                "train --run third --source - --target target.gz --steps 3" + std::string(kSmall),
                folder.read("source"))
            .code == 0);
}

TEST_CASE("test scores with several references, and each line of files side by side counts") {
  const TemporaryFolder folder;
  learn(folder, kPairs, "--target-tokens words");
  folder.write("source", "ab\nba\nab\n");
  folder.write("wrong", "Y\nY\nX Y\n");
  folder.write("right", "X Y\nY X\nY Y Y\n");
  const auto accuracy = [&](const std::string& references) {
    const Result result = seq2seq(
        folder, "test --run run --source source --json --metrics bleu:tokenize=none " + references);
    INFO(result.err);
    REQUIRE(result.code == 0);
    CHECK(scores_of(result).at("sequences") == 3);  // though a source comes twice
    return scores_of(result).at("sequence_accuracy").get<double>();
  };
  CHECK(accuracy("--reference wrong") == Approx(1 / 3.));
  CHECK(accuracy("--reference right") == Approx(2 / 3.));
  CHECK(accuracy("--reference wrong --reference right") == 1);
}

TEST_CASE("test names what is wrong with files side by side") {
  const TemporaryFolder folder;
  learn(folder, kPairs, "--target-tokens words");
  folder.write("source", "ab\nba\nab\n");
  folder.write("short", "Y\nX\n");
  folder.write("gaps", "X Y\n\nX Y\n");
  const auto error = [&](const std::string& flags, const std::string& part) {
    check_error(seq2seq(folder, "test --run run " + flags), part);
  };
  error("--source source", "--source: it needs --reference");
  error("--reference short", "--reference: it needs --source");
  error("--source source --data learnt.tsv --reference short", "--data");
  error("--source source --reference missing", "cannot open 'missing'");
  error("--source source --reference short --reference learnt.tsv",
        "'source' has 3 lines, but 'short' has 2 lines");
  error("--source - --reference -", "several files are -, standard input");
  error("--source source --reference gaps --reference short --reference-alignment a",
        "--reference-alignment: it is of one target a source");
  const Result gaps = seq2seq(folder, "test --run run --source source --reference gaps --json");
  CHECK(gaps.code == 3);
  CHECK_THAT(gaps.err, contains("line 2 of 'source' and 'gaps': the target is empty; left out"));
  CHECK_THAT(gaps.err, contains("1 line of 'source' and 'gaps' could not be tested on: 1 malf"));
  CHECK(scores_of(gaps).at("sequences") == 2);
}

TEST_CASE("train names what is wrong with files side by side") {
  const TemporaryFolder folder;
  folder.write("source", "ab\n\nab\nb\n");
  folder.write("target", "ab\nb\n\xFF\nb\n");
  folder.write("other", "a\nb\na\nb\n");
  folder.write("short", "ab\nb\na\n");
  folder.write("empty", "");
  check_error(train(folder, "--source source --target target"),
              "line 2 of 'source' and 'target': the source is empty; expected a text in every line "
              "of each file (--skip-bad leaves such lines out)");
  check_error(train(folder, "--source other --target short --skip-bad"),
              "'other' has 4 lines, but 'short' has 3 lines");
  check_error(train(folder, "--source empty --target empty"),
              "'empty' and 'empty' are empty; expected a text in every line of each file");
  check_error(train(folder, "--source source"), "--target");
  check_error(train(folder, "--source source --target target --task copy"), "--task");
  check_error(train(folder, "--skip-bad"), "--skip-bad: it needs --data");
  const Result skipped = train(folder, "--source source --target target --skip-bad");
  CHECK(skipped.code == 0);
  CHECK_THAT(skipped.err, contains("'source' and 'target': 2 of 4 lines left out: 2 malformed"));
}

TEST_CASE("train filters pairs of unlike lengths and repeated ones, and counts each kind") {
  const TemporaryFolder folder;
  folder.write("pairs.tsv", "ab\tab\nabcdefg\ta\nab\tab\na\tabc\na\tabcd\nb\tb\nab\tab\n" +
                                std::string(200, 'x') + "\ta\nbad\n");
  const Result result =
      train(folder, "--data pairs.tsv --max-ratio 3 --drop-duplicates --skip-bad");
  INFO(result.err);
  CHECK(result.code == 0);
  CHECK_THAT(result.err, contains("'pairs.tsv': 6 of 9 lines left out: 1 too long, 2 of unlike "
                                  "lengths, 2 repeated, 1 malformed"));
  CHECK_THAT(result.err, contains("pairs.tsv:2: the source has 7 tokens and the target 1, one more "
                                  "than 3 times the other; left out"));
  CHECK_THAT(result.err, contains("pairs.tsv:3: the same pair is in an earlier line; left out"));
  CHECK_THAT(result.err, contains("3 pairs of 'pairs.tsv'"));

  folder.write("one.tsv", "ab\tba\n");
  CHECK(train(folder, "--data one.tsv --max-ratio 1 --drop-duplicates").code == 0);
  folder.write("unlike.tsv", "ab\tb\nab\tb\n");
  check_error(train(folder, "--data unlike.tsv --max-ratio 0.5"), "--max-ratio");
  const Result none = train(folder, "--data unlike.tsv --max-ratio 1");
  CHECK(none.code == 1);
  CHECK_THAT(none.err,
             contains("no pair of 'unlike.tsv' is left to learn from: 2 of unlike lengths"));
}

TEST_CASE("the warning about unknown tokens comes once, with a count") {
  const TemporaryFolder folder;
  learn(folder, kPairs, "--target-tokens words");
  const Result result = seq2seq(folder, "translate --run run", "az\nz\nazy\n");
  CHECK(occurrences(result.err, "never showed") == 1);
  CHECK_THAT(result.err, contains("training never showed 'z', 'y'; read as <unk>, 4 in all"));
  const Result test =
      seq2seq(folder, "test --run run --data - --json", "az\tX\naz\tY\nz\tX\nb\tY\n");
  CHECK(occurrences(test.err, "training never showed 'z'; read as <unk>, 2 in all") == 1);
  CHECK(scores_of(test).at("unknown_tokens") == 2);
}

// Standard input

TEST_CASE("train and test read pairs from standard input") {
  const TemporaryFolder folder;
  const Result trained = seq2seq(
      folder, "train --run run --steps 3 --data - --valid valid.tsv" + std::string(kSmall), kPairs);
  CHECK(trained.code == 1);
  CHECK_THAT(trained.err, contains("valid.tsv"));
  folder.write("valid.tsv", kPairs);
  CHECK(seq2seq(folder,
                "train --run run --steps 3 --data - --valid valid.tsv" + std::string(kSmall),
                kPairs)
            .code == 0);
  const Result test = seq2seq(folder, "test --run run --data - --json", kPairs);
  CHECK(scores_of(test).at("sequences") == 5);
  CHECK_THAT(seq2seq(folder, "test --run run --data -", "ab\tX\nno tab").err,
             contains("standard input, line 2: no tab"));
  check_error(seq2seq(folder, "train --run run --data - --valid -", kPairs), "--valid");
  check_error(seq2seq(folder, "test --run run --data -", ""), "standard input is empty");
}

// How long outputs become

TEST_CASE("truncated outputs are marked and counted") {
  const TemporaryFolder folder;
  learn(folder, kPairs, "--target-tokens words");
  const Result cut = seq2seq(folder, "translate --run run --max-output-length 2", "aab\nab\n");
  CHECK(cut.out == "X X …\nX Y\n");
  CHECK(cut.code == 0);
  CHECK_THAT(cut.err, contains("1 of 2 outputs cut at their longest"));

  folder.write("test.tsv", kPairs);
  const Result json = seq2seq(
      folder, "test --run run --data test.tsv --max-output-length 2 --json --output out.tsv");
  CHECK(scores_of(json).at("unfinished") == 1);
  CHECK(scores_of(json).at("sequence_accuracy") == Approx(0.8));
  CHECK(json.code == 0);
  CHECK_THAT(folder.read("out.tsv"), contains("aab\tX X Y\tX X\t0.6667\tunfinished\n"));

  learn(folder, "ab\tXY\nba\tYX\naab\tXXY\nb\tY\na\tX\n");
  CHECK(seq2seq(folder, "translate --run run --max-output-length 2 aab").out == "XX…\n");
}

TEST_CASE("outputs may be longer than any training target, up to a limit") {
  const TemporaryFolder folder;
  REQUIRE(train(folder, "--max-length 6").code == 0);
  const std::string source(30, 'a');
  const auto limit = [&](const std::string& flags) {
    folder.write("test.tsv", source + "\tx\n");
    const Result result = seq2seq(
        folder, "test --run run --data test.tsv --max-source-length 30 --output out.tsv " + flags);
    INFO(result.err);
    REQUIRE(result.code == 0);
    const auto fields = fields_of(lines_of(folder.read("out.tsv")).at(1));
    REQUIRE(fields.at(4) == "unfinished");
    return fields.at(2).size();
  };
  CHECK(limit("") == 70);  // this model never generates the end token
  CHECK(limit("--max-output-length 4") == 4);
  auto config = nlohmann::ordered_json::parse(folder.read("run/config.json"));
  config["max_source_length"] = 2;
  folder.write("run/config.json", config.dump());
  CHECK(limit("") == 90);  // targets three times as long as sources
  config["max_target_length"] = 100;
  config.erase("max_source_length");  // as in runs of the time before it was kept
  folder.write("run/config.json", config.dump());
  CHECK(limit("") == 100);
}

TEST_CASE("models can be tested on sources longer than those of the training") {
  const TemporaryFolder folder;
  for (const std::string model :
       {"--model recurrent --hidden 8", "--model transformer --heads 2 --feed-forward 8"}) {
    REQUIRE(
        seq2seq(folder, "train --run run --steps 3 --embedding 4 --max-length 5 " + model).code ==
        0);
    const Result longer =
        seq2seq(folder, "test --run run --count 20 --min-length 9 --max-length 12 --json");
    INFO(longer.err);
    CHECK(longer.code == 0);
    CHECK(scores_of(longer).at("sequences") == 20);
    const Result line = seq2seq(folder, "translate --run run --max-source-length 9 abcdefghi");
    CHECK(line.code == 0);
  }
  check_error(seq2seq(folder, "test --run run --max-source-length 9"), "--data");
}

TEST_CASE("outputs contain no special symbols, even for an untrained model") {
  const TemporaryFolder folder;
  REQUIRE(train(folder, "--seed 4 --learning-rate 0").code == 0);
  std::string input;
  for (char a = 'a'; a <= 'z'; ++a) input += std::string(1, a) + "z\n";
  const Result result = seq2seq(folder, "translate --run run", input);
  CHECK_FALSE(contains("<").match(result.out));
}

// Outputs of a test

TEST_CASE("test writes a line for each source, into a file or to standard output") {
  const TemporaryFolder folder;
  learn(folder, kPairs, "--target-tokens words");
  const std::string pairs = "ab\tY X\nba\tY X\nab\tX Y\nab\tX\n";
  const Result file = seq2seq(folder, "test --run run --data - --json --output out.tsv", pairs);
  CHECK(scores_of(file).at("sequences") == 2);
  const std::string expected =
      "source\treference\toutput\tscore\tstatus\n"
      "ab\tX Y\tX Y\t1.0000\tfinished\n"
      "ba\tY X\tY X\t1.0000\tfinished\n";
  CHECK(folder.read("out.tsv") == expected);
  const Result printed = seq2seq(folder, "test --run run --data - --output -", pairs);
  CHECK(printed.out == expected);
  CHECK_THAT(printed.err, contains("sequence accuracy     100.00%"));
  check_error(seq2seq(folder, "test --run run --data - --output no/out.tsv", pairs), "'no'");
  check_error(seq2seq(folder, "test --run run --data - --output run", pairs), "is a folder");

  REQUIRE(train(folder, "").code == 0);
  CHECK(seq2seq(folder, "test --run run --count 7 --output task.tsv").code == 0);
  CHECK(lines_of(folder.read("task.tsv")).size() == 8);
}

TEST_CASE("validation takes all sources, or a random sample that the seed fixes") {
  const TemporaryFolder folder;
  std::string sorted;  // a file whose first 1000 lines differ from the others
  for (int i = 0; i < 1500; ++i)
    sorted += std::to_string(10000 + i) + (i < 1000 ? "\tX\n" : "\tY\n");
  folder.write("pairs.tsv", sorted);
  folder.write("first.tsv", sorted.substr(0, 1000 * 8));
  const auto loss = [&](const std::string& flags) {
    const Result result =
        seq2seq(folder, "train --run run --steps 1 --learning-rate 0 --data pairs.tsv " + flags +
                            std::string(kSmall));
    INFO(result.err);
    REQUIRE(result.code == 0);
    for (const std::string& line : lines_of(folder.read("run/metrics.jsonl")))
      if (contains("valid_loss").match(line))
        return nlohmann::json::parse(line).at("valid_loss").get<double>();
    return 0.0;
  };
  const double all = loss("--valid pairs.tsv"), first = loss("--valid first.tsv");
  CHECK(all != first);
  const double sample = loss("--valid pairs.tsv --valid-count 40");
  CHECK(sample != all);
  CHECK(sample == loss("--valid pairs.tsv --valid-count 40"));
  CHECK(sample != loss("--valid first.tsv --valid-count 40"));
  CHECK(loss("--valid pairs.tsv --valid-count 9999") == all);
  check_error(train(folder, "--data pairs.tsv --valid-count 4"), "--valid");
}

TEST_CASE("test takes a random sample of a file, which the seed fixes") {
  const TemporaryFolder folder;
  learn(folder, kPairs, "--target-tokens words");
  std::string pairs;
  for (int i = 0; i < 200; ++i)
    pairs += std::string(static_cast<std::size_t>(i % 90 + 1), 'a') + "\tX\n";
  folder.write("test.tsv", pairs);
  const auto sample = [&](const std::string& seed) {
    REQUIRE(
        seq2seq(folder, "test --run run --data test.tsv --count 5 --output out.tsv --seed " + seed)
            .code == 0);
    return folder.read("out.tsv");
  };
  const std::string one = sample("1");
  CHECK(lines_of(one).size() == 6);
  CHECK(one == sample("1"));
  CHECK(one != sample("2"));
}
