// Trainings whose models copy words, from the command line.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "program.h"

using namespace program;

namespace {

// Lines such as "so w3 then please w7 now" TAB "ok w7", with words of their own.
std::string pairs(const std::string& word, int count) {
  std::string text;
  for (int i = 0; i < count; ++i)
    text += fmt::format("so {0}{1} then please {0}{2} now\tok {0}{2}\n", word, i * 7 % count, i);
  return text;
}

Result train_copying(const TemporaryFolder& folder, const std::string& run,
                     const std::string& more) {
  return seq2seq(folder, "train --run " + run +
                             " --data seen.tsv --source-tokens words --target-tokens words "
                             "--hidden 16 --embedding 16 --batch 16 --output-layer "
                             "pointer_generator " +
                             more);
}

}  // namespace

TEST_CASE("seq2seq copies words that training never showed, and marks them") {
  const TemporaryFolder folder;
  folder.write("seen.tsv", pairs("w", 200));
  folder.write("unseen.tsv", pairs("x", 20));
  const Result trained = train_copying(
      folder, "run", "--steps 300 --learning-rate 0.01 --valid unseen.tsv --coverage-loss 0.1");
  INFO(trained.err);
  REQUIRE(trained.code == 0);

  const Result tested = seq2seq(
      folder, "test --run run --data unseen.tsv --json --metrics bleu --output outputs.tsv");
  INFO(tested.err);
  CHECK_THAT(tested.err, contains("training never showed 'x0'"));
  const auto json = nlohmann::json::parse(tested.out);
  CHECK(json.at("sequence_accuracy") == 1.0);
  CHECK(json.at("token_error_rate") == 0.0);
  CHECK(json.at("unknown_target_tokens") == 20);
  CHECK(json.at("unknown_target_token_recall") == 1.0);
  CHECK_THAT(folder.read("outputs.tsv"), contains("now\tok x11\tok x11\t1.0000\tfinished"));

  const std::string source = " 'so x3 then please x9 now' ";
  const auto printed = [&](const std::string& arguments) {
    const Result result = seq2seq(folder, arguments + source);
    INFO(result.err);
    CHECK(result.code == 0);
    return result.out;
  };
  CHECK(printed("translate --run run") == "ok x9\n");
  CHECK(printed("translate --run run --mark-copied") == "ok [x9]\n");
  CHECK(printed("translate --run run --beam 3") == "ok x9\n");
  CHECK_THAT(printed("translate --run run --mark-copied --heatmap"), contains("[x9]"));
  CHECK_THAT(printed("translate --run run --alignment"), contains("ok x9\t"));
  CHECK_THAT(printed("explain --run run"), contains("x9"));
  printed("align --run run --target 'ok x3' --svg aligned.svg");
  CHECK_THAT(folder.read("aligned.svg"), contains("x3 → x3"));
  CHECK_THAT(folder.read("run/alignment.svg"), contains("w0"));
  CHECK(seq2seq(folder, "report --run run --beam 2 --output report.html").code == 0);
  CHECK_THAT(folder.read("report.html"), contains("\"ok x"));

  // Of five words, the source has three, and one of them is expected twice.
  folder.write("odd.tsv", "so y1 then please y2 now\tok y2 y2 q y1 q\n");
  const Result odd = seq2seq(folder, "test --run run --data odd.tsv");
  CHECK_THAT(odd.out, contains("unknown target tokens      5\n"));
  CHECK_THAT(odd.out, contains("of these right         20.00%\n"));

  REQUIRE(train(folder, "").code == 0);
  check_error(seq2seq(folder, "translate --run run --mark-copied ab"),
              "--mark-copied: the model in 'run' copies no tokens; expected one");
}

TEST_CASE("words too rare for a vocabulary are copied in training, and rare ones read as unknown") {
  const TemporaryFolder folder;
  folder.write("seen.tsv", pairs("w", 200));  // each word is once in the targets
  const Result trained = train_copying(
      folder, "run", "--steps 60 --learning-rate 0.01 --min-count 2 --rare-as-unknown 1");
  INFO(trained.err);
  REQUIRE(trained.code == 0);
  CHECK(lines_of(folder.read("run/target.vocab")).size() == 6);  // "ok" below four special ones
  CHECK(seq2seq(folder, "translate --run run --mark-copied 'so w3 then please x9 now'").out ==
        "ok [x9]\n");
  CHECK(seq2seq(folder, "translate --run run --mark-copied 'so w3 then please w9 now'").out ==
        "ok [w9]\n");
}

