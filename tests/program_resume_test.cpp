// Trainings that are stopped, killed or out of disk space.
#include <sys/mount.h>

#include <nlohmann/json.hpp>

#include "attune/optim/reduce_on_plateau.h"
#include "attune/train/safetensors.h"
#include "program.h"

namespace fs = std::filesystem;
using namespace program;

namespace {

// Shell commands, run in a script with job control: without it, background processes ignore
// Ctrl-C.
Result script(const TemporaryFolder& folder, const std::string& commands) {
  return shell(folder, "set -m; cd '" + folder.path("") + "'\n" + commands);
}

constexpr const char* kEndless = " --steps 100000000 --hidden 8 --embedding 4 --batch 8 ";
// Waits for the first step, which the progress on standard error shows.
constexpr const char* kWait =
    "until grep -q '^memory' log 2>/dev/null; do sleep 0.02; done; sleep 0.1\n";

// The files that are the same for equal trainings: the model, the log and the recorded attention.
std::string ends(const TemporaryFolder& folder, const std::string& run) {
  std::string all = folder.read(run + "/model.safetensors") + folder.read(run + "/metrics.jsonl");
  for (const std::string& name : names_in(folder.path(run)))
    if (name.starts_with("attention-")) all += name + folder.read(run + "/" + name);
  return all;
}

}  // namespace

TEST_CASE("a short kill test: killed trainings are bitwise equal to uninterrupted ones") {
  const TemporaryFolder folder;
  const Result result =
      shell(folder, ATTUNE_ROOT "/script/kill-test 6 --seed 4 --program \"$seq2seq\"");
  INFO(result.out << result.err);
  CHECK(result.code == 0);
}

TEST_CASE("checkpoints, resuming and threads do not affect the result of a training") {
  const TemporaryFolder folder;
  folder.write("pairs.tsv", "ab\tb a\nba\ta b\naa\ta a\nabc\tc\nc\tc\nbc\tc b\ncb\tb c\n");
  const std::string same =
      "--data pairs.tsv --valid pairs.tsv --target-tokens words --steps 45 --dropout 0.2 "
      "--schedule plateau --teacher-forcing 0.7 --seed 9223372036854775807 " +
      std::string(kSmall);
  REQUIRE(seq2seq(folder, "train --run whole " + same).code == 0);
  const Result kept =
      seq2seq(folder, "train --run kept --save-every 4 --keep 3 --threads 3 " + same);
  REQUIRE(kept.code == 0);
  CHECK(ends(folder, "kept") == ends(folder, "whole"));
  const std::vector<std::string> names = names_in(folder.path("kept"));
  for (const char* name : {"checkpoint-40", "checkpoint-44", "checkpoint-45"})
    CHECK(fs::exists(folder.path("kept/" + std::string(name) + ".safetensors")));
  CHECK(names.size() == 17);

  // As if it had been killed after that checkpoint, in the middle of a line.
  fs::remove(folder.path("kept/checkpoint-45.safetensors"));
  fs::remove(folder.path("kept/checkpoint-44.safetensors"));
  fs::remove(folder.path("kept/alignment.svg"));
  folder.write("kept/metrics.jsonl", folder.read("kept/metrics.jsonl") + "{\"st");
  const Result resumed = seq2seq(folder, "train --run kept --resume --threads 2");
  INFO(resumed.err);
  REQUIRE(resumed.code == 0);
  CHECK_THAT(resumed.err, contains("after step 40"));
  CHECK(ends(folder, "kept") == ends(folder, "whole"));
  CHECK(names_in(folder.path("kept")) == names_in(folder.path("whole")));
}

