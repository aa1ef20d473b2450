// How seq2seq learns from text: subwords, lower case, batches by tokens, averages, metrics.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "program.h"

using namespace program;

namespace {

// Pairs of a toy language: each word has a translation, and word order is reversed.
std::string sentences(int first, int count) {
  const std::vector<std::string> from = {"Red", "house", "big",   "tree",
                                         "old", "dog",   "green", "cat"};
  const std::vector<std::string> to = {"rot", "Haus", "groß", "Baum",
                                       "alt", "Hund", "grün", "Katze"};
  std::string lines;
  for (int i = first; i < first + count; ++i) {
    std::string source, target;
    for (int k = i, n = 0; n < 2 + i % 3; k = k * 5 / 3 + 1, ++n) {
      const auto word = static_cast<std::size_t>(k % 8);
      source += (n > 0 ? " " : "") + from[word];
      target = to[word] + (n > 0 ? " " : "") + target;
    }
    lines += source + "\t" + target + "\n";
  }
  return lines;
}

constexpr const char* kFlags =
    "--data train.tsv --valid valid.tsv --source-tokens subwords --target-tokens subwords "
    "--vocabulary 60 --subword-model bpe --lowercase --normalization nfc --batch-tokens 300 "
    "--learning-rate 0.005 --hidden 24 --embedding 16 --steps 120 --validate-every 20 ";

void write_pairs(const TemporaryFolder& folder) {
  folder.write("train.tsv", sentences(0, 200));
  folder.write("valid.tsv", sentences(300, 20));
}

}  // namespace

TEST_CASE("seq2seq learns subwords in lower case and chooses a model by BLEU") {
  const TemporaryFolder folder;
  write_pairs(folder);
  const Result trained =
      seq2seq(folder, std::string("train --run run --best bleu:lowercase=true ") + kFlags +
                          "--joint-vocabulary --average 3 --accumulate 2 --rare-as-unknown 0.1");
  INFO(trained.err);
  REQUIRE(trained.code == 0);
  CHECK_THAT(trained.err, contains("120 steps of 2 batches of 300 tokens"));
  CHECK_THAT(trained.err, contains(", bleu "));
  CHECK(folder.read("run/source.vocab") == folder.read("run/target.vocab"));
  CHECK_THAT(folder.read("run/metrics.jsonl"), contains("\"valid_bleu\":"));

  const Result test =
      seq2seq(folder, "test --run run --data valid.tsv --json --metrics bleu:lowercase=true");
  const auto scores = nlohmann::json::parse(test.out);
  CHECK(scores.at("metrics").at(0).at("score").get<double>() > 60);
  const Result one = seq2seq(folder, "translate --run run", "red HOUSE\nx\n");
  CHECK(lines_of(one.out).at(0) == "haus rot");
}

TEST_CASE("a training with averages and batches by tokens resumes with the same result") {
  const TemporaryFolder folder;
  write_pairs(folder);
  const std::string average = GENERATE("--average 3", "--ema 0.9");
  const std::string flags = std::string(kFlags) + average +
                            " --rare-as-unknown 0.2 --subword-dropout 0.2 --dropout 0.1 " +
                            "--accumulate 2 --save-every 7 --best chrf ";
  REQUIRE(seq2seq(folder, "train --run whole --threads 1 " + flags).code == 0);
  REQUIRE(seq2seq(folder, "train --run run --threads 2 --keep 1000 " + flags).code == 0);
  CHECK(folder.read("run/model.safetensors") == folder.read("whole/model.safetensors"));
  // As if it had been killed after step 49.
  for (int step = 56; step < 130; step += 7)
    std::filesystem::remove(folder.path(fmt::format("run/checkpoint-{}.safetensors", step)));
  std::filesystem::remove(folder.path("run/checkpoint-120.safetensors"));
  const Result resumed = seq2seq(folder, "train --run run --resume --threads 3");
  INFO(resumed.err);
  REQUIRE(resumed.code == 0);
  CHECK_THAT(resumed.err, contains("after step 49"));
  CHECK(folder.read("run/model.safetensors") == folder.read("whole/model.safetensors"));
  CHECK(folder.read("run/metrics.jsonl") == folder.read("whole/metrics.jsonl"));
}