TEST_CASE("unseen words are copied from the states of any encoder") {
  const TemporaryFolder folder;
  folder.write("seen.tsv", pairs("w", 200));
  for (const std::string encoder : {"transformer", "convolutional"}) {
    const Result trained = train_copying(
        folder, "run",
        "--steps 60 --learning-rate 0.01 --encoder " + encoder + " --decoder recurrent");
    INFO(trained.err);
    REQUIRE(trained.code == 0);
    const Result written = seq2seq(folder, "translate --run run --mark-copied",
                                   "so x3 then please "
                                   "x9 now\nso w1 then please x4 now\n");
    CHECK(written.out == "ok [x9]\nok [x4]\n");
  }
}

TEST_CASE("checkpoints, resuming and threads do not affect a training with copying and coverage") {
  const TemporaryFolder folder;
  folder.write("seen.tsv", pairs("w", 40));
  folder.write("unseen.tsv", pairs("x", 5));
  const std::string same =
      "--steps 12 --valid unseen.tsv --coverage-loss 0.5 --coverage-loss-from 7 --batch 40 ";
  REQUIRE(train_copying(folder, "whole", same).code == 0);
  REQUIRE(train_copying(folder, "kept", same + "--save-every 5 --keep 9 --threads 3").code == 0);
  const auto ends = [&](const std::string& run) {
    return folder.read(run + "/model.safetensors") + folder.read(run + "/metrics.jsonl");
  };
  CHECK(ends("kept") == ends("whole"));
  for (const char* later : {"10", "12"})
    std::filesystem::remove(folder.path(fmt::format("kept/checkpoint-{}.safetensors", later)));
  const Result resumed = seq2seq(folder, "train --run kept --resume --threads 2");
  INFO(resumed.err);
  REQUIRE(resumed.code == 0);
  CHECK_THAT(resumed.err, contains("after step 5"));
  CHECK(ends("kept") == ends("whole"));

  const std::string without = "--steps 12 --valid unseen.tsv --batch 40 ";
  REQUIRE(train_copying(folder, "without", without).code == 0);
  const std::vector<std::string> a = lines_of(folder.read("whole/metrics.jsonl")),
                                 b = lines_of(folder.read("without/metrics.jsonl"));
  REQUIRE(a.size() == b.size());
  const auto losses = [](const std::vector<std::string>& lines, bool early) {
    std::string all;
    for (const std::string& line : lines) {
      const auto json = nlohmann::json::parse(line);
      if (json.contains("loss") && (json.at("step") < 7) == early) all += json.at("loss").dump();
    }
    return all;
  };
  CHECK(losses(a, true) == losses(b, true));
  CHECK(losses(a, false) != losses(b, false));
}

TEST_CASE("seq2seq train refuses a coverage loss without attention that it could be of") {
  const TemporaryFolder folder;
  for (const auto& [flags, message] : std::vector<std::pair<std::string, std::string>>{
           {"--model transformer", "--coverage-loss: the decoder is transformer, and only a "},
           {"--attention none", "--coverage-loss: --attention is none, so nothing is covered"},
           {"--attention coverage",
            "--coverage-loss: --attention coverage has a coverage loss of "},
           {"--attention coverage:loss=0 --coverage-loss -1", "is not a number from 0"}})
    check_error(seq2seq(folder, "train --run run --coverage-loss 1 " + flags), message);
  check_error(seq2seq(folder, "train --run run --coverage-loss-from 3"),
              "--coverage-loss-from requires --coverage-loss");
  CHECK(train(folder, "--attention coverage:loss=0 --coverage-loss 1").code == 0);
  CHECK(train(folder, "--attention coverage:fertility=2 --coverage-loss 1").code == 0);
}
