// seq2seq align-words: alignments of words by statistics.
#include "program.h"

using namespace program;

namespace {

// Pairs of sources with the same words in upper case, of which the first two are swapped.
constexpr const char* kPairs =
    "a b c\tB A C\nb c d\tC B D\nd a b\tA D B\nc a\tA C\nD c A\tC D A\nb d a c\tD B A C\n"
    "a d\tD A\nc b\tB C\n";

}  // namespace

TEST_CASE("seq2seq align-words writes the links of each pair in Moses form") {
  const TemporaryFolder folder;
  folder.write("pairs", kPairs);
  const Result result = seq2seq(folder, "align-words --data pairs --output links");
  INFO(result.err);
  REQUIRE(result.code == 0);
  CHECK(result.out.empty());
  CHECK_THAT(result.err, contains("source to target: 22 words; perplexity 4.0") &&
                             contains("target to source: 22 words"));
  const std::vector<std::string> links = lines_of(folder.read("links"));
  REQUIRE(links.size() == 8);
  CHECK(links[0] == "0-1 1-0 2-2");
  CHECK(links[6] == "0-1 1-0");

  const Result piped = seq2seq(folder, "align-words --data - --threads 3", kPairs);
  CHECK(piped.out == folder.read("links"));
}

TEST_CASE("seq2seq align-words learns from more pairs than it aligns") {
  const TemporaryFolder folder;
  folder.write("few", "d c\tC D\nx\tX\n");
  folder.write("pairs", kPairs);
  folder.write("also", kPairs);
  const Result result =
      seq2seq(folder, "align-words --data few --more pairs --more also --symmetrization forward");
  CHECK(result.out == "0-1 1-0\n0-0\n");
  CHECK_THAT(result.err, contains("source to target: 47 words"));
}

TEST_CASE("seq2seq align-words cuts lines into words or characters, as train does") {
  const TemporaryFolder folder;
  folder.write("pairs", "ab\tB A\nca\tA C\nbc\tC B\nb\tB\na\tA\nc\tC\n");
  const Result result =
      seq2seq(folder, "align-words --data pairs --source-tokens chars --symmetrization graded");
  CHECK(lines_of(result.out) ==
        std::vector<std::string>{"0-1 1-0", "0-1 1-0", "0-1 1-0", "0-0", "0-0", "0-0"});
  // seq2seq test takes such a file.
  folder.write("links", result.out);
  REQUIRE(train(folder, "--data pairs --target-tokens words").code == 0);
  const Result test =
      seq2seq(folder, "test --run run --data pairs --reference-alignment links --json");
  CHECK(test.code == 0);
  CHECK_THAT(test.out, contains("alignment_error_rate"));
}

TEST_CASE(
    "seq2seq align-words leaves out pairs that are too long, with a blank line and a warning") {
  const TemporaryFolder folder;
  folder.write("pairs", std::string(kPairs) + "a b c d e\tx\n");
  const Result result = seq2seq(folder, "align-words --data pairs --max-length 4");
  CHECK(result.code == 0);
  REQUIRE(lines_of(result.out).size() == 9);
  CHECK(lines_of(result.out).back().empty());
  CHECK_THAT(result.err, contains("warning: 1 pair with more than 4 tokens on a side "
                                  "(--max-length) left out; the lines of those of 'pairs' are "
                                  "blank"));
  check_error(seq2seq(folder, "align-words --data pairs --max-length 1"),
              "each pair has more than 1 tokens on a side; raise --max-length");
}

TEST_CASE("seq2seq align-words says what is wrong with its flags and files") {
  const TemporaryFolder folder;
  folder.write("pairs", "a\tb\nno tab\n");
  const auto refuses = [&](const std::string& flags, const std::string& reason) {
    check_error(seq2seq(folder, "align-words " + flags), reason);
  };
  refuses("", "--data");
  refuses("--data none", "cannot open 'none'");
  folder.write("empty", "\n");
  refuses("--data empty", "'empty' is empty");
  refuses("--data pairs", "pairs:2: no tab in 'no");
  refuses("--data pairs --output no/links", "--output: there is no folder 'no'");
  refuses("--data pairs --symmetrization grow", "--symmetrization");
  refuses("--data pairs --empty 1", "'1' is not a number between 0 and 1");
  refuses("--data pairs --iterations -1", "'-1' is not a whole number from 0");
  refuses("--data pairs --max-length 0", "'0' is not a whole number from 1");
  refuses("--data pairs --source-tokens letters", "--source-tokens");
  refuses("--data - --more -", "2 files are -, standard input");
  refuses("--data pairs more", "more");
}