TEST_CASE("seq2seq train --resume reports finished, contradictory, changed and missing runs") {
  const TemporaryFolder folder;
  check_error(seq2seq(folder, "train --run run --resume"), "no run folder 'run'");
  fs::create_directory(folder.path("run"));
  check_error(seq2seq(folder, "train --run run --resume"), "no checkpoint");
  folder.write("pairs.tsv", "ab\tba\nba\tab\naa\taa\n");
  const std::string same = "train --run run --data pairs.tsv --valid pairs.tsv --steps 20 " +
                           std::string(kSmall) + " --save-every 10 --keep 2 --learning-rate 2e-3 ";
  REQUIRE(seq2seq(folder, same).code == 0);
  const std::string whole = ends(folder, "run");

  for (const std::string flags : {"", "--learning-rate 0.002 --layers 1 --threads 1"}) {
    const Result finished = seq2seq(folder, "train --run run --keep 2 --resume " + flags);
    INFO(finished.err);
    CHECK(finished.code == 0);
    CHECK_THAT(finished.out, contains("is finished"));
    CHECK(ends(folder, "run") == whole);
  }
  const auto refuses = [&](const std::string& flags, const std::string& part) {
    INFO(flags);
    check_error(seq2seq(folder, "train --run run --keep 2 --resume " + flags), part);
    CHECK(ends(folder, "run") == whole);
  };
  refuses("--seed 3", "--seed=3 contradicts");
  refuses("--steps 30", "begun with --steps=20");
  refuses("--model transformer --heads 2", "--model=transformer");
  refuses("--on-nan skip", "--on-nan");
  fs::remove(folder.path("run/checkpoint-20.safetensors"));
  folder.write("pairs.tsv", "ab\tba\nba\tab\naa\tab\n");
  refuses("", "--valid differ");
  folder.write("other.tsv", "ab\tba\nba\tab\naa\taa\n");
  refuses("--data pairs.tsv --valid other.tsv", "was the data changed");
  folder.write("pairs.tsv", "ab\tba\nba\tab\nac\tab\n");
  refuses("--data pairs.tsv --valid other.tsv", "vocabularies of --data differ");

  std::string checkpoint = folder.read("run/checkpoint-10.safetensors");
  checkpoint[checkpoint.size() / 2] ^= 1;
  folder.write("run/checkpoint-10.safetensors", checkpoint);
  refuses("--data other.tsv --valid other.tsv", "checkpoint-10.safetensors");
  checkpoint[checkpoint.size() / 2] ^= 1;
  folder.write("run/checkpoint-10.safetensors", checkpoint);
  REQUIRE(seq2seq(folder, "train --run run --resume --data other.tsv --valid other.tsv").code == 0);
  CHECK(ends(folder, "run") == whole);
  check_error(seq2seq(folder, "train --run run --resume --seed 3"), "--seed=3 contradicts");
  CHECK(seq2seq(folder, "train --run run --resume --seed 1").code == 0);
}

TEST_CASE("a flipped byte in a model is detected") {
  const TemporaryFolder folder;
  REQUIRE(train(folder, "").code == 0);
  const std::string model = folder.read("run/model.safetensors");
  for (const std::size_t at : {std::size_t{30}, model.size() / 2, model.size() - 1}) {
    std::string damaged = model;
    damaged[at] ^= 4;
    folder.write("run/model.safetensors", damaged);
    check_error(seq2seq(folder, "translate --run run abc"), "model.safetensors");
  }
}

TEST_CASE("an older run is usable until a new one is complete, and a stopped one can resume") {
  const TemporaryFolder folder;
  REQUIRE(train(folder, "--layers 2").code == 0);
  const std::string older = folder.read("run/model.safetensors");
  const Result result =
      script(folder, "\"$seq2seq\" train --run run --attention dot" + std::string(kEndless) +
                         "2>log &\n" + kWait +
                         "\"$seq2seq\" test --run run --count 5 || exit 1\n"
                         "\"$seq2seq\" train --run run --steps 3 2>second && exit 2\n"
                         "kill -TERM $!; wait $!\n");
  INFO(result.err << folder.read("log") << folder.read("second"));
  CHECK(result.code == 143);
  CHECK_THAT(folder.read("second"), contains("another training (process "));
  CHECK_THAT(folder.read("log"), contains("the model is saved in 'run/unfinished'"));
  CHECK(folder.read("run/model.safetensors") == older);
  CHECK(seq2seq(folder, "test --run run/unfinished --count 5").code == 0);
  CHECK_FALSE(fs::exists(folder.path("run/.lock")));
  for (const std::string name : {"run/unfinished", "run/unfinished/", "./run/../run/unfinished"})
    check_error(seq2seq(folder, "train --resume --run " + name), "part of the run folder");

  const Result resumed = script(folder, "rm log; \"$seq2seq\" train --run run --resume 2>log &\n" +
                                            std::string(kWait) + "kill -HUP $!; wait $!\n");
  CHECK(resumed.code == 129);
  CHECK_THAT(folder.read("log"), contains("resumed"));

  // A new training abandons the unfinished one, with a message. If it fails early, the unfinished
  // one is restored.
  const Result limited = shell(folder, "trap '' XFSZ; ulimit -f 8; cd '" + folder.path("") +
                                           "'; \"$seq2seq\" train --run run --steps 3");
  CHECK(limited.code == 1);
  CHECK_THAT(limited.err, contains("is abandoned") && contains("cannot write"));
  CHECK(fs::exists(folder.path("run/unfinished/config.json")));
  REQUIRE(train(folder, "--attention none").code == 0);
  CHECK_FALSE(fs::exists(folder.path("run/unfinished")));
  CHECK_FALSE(fs::exists(folder.path("run/alignment.svg")));
  CHECK(folder.read("run/model.safetensors") != older);
}

