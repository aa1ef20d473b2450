#include <nlohmann/json.hpp>

#include "program.h"

namespace fs = std::filesystem;
using namespace program;

namespace {

constexpr const char* kTiny =
    " --layers 1 --embedding 16 --heads 2 --context 16 --batch 8 --threads 2 ";

// A text whose every line follows from its first letter.
std::string text_of(int lines) {
  std::string text;
  for (int i = 0; i < lines; ++i) text += i * 7 % 3 == 0 ? "abcdefg\n" : "zyxwé vu\n";
  return text;
}

void check_wrong(const Result& result, const std::string& part) {
  check_error(result, part, "language_model");
}

std::string ends(const TemporaryFolder& folder, const std::string& run) {
  return folder.read(run + "/model.safetensors") + folder.read(run + "/metrics.jsonl");
}

}  // namespace

TEST_CASE("language_model learns a text, measures it and writes more of it") {
  const TemporaryFolder folder;
  folder.write("text", text_of(200));
  for (const std::string& model :
       {std::string(kTiny),
        std::string("--model recurrent --hidden 32 --embedding 8 --layers 1 --context 16 "
                    "--batch 8")}) {
    const Result train = language_model(
        folder, "train --run run --data text --steps 600 --learning-rate 0.005 " + model);
    INFO(train.err << train.out);
    REQUIRE(train.code == 0);
    const Result test = language_model(folder, "test --run run --data text --json");
    REQUIRE(test.code == 0);
    const auto found = nlohmann::json::parse(test.out);
    CHECK(found["tokens"] == 200 * 8 + 133);  // é is one token; lines of z have one more
    CHECK(found["unknown_tokens"] == 0);
    const double loss = found["loss"], bits = found["bits_per_character"];
    CHECK(found["perplexity"].get<double>() == Approx(std::exp(loss)));
    CHECK(bits == Approx(loss / std::log(2.0)));  // tokens are characters
    CHECK(loss < 0.25);  // ln 2 / 9 = 0.08 for which line is next, and little more
    const Result sample = language_model(folder, "sample --run run --prompt z --length 40");
    CHECK_THAT(sample.out, Catch::Matchers::StartsWith("zyxwé vu\n"));
    CHECK(language_model(folder, "sample --run run --prompt z --length 40").out == sample.out);
    CHECK(language_model(folder, "sample --run run --prompt z --length 40 --seed 2").out !=
          sample.out);
  }
}

TEST_CASE("language_model measures words, and counts those that are rare or new as unknown") {
  const TemporaryFolder folder;
  std::string text;
  for (int i = 0; i < 40; ++i) text += i == 5 ? "the cat sat once\n" : "the cat sat\n";
  folder.write("text", text);
  folder.write("other", "the dog  sat\n");
  REQUIRE(language_model(
              folder, "train --run run --data text --tokens words --steps 20" + std::string(kTiny))
              .code == 0);
  CHECK(lines_of(folder.read("run/tokens.vocab")).size() == 1 + 4 + 3);
  const Result test = language_model(folder, "test --run run --data other --json");
  const auto found = nlohmann::json::parse(test.out);
  CHECK(found["tokens"] == 3);
  CHECK(found["unknown_tokens"] == 1);
  CHECK(found["bits_per_character"].get<double>() ==
        Approx(3 * found["loss"].get<double>() / std::log(2.0) / 13));
  const Result sample = language_model(folder, "sample --run run --prompt 'the dog' --length 3");
  CHECK_THAT(sample.err, contains("'dog'"));
}

TEST_CASE("checkpoints, resuming and threads do not affect a language model") {
  const TemporaryFolder folder;
  folder.write("text", text_of(60));
  const std::string same =
      " --data text --steps 40 --dropout 0.1 --schedule plateau " + std::string(kTiny);
  REQUIRE(language_model(folder, "train --run whole --threads 1" + same).code == 0);
  CHECK(names_in(folder.path("whole")) == std::vector<std::string>{"config.toml", "metrics.jsonl",
                                                                   "model.safetensors",
                                                                   "tokens.vocab"});
  // Stopped by a signal somewhere, more than once perhaps.
  const Result stopped = shell(
      folder, "set -m; cd '" + folder.path("") +
                  "'\n\"$language_model\" train --run run --threads 3 --save-every 1 " + same +
                  " 2>log &\nuntil grep -q learn log 2>/dev/null; do sleep 0.01; done\n"
                  "kill -TERM $!; wait $!\n");
  INFO(folder.read("log"));
  CHECK((stopped.code == 128 + 15 || stopped.code == 0));
  if (stopped.code != 0) {
    CHECK_THAT(folder.read("log"), contains("--resume continues the training"));
    check_wrong(language_model(folder, "train --run run --resume --steps 50"),
                "the training was begun with --steps 40");
    folder.write("text", text_of(61));
    check_wrong(language_model(folder, "train --run run --resume"), "another text");
    folder.write("text", text_of(60));
    const Result resumed = language_model(folder, "train --run run --resume --threads 2");
    INFO(resumed.err);
    REQUIRE(resumed.code == 0);
  }
  CHECK(ends(folder, "run") == ends(folder, "whole"));
  check_wrong(language_model(folder, "train --run run --resume"), "no training to resume");
}

TEST_CASE("language_model reports wrong use in one line") {
  const TemporaryFolder folder;
  folder.write("text", text_of(60));
  folder.write("empty", "");
  folder.write("latin", "ab\ncaf\xE9\n");
  folder.write("line", "only one line");
  fs::create_directory(folder.path("other"));
  folder.write("other/notes", "x");
  const std::string train = "train --run run --data ";
  check_wrong(language_model(folder, "train --run run"), "--data is missing");
  check_wrong(language_model(folder, "train --data text"), "--run");
  check_wrong(language_model(folder, train + "nowhere"), "nowhere");
  check_wrong(language_model(folder, train + "empty"), "'empty' is empty");
  check_wrong(language_model(folder, train + "latin"), "latin:2");
  check_wrong(language_model(folder, train + "line"), "too short to measure progress");
  check_wrong(language_model(folder, train + "text --valid empty"), "'empty' is empty");
  check_wrong(language_model(folder, train + "text --context 1000"), "windows of 1000");
  check_wrong(language_model(folder, train + "text --context 1"), "--context");
  check_wrong(language_model(folder, train + "text --valid-share 1"), "--valid-share");
  check_wrong(language_model(folder, train + "text --hidden 8"), "--hidden: a transformer");
  check_wrong(language_model(folder, train + "text --model recurrent --positions none"),
              "--positions: a recurrent");
  check_wrong(language_model(folder, train + "text --heads 3"), "heads");
  check_wrong(language_model(folder, "train --run other --data text"), "not a run folder");
  check_wrong(language_model(folder, "train --run run --resume"), "no run folder 'run'");
  check_wrong(language_model(folder, "test --run run --data text"), "no run folder 'run'");
  check_wrong(language_model(folder, "sample --run run"), "no run folder 'run'");
  check_wrong(language_model(folder, "dance"), "there is no command 'dance'");
  CHECK_FALSE(fs::exists(folder.path("run")));
  REQUIRE(language_model(folder, train + "text --steps 2" + std::string(kTiny)).code == 0);
  check_wrong(language_model(folder, "sample --run run --temperature 0"), "--temperature");
  check_wrong(language_model(folder, "test --run run --data latin"), "latin:2");
  folder.write("run/model.safetensors", "damaged");
  check_wrong(language_model(folder, "sample --run run"), "model.safetensors");
  folder.write("run/config.toml", "steps = many\n");
  check_wrong(language_model(folder, "sample --run run"), "config.toml:1");
}