TEST_CASE(
    "subwords that are too long are counted like other tokens, and a pair is enough to learn") {
  const TemporaryFolder folder;
  folder.write("one.tsv", "Ein Paar\tone pair\n");
  const Result one = seq2seq(folder,
                             "train --run run --data one.tsv --source-tokens subwords "
                             "--target-tokens subwords --steps 2 --hidden 4 --embedding 4");
  INFO(one.err);
  CHECK(one.code == 0);
  folder.write("long.tsv", sentences(0, 50) + "a b c d e f g h i j k l m n o p q r s t\tshort\n");
  const std::string train =
      "train --run run --data long.tsv --source-tokens subwords --target-tokens words "
      "--vocabulary 80 --max-length 12 --steps 2 --hidden 4 --embedding 4 ";
  CHECK_THAT(seq2seq(folder, train).err, contains("1 of 51 lines left out: 1 too long"));
  CHECK_THAT(seq2seq(folder, train + "--too-long truncate").err,
             contains("1 source cut to 12 tokens"));
  check_error(seq2seq(folder,
                      "train --run run --data long.tsv --source-tokens subwords "
                      "--target-tokens subwords --vocabulary 5"),
              "do not make a unigram model of 5 pieces");
}

TEST_CASE("a vocabulary of another run is refused") {
  const TemporaryFolder folder;
  write_pairs(folder);
  const std::string flags =
      "--source-tokens subwords --target-tokens subwords --steps 2 "
      "--hidden 4 --embedding 4 --data ";
  REQUIRE(seq2seq(folder, "train --run a --vocabulary 60 " + flags + "train.tsv").code == 0);
  REQUIRE(seq2seq(folder, "train --run b --vocabulary 60 " + flags + "valid.tsv").code == 0);
  folder.write("a/source.vocab", folder.read("b/source.vocab"));
  check_error(seq2seq(folder, "translate --run a red"), "is of another run than config.json");
}

TEST_CASE("alignments of subwords are compared and printed as those of words") {
  const TemporaryFolder folder;
  write_pairs(folder);
  // Pieces are short, so that words have several.
  const Result trained = seq2seq(
      folder, std::string("train --run run --source-tokens subwords --target-tokens subwords "
                          "--vocabulary 36 --subword-model bpe --joint-vocabulary --hidden 24 "
                          "--embedding 16 --learning-rate 0.01 --steps 150 --data train.tsv"));
  INFO(trained.err);
  REQUIRE(trained.code == 0);
  std::string links, sources;
  for (const std::string& line : lines_of(sentences(300, 20))) {
    const std::string source = line.substr(0, line.find('\t'));
    const auto words = 1 + std::count(source.begin(), source.end(), ' ');
    for (int i = 0; i < words; ++i) links += fmt::format("{}-{} ", i, words - 1 - i);
    links += "\n";
    sources += source + "\n";
  }
  folder.write("valid.align", links);
  const Result test =
      seq2seq(folder, "test --run run --data valid.tsv --reference-alignment valid.align --json");
  INFO(test.err);
  CHECK(nlohmann::json::parse(test.out).at("alignment_error_rate").get<double>() < 0.7);
  folder.write("valid.align", "5-0\n" + links.substr(links.find('\n') + 1));
  check_error(seq2seq(folder, "test --run run --data valid.tsv --reference-alignment valid.align"),
              "valid.align:1");

  const Result translated = seq2seq(folder, "translate --run run --alignment", sources);
  const std::vector<std::string> lines = lines_of(translated.out), texts = lines_of(sources);
  REQUIRE(lines.size() == texts.size());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::size_t tab = lines[i].find('\t');
    std::istringstream positions(lines[i].substr(tab + 1));
    const auto words_in = [](const std::string& text) {
      return 1 + std::count(text.begin(), text.end(), ' ');
    };
    int source = 0, target = 0, last = 0;
    for (char dash = 0; positions >> source >> dash >> target;) {
      CHECK(source < words_in(texts[i]));
      last = std::max(last, target);
    }
    CHECK(last + 1 == words_in(lines[i].substr(0, tab)));
  }
}