TEST_CASE("a new run that was about to replace an older one is readable") {
  const TemporaryFolder folder;
  REQUIRE(train(folder, "--layers 2").code == 0);
  REQUIRE(seq2seq(folder, "train --run new --steps 3 --cell lstm" + std::string(kSmall)).code == 0);
  const std::string expected = seq2seq(folder, "translate --run new abc").out;
  const std::string model = folder.read("new/model.safetensors");
  fs::rename(folder.path("new"), folder.path("run/.replacing"));
  CHECK(seq2seq(folder, "translate --run run abc").out == expected);
  fs::rename(folder.path("run/.replacing/config.json"), folder.path("run/config.json"));
  fs::rename(folder.path("run/.replacing/model.safetensors"), folder.path("run/model.safetensors"));
  CHECK(seq2seq(folder, "translate --run run abc").out == expected);
  CHECK(seq2seq(folder, "train --run run --resume").code == 0);  // finished; it only cleans up
  CHECK_FALSE(fs::exists(folder.path("run/.replacing")));
  CHECK(seq2seq(folder, "translate --run run abc").out == expected);
  CHECK(folder.read("run/model.safetensors") == model);
}

TEST_CASE("a signal that the parent ignores is ignored, and a closed pipe saves the training") {
  const TemporaryFolder folder;
  const Result ignored =
      script(folder, "trap '' HUP; \"$seq2seq\" train --run run" + std::string(kEndless) +
                         "2>log &\n" + kWait + "kill -HUP $!; sleep 0.2\nkill -INT $!; wait $!\n");
  INFO(folder.read("log"));
  CHECK(ignored.code == 130);
  const Result closed = script(folder,
                               "set -o pipefail; \"$seq2seq\" train --run piped --steps 20000"
                               " --hidden 8 --embedding 4 --batch 8 2>&1 | head -n 1\n");
  CHECK(closed.code == 141);
  CHECK(seq2seq(folder, "test --run piped --count 5").code == 0);
}

TEST_CASE("a training saves its results even if its output is closed or full") {
  const TemporaryFolder folder;
  REQUIRE(train(folder, "--run whole").code == 0);
  for (const std::string outputs : {"2>/dev/full", "2>&-", "</dev/null 2>&- >/dev/null"}) {
    INFO(outputs);
    CHECK(train(folder, outputs).code == 0);
    CHECK(ends(folder, "run") == ends(folder, "whole"));
  }
  for (const std::string outputs : {">/dev/full", ">&-", ">/dev/full 2>/dev/full", ">&- 2>&-"}) {
    INFO(outputs);
    CHECK(train(folder, outputs).code == 1);
    CHECK(ends(folder, "run") == ends(folder, "whole"));
    CHECK(names_in(folder.path("run")) == names_in(folder.path("whole")));
  }
  check_error(seq2seq(folder, "translate --run run abc >&-"), "cannot write");
}

TEST_CASE("a run folder that is removed during training is recreated") {
  const TemporaryFolder folder;
  const std::string steps = " --steps 1000 --seed 4 --save-every 100 ";
  REQUIRE(seq2seq(folder, "train --run whole" + steps + kSmall).code == 0);
  const Result result = script(folder, "\"$seq2seq\" train --run run" + steps + kSmall +
                                           "2>log &\n" + kWait + "rm -r run; wait $!\n");
  INFO(folder.read("log"));
  CHECK(result.code == 0);
  CHECK(ends(folder, "run") == ends(folder, "whole"));
  CHECK(seq2seq(folder, "test --run run --count 5").code == 0);
}

