// seq2seq train --tensorboard.
#include <cmath>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "attune/alignment/heat_map.h"
#include "events.h"
#include "program.h"

namespace fs = std::filesystem;
using namespace program;

namespace {

constexpr const char* kFile = "/events.out.tfevents.attune";

// Checks that the events of a run are the lines of its metrics.jsonl, and, with `pictures`, that a
// picture follows each validation.
void check_events(const TemporaryFolder& folder, const std::string& run, bool pictures) {
  const std::vector<events::Event> found = events::read(folder.read(run + kFile));
  REQUIRE_FALSE(found.empty());
  CHECK(found[0].version == "brain.Event:2");
  std::size_t next = 1;
  for (const std::string& line : lines_of(folder.read(run + "/metrics.jsonl"))) {
    auto json = nlohmann::json::parse(line);
    CAPTURE(line);
    REQUIRE(next < found.size());
    const events::Event& event = found[next++];
    CHECK(event.step == json.at("step").get<std::int64_t>());
    json.erase("step");
    CHECK(event.scalars.size() == json.size());
    for (const auto& [name, value] : json.items()) {
      const float scalar = event.scalars.at(name);
      if (value.is_null())
        CHECK_FALSE(std::isfinite(scalar));
      else
        CHECK(scalar == Approx(value.get<double>()));
    }
    if (!pictures || !attune::has_cairo() || !json.contains("valid_loss")) continue;
    REQUIRE(next < found.size());
    CHECK(found[next].step == event.step);
    CHECK_THAT(found[next].images.at("alignment"), Catch::Matchers::StartsWith("\x89PNG"));
    CHECK(found[next++].width > 100);
  }
  CHECK(next == found.size());
}

std::string result(const TemporaryFolder& folder, const std::string& run) {
  std::string files;
  for (const char* name : {"/model.safetensors", "/metrics.jsonl", "/config.json"})
    files += folder.read(run + name);
  return files;
}

}  // namespace

TEST_CASE("events for TensorBoard are those of metrics.jsonl and change nothing in a training") {
  const TemporaryFolder folder;
  const std::string same =
      "--steps 30 --max-length 6 --valid-count 9 --dropout 0.2 " + std::string(kSmall);
  REQUIRE(seq2seq(folder, "train --run plain " + same).code == 0);
  const Result logged = seq2seq(folder, "train --run logged --tensorboard " + same);
  INFO(logged.err);
  REQUIRE(logged.code == 0);
  CHECK(result(folder, "logged") == result(folder, "plain"));
  CHECK_FALSE(fs::exists(folder.path("plain" + std::string(kFile))));
  check_events(folder, "logged", /*pictures=*/true);
  const bool warns = logged.err.find("no pictures of the alignment") != std::string::npos;
  CHECK(warns == !attune::has_cairo());

  // A new training without events replaces all files of the run.
  REQUIRE(seq2seq(folder, "train --run logged " + same).code == 0);
  CHECK(names_in(folder.path("logged")) == names_in(folder.path("plain")));

  REQUIRE(train(folder, "--attention none --valid-count 3 --tensorboard").code == 0);
  check_events(folder, "run", /*pictures=*/false);
}

TEST_CASE("a resumed training continues its events and repeats none") {
  const TemporaryFolder folder;
  const std::string train =
      "train --run run --steps 45 --max-length 6 --valid-count 5 --save-every 4 --keep 3 "
      "--tensorboard " +
      std::string(kSmall);
  REQUIRE(seq2seq(folder, train).code == 0);
  const std::string whole = result(folder, "run");
  // As if it had been killed after step 42, in the middle of an event.
  fs::remove(folder.path("run/checkpoint-45.safetensors"));
  fs::remove(folder.path("run/checkpoint-44.safetensors"));
  folder.write("run" + std::string(kFile), folder.read("run" + std::string(kFile)) + "half");
  for (const std::string flag : {"", "--tensorboard"}) {
    const Result resumed = seq2seq(folder, "train --run run --resume --keep 3 " + flag);
    INFO(resumed.err);
    REQUIRE(resumed.code == 0);
    CHECK(result(folder, "run") == whole);
    check_events(folder, "run", /*pictures=*/true);
    fs::remove(folder.path("run/checkpoint-45.safetensors"));
  }
}

TEST_CASE("a training stopped by a signal keeps its events, and a resumed one can begin them") {
  const TemporaryFolder folder;
  for (const std::string flag : {"--tensorboard", ""}) {
    const Result stopped =
        shell(folder, "set -m; cd '" + folder.path("") +
                          "'\n\"$seq2seq\" train --run run --steps 100000 --valid-count 3 "
                          "--max-length 5 " +
                          flag + kSmall +
                          " &\nuntil [ -s run/unfinished/metrics.jsonl -o -s run/metrics.jsonl ]; "
                          "do sleep 0.05; done\nkill -TERM $!\nwait $!\n");
    INFO(stopped.err);
    REQUIRE(stopped.code == 143);
    const std::string run = fs::exists(folder.path("run/unfinished")) ? "run/unfinished" : "run";
    if (!flag.empty()) {
      check_events(folder, run, /*pictures=*/true);
      fs::remove_all(folder.path("run"));
      continue;
    }
    CHECK_FALSE(fs::exists(folder.path(run + kFile)));
    shell(folder, "set -m; cd '" + folder.path("") +
                      "'\n\"$seq2seq\" train --run run --resume "
                      "--tensorboard &\nuntil [ -s " +
                      run + kFile +
                      " ]; do sleep 0.05; done\n"
                      "sleep 0.3; kill -TERM $!\nwait $!\n");
    CHECK(events::read(folder.read(run + kFile))[0].version == "brain.Event:2");
  }
}

TEST_CASE("a training whose events cannot be written does not begin") {
  const TemporaryFolder folder;
  fs::create_directories(folder.path("run") + kFile);
  check_error(train(folder, "--tensorboard"), "events.out.tfevents.attune");
  CHECK_FALSE(fs::exists(folder.path("run/model.safetensors")));
}
