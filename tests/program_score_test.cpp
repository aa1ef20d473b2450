// seq2seq score, and the metrics of texts of seq2seq test.
#include <nlohmann/json.hpp>

#include "program.h"

using nlohmann::json;
using namespace program;

namespace {

constexpr const char* kReferences =
    "the cat sat on the mat\na b c d e\n\n<b>fish</b> &amp; chips\n";
constexpr const char* kOutputs = "the cat sat on the mat\nd e a b c\n\n<b>fish</b> and chips\n";

json metric_of(const Result& result, std::size_t i) {
  INFO(result.err);
  REQUIRE(result.code == 0);
  return json::parse(result.out).at("metrics").at(i);
}

}  // namespace

TEST_CASE("seq2seq score scores a file of texts against one or several of references") {
  const TemporaryFolder folder;
  folder.write("mine", kOutputs);
  folder.write("ref", kReferences);
  folder.write("also", "a cat\nd e a b c\nempty\n<b>fish</b> and chips");
  const json result = metric_of(
      seq2seq(folder, "score --output mine --reference ref --metrics ter,bleu --json"), 0);
  CHECK(result.at("name") == "TER");
  CHECK(result.at("edits") == 2);  // a shift and a substitution
  CHECK(result.at("score").get<double>() == Approx(100 * 2 / 14.));
  CHECK(result.at("signature") == "TER|nrefs:1|case:lc|tok:tercom|norm:no|punct:yes|asian:no");
  CHECK(result.at("interval")[0] <= result.at("score"));
  CHECK(result.at("interval")[1] >= result.at("score"));

  const Result both =
      seq2seq(folder, "score --output - --reference ref --reference also --metrics ter", kOutputs);
  CHECK(both.code == 0);
  CHECK_THAT(both.out, contains("texts                      4\n") && contains("TER|nrefs:2|"));
  CHECK_THAT(both.out, contains("TER                     0.00"));
}

TEST_CASE("seq2seq score compares two systems, and outputs with their sources") {
  const TemporaryFolder folder;
  folder.write("mine", kOutputs);
  folder.write("ref", kReferences);
  const json other = metric_of(seq2seq(folder,
                                       "score --output ref --reference ref --compare mine "
                                       "--metrics chrf --json"),
                               0);
  CHECK(other.at("score") == 100);
  const json compared = other.at("compared_with");
  CHECK(compared.at("score") < 100);
  CHECK(compared.at("difference").get<double>() ==
        Approx(100 - compared.at("score").get<double>()));
  CHECK(compared.at("p_value") <= 1);
  const Result table = seq2seq(folder, "score --output ref --reference ref --compare mine");
  CHECK_THAT(table.out, contains("compared with mine\n") && contains("chrF2"));

  const json copied = metric_of(
      seq2seq(folder, "score --output mine --source ref --metrics copied_words --json"), 0);
  CHECK(copied.at("score").get<double>() == Approx(100 * 13 / 14.));
}

TEST_CASE("seq2seq score says what is wrong with its files and metrics before it scores") {
  const TemporaryFolder folder;
  folder.write("mine", kOutputs);
  folder.write("ref", kReferences);
  folder.write("short", "one\ntwo\n");
  folder.write("empty", "");
  folder.write("latin", "caf\xE9\n2\n3\n4\n");
  const auto error = [&](const std::string& flags, const std::string& part) {
    check_error(seq2seq(folder, "score --output " + flags), part);
  };
  error("mine --reference short",
        "--reference: 'short' has 2 lines, but 'mine' has 4 lines; expected as many");
  error("mine --reference ref --compare short", "--compare: 'short' has 2 lines");
  error("mine --reference latin", "latin:1: not UTF-8: byte 0xe9 at column 4");
  error("empty --reference ref", "'empty' is empty");
  error("none --reference ref", "cannot open 'none'");
  error("- --reference -", "2 files are -, standard input");
  error("mine --reference ref --metrics blue", "metric: 'blue' is unknown; known are bleu, chrf");
  error("nowhere --metrics bleu", "--metrics: BLEU compares with correct texts; name a file");
  error("mine --reference ref --metrics novel_ngrams", "novel 2-grams compares with sources");
  check_error(seq2seq(folder, "score --reference ref"), "--output");
}

TEST_CASE("seq2seq test scores outputs as texts, and compares two runs") {
  const TemporaryFolder folder;
  const std::string pairs = "ab cd\tcd ab\nef\tef <i>x</i>\nab cd\tcd ba\ngh\tgh\n";
  folder.write("pairs", pairs + "no tab\n");
  folder.write("train", pairs);
  REQUIRE(train(folder, "--data train").code == 0);
  REQUIRE(
      seq2seq(folder, "train --run other --data train --target-tokens words --steps 3 --seed 7" +
                          std::string(kSmall))
          .code == 0);
  const std::string test = "test --run run --data pairs --metrics bleu,repeated_ngrams:n=1,chrf ";
  const Result alone = seq2seq(folder, test + "--json --output outputs");
  CHECK(alone.code == 3);
  const json metrics = json::parse(alone.out).at("metrics");
  REQUIRE(metrics.size() == 3);
  CHECK(metrics[0].at("signature") == "BLEU|nrefs:var|case:mixed|eff:no|tok:13a|smooth:exp");

  // The same from the outputs that the program wrote.
  std::string outputs;
  for (const std::string& line : lines_of(folder.read("outputs"))) {
    if (line.starts_with("source\t") || line.ends_with("\tskipped")) continue;
    const std::size_t first = line.find('\t'), second = line.find('\t', first + 1);
    outputs += line.substr(second + 1, line.find('\t', second + 1) - second - 1) + "\n";
  }
  folder.write("texts", outputs);
  const json scored =
      metric_of(seq2seq(folder, "score --output texts --metrics repeated_ngrams:n=1 --json"), 0);
  CHECK(scored.at("score") == metrics[1].at("score"));
  CHECK(scored.at("interval") == metrics[1].at("interval"));

  const Result compared = seq2seq(folder, test + "--compare other");
  CHECK_THAT(compared.out, contains("compared with other\n") && contains("p-value"));
  const Result itself = seq2seq(folder, test + "--compare run --json");
  CHECK(json::parse(itself.out).at("metrics")[2].at("compared_with").at("difference") == 0);

  // Without metrics, nothing changes.
  CHECK_FALSE(
      json::parse(seq2seq(folder, "test --run run --data train --json").out).contains("metrics"));
}

TEST_CASE("seq2seq test checks metrics and the other run before it works") {
  const TemporaryFolder folder;
  check_error(seq2seq(folder, "test --run nowhere --metrics bleu,blue"),
              "--metrics: metric: 'blue' is unknown; known are bleu, chrf");
  check_error(seq2seq(folder, "test --run nowhere --compare b"), "--metrics");
  REQUIRE(train(folder, "").code == 0);
  check_error(seq2seq(folder, "test --run run --compare nowhere --metrics bleu"), "nowhere");
}