TEST_CASE(
    "a full disk costs nothing but a warning once there is room, and else the end is a failure") {
  const TemporaryFolder folder;
  const std::string disk = folder.path("disk");
  fs::create_directory(disk);
  if (::mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=2m") != 0) return;  // needs root
  const std::string flags = " --steps 2000 --seed 4 --save-every 50 ";
  const auto on_full_disk = [&](const std::string& then) {
    return script(folder, "\"$seq2seq\" train --run disk/run" + flags + kSmall + "2>log & " +
                              kWait +
                              "cat /dev/zero >disk/full 2>/dev/null\n"
                              "until grep -q warning log; do sleep 0.02; done\n" +
                              then + "wait $!\n");
  };
  const Result whole = seq2seq(folder, "train --run whole" + flags + kSmall);
  const Result room = on_full_disk(
      "\"$seq2seq\" test --run disk/run --count 5 || exit 1\n"
      "rm disk/full\n");
  const std::string log = folder.read("log"), run = ends(folder, "disk/run");
  fs::remove_all(folder.path("disk/run"));
  const Result full = on_full_disk("");
  const std::string full_log = folder.read("log");
  fs::remove(folder.path("disk/full"));
  const Result resumed = seq2seq(folder, "train --run disk/run --resume");
  const std::string resumed_run = ends(folder, "disk/run");
  ::umount(disk.c_str());
  INFO(log << full_log << resumed.err);
  CHECK(whole.code == 0);
  CHECK(room.code == 0);
  CHECK_THAT(log,
             contains("cannot be saved: ") && contains("No space left") && contains("saved again"));
  CHECK(run == ends(folder, "whole"));
  CHECK(full.code == 1);
  CHECK_THAT(full_log, contains("error: the training is at its end, but cannot be saved") &&
                           contains(".safetensors' is complete, and --resume continues from it"));
  CHECK(resumed.code == 0);
  CHECK(resumed_run == ends(folder, "whole"));
}

TEST_CASE("a training that gives NaN fails, or skips and counts such updates") {
  const TemporaryFolder folder;
  const std::string bad = " --learning-rate 1e300 --schedule constant ";
  for (const std::string rate : {"1e300", "1e36"}) {
    const TemporaryFolder empty;
    const Result result = seq2seq(empty,
                                  "train --run run --steps 1 --schedule constant"
                                  " --learning-rate " +
                                      rate + kSmall);
    INFO(result.err);
    CHECK(result.code == 1);
    CHECK_THAT(result.err, contains("error: training: at step 1 the loss is"));
    CHECK(seq2seq(empty, "test --run run --count 5").code == 0);
  }
  folder.write("pairs.tsv", "ab\tba\nba\tab\naa\taa\n");
  check_error(seq2seq(folder, "test --run run"), "no run folder");
  const Result validated = seq2seq(
      folder, "train --run run --steps 1 --data pairs.tsv --valid pairs.tsv" + bad + kSmall);
  CHECK(validated.code == 1);
  CHECK_THAT(validated.err, !contains("best so far"));

  const Result never = seq2seq(folder, "train --run never --steps 5 --on-nan skip" + bad + kSmall);
  CHECK(never.code == 1);
  CHECK_THAT(never.err, contains("every step was skipped"));

  // Updates of this size are too large every now and then only.
  const Result some = seq2seq(folder,
                              "train --run some --steps 40 --on-nan skip --optimizer sgd "
                              "--learning-rate 1e19 --clip-norm 0 --schedule constant" +
                                  std::string(kSmall));
  INFO(some.err);
  CHECK(some.code == 0);
  CHECK_THAT(some.err, contains("skipped:") && contains("updates, which gave NaN or infinity"));
  CHECK_THAT(folder.read("some/metrics.jsonl"), contains("\"skipped_steps\":"));
  for (const auto& [name, values] :
       attune::load_safetensors(folder.path("some/model.safetensors")).arrays)
    CHECK(values.all_finite());
}

TEST_CASE("a training on pairs can be set in epochs, and stops early without progress") {
  const TemporaryFolder folder;
  folder.write("pairs.tsv", "ab\tba\nba\tab\naa\taa\nb\tb\nbb\tbb\na\ta\nabb\tbba\n");
  const Result epochs = seq2seq(
      folder, "train --run run --epochs 3 --data pairs.tsv --hidden 8 --embedding 4 --batch 2");
  INFO(epochs.err);
  REQUIRE(epochs.code == 0);
  CHECK(lines_of(folder.read("run/metrics.jsonl")).size() == 12);  // 4 batches an epoch
  CHECK_THAT(epochs.err,
             contains("model     recurrent gru, 1 layer in both directions") &&
                 contains("parameters\n") && contains("data      7 pairs of 'pairs.tsv'") &&
                 contains("12 steps of 2 examples (3 epochs)") && contains("memory    about "));
  CHECK_THAT(train(folder, "--data pairs.tsv --max-source-length 2").err,
             contains(" target tokens; 1 of 7 lines left out"));
  check_error(seq2seq(folder, "train --run t --epochs 3"), "--epochs");
  check_error(seq2seq(folder, "train --run t --epochs 3 --steps 3 --data pairs.tsv"), "--epochs");
  check_error(seq2seq(folder, "train --run t --patience 3"), "--patience");

  const std::string early =
      " --steps 400 --data pairs.tsv --valid pairs.tsv --patience 2 "
      "--learning-rate 0 --save-every 30 --hidden 8 --embedding 4 --batch 2 ";
  const Result stopped = seq2seq(folder, "train --run early" + early);
  INFO(stopped.err);
  CHECK(stopped.code == 0);
  CHECK_THAT(stopped.err, contains("stopped after step 60 of 400"));  // validated every 20 steps
  CHECK_THAT(seq2seq(folder, "train --run early --resume").out, contains("finished"));
}

TEST_CASE("the plateau schedule follows the validation loss") {
  const TemporaryFolder folder;
  folder.write("pairs.tsv", "ab\tba\nba\tab\naa\taa\nb\tb\n");
  // Unlike the training data: its loss rises while the training loss falls.
  folder.write("valid.tsv", "ab\taaaaaaaaaaaaaaaa\nba\tbbbbbbbbbbbbbbbbbbb\n");
  const auto last_rate = [&](const std::string& flags) {
    const Result result =
        seq2seq(folder,
                "train --run run --steps 210 --schedule plateau --learning-rate 0.01"
                " --data pairs.tsv " +
                    std::string(kSmall) + flags);
    INFO(result.err);
    REQUIRE(result.code == 0);
    double rate = 0;
    for (const std::string& line : lines_of(folder.read("run/metrics.jsonl"))) {
      const auto json = nlohmann::json::parse(line);
      if (json.contains("learning_rate")) rate = json.at("learning_rate").get<double>();
    }
    return rate;
  };
  CHECK(last_rate("") == 0.01);
  CHECK(last_rate("--valid valid.tsv") < 0.002);
}

TEST_CASE("the plateau schedule observes the means of all windows, including a short last one") {
  const TemporaryFolder folder;
  // Windows of two steps, and the last one of a single step.
  const Result result = seq2seq(
      folder, "train --run run --steps 59 --schedule plateau --keep 1" + std::string(kSmall));
  INFO(result.err);
  REQUIRE(result.code == 0);
  std::vector<double> losses;
  for (const std::string& line : lines_of(folder.read("run/metrics.jsonl")))
    losses.push_back(nlohmann::json::parse(line).at("loss").get<double>());
  REQUIRE(losses.size() == 59);
  attune::ReduceOnPlateau schedule(0.1, /*patience=*/1);
  for (std::size_t i = 0; i < losses.size(); i += 2)
    schedule.observe(i + 1 < losses.size() ? (losses[i] + losses[i + 1]) / 2 : losses[i]);
  const attune::NamedArrays saved =
      attune::load_safetensors(folder.path("run/checkpoint-59.safetensors")).arrays;
  for (const auto& [name, expected] : schedule.state()) {
    const auto found = std::find_if(saved.begin(), saved.end(), [&name = name](const auto& entry) {
      return entry.first == "schedule/" + name;
    });
    INFO(name);
    REQUIRE(found != saved.end());
    CHECK(found->second.item() == Approx(expected.item()));
  }
}
