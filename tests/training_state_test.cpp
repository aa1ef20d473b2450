#include "attune/train/training_state.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <filesystem>

#include "attune/autograd/ops/losses.h"
#include "attune/data/batch_stream.h"
#include "attune/data/files.h"
#include "attune/layers/linear.h"
#include "attune/optim/adam.h"
#include "attune/optim/make_schedule.h"
#include "attune/train/counters.h"
#include "attune/train/file_lock.h"
#include "attune/train/metrics_log.h"
#include "attune/train/parameter_copy.h"
#include "attune/train/safetensors.h"
#include "attune/train/stop_signal.h"
#include "catch.h"
#include "temporary_folder.h"

using namespace attune;

namespace {

namespace fs = std::filesystem;

// A small training with all parts that a state can have.
struct Training {
  Linear model{3, 2};
  Adam optimizer{model.parameters(), {.learning_rate = 0.01}};
  std::unique_ptr<Schedule> schedule = make_schedule("plateau", {.patience = 1});
  RunningMean losses;
  BestScore score;
  ParameterCopy best{model};
  std::int64_t step = 0;
  TrainingState state;

  Training() {
    state.add("model", model);
    state.add("optimizer", optimizer);
    state.add("schedule", *schedule);
    state.add("random", generator());
    state.add("losses", losses);
    state.add("score", score);
    state.add("best", best);
    state.add("step", step);
  }

  void run(int steps) {
    for (int i = 0; i < steps; ++i) {
      ++step;
      Array x({4, 3});
      generator().normal(x, 0, 1);
      optimizer.zero_grad();
      const Tensor loss = mse_loss(model(x), Array::zeros({4, 2}));
      loss.backward();
      optimizer.scale_learning_rate(schedule->factor(step));
      optimizer.step();
      losses.add(loss.item());
      if (score.observe(loss.item())) best.take();
      if (step % 3 == 0) schedule->observe(losses.mean()), losses.reset();
    }
  }
};

std::string bytes_of(const Training& training, const TemporaryFolder& folder) {
  training.state.save(folder.path("compared"));
  return folder.read("compared");
}

std::vector<Example> examples(int count) {
  std::vector<Example> result;
  for (int i = 0; i < count; ++i)
    result.push_back({std::vector<int>(static_cast<std::size_t>(1 + i % 5), 4 + i), {4 + i, 5}});
  return result;
}

std::vector<int> ids_of(const Batch& batch) { return batch.source.ids.to_vector(); }

}  // namespace

TEST_CASE("a training resumed from its state ends like an uninterrupted one") {
  const TemporaryFolder folder;
  seed(0xFEDCBA9876543210);
  Training through;
  through.run(10);
  through.state.texts["flags"] = "\"ä\"";
  through.state.save(folder.path("state"));
  through.run(7);

  seed(1);
  Training resumed;
  resumed.state.load(folder.path("state"));
  CHECK(generator().seed() == 0xFEDCBA9876543210);
  CHECK(resumed.step == 10);
  CHECK(resumed.state.texts.at("flags") == "\"ä\"");
  CHECK(TrainingState::texts_of(folder.path("state")).at("flags") == "\"ä\"");
  resumed.run(7);
  CHECK(bytes_of(resumed, folder) == bytes_of(through, folder));
}

TEST_CASE("a changed byte in a training's state is an error that names the file") {
  const TemporaryFolder folder;
  Training training;
  training.run(2);
  training.state.save(folder.path("state"));
  const std::string whole = folder.read("state");
  for (std::size_t i = 0; i < whole.size(); i += 17) {
    for (const int mask : {1, 0x29}) {  // 0x20 ^ 0x29 is a tab: the header stays JSON
      std::string bytes = whole;
      bytes[i] = static_cast<char>(bytes[i] ^ mask);
      INFO("byte " << i);
      REQUIRE_THROWS_WITH(training.state.load(folder.write("damaged", bytes)),
                          contains(folder.path("damaged")));
    }
  }
  training.state.load(folder.path("state"));
}

TEST_CASE("the state of another training is rejected") {
  const TemporaryFolder folder;
  Training training;
  training.run(1);
  training.state.save(folder.path("state"));
  TrainingState fewer;
  fewer.add("model", training.model);
  CHECK_THROWS_WITH(fewer.load(folder.path("state")), contains("no part 'best'"));
  TrainingState other;
  std::int64_t count = 0;
  other.add("counted", count);
  CHECK_THROWS_WITH(other.load(folder.path("state")), contains("the state has no 'count'"));
  CHECK_THROWS_WITH(other.add("counted", count), contains("'counted'"));
  CHECK_THROWS_WITH(other.add("a/b", count), contains("'a/b'"));
  save_safetensors(folder.path("model"), {training.model.values(), {}});
  CHECK_THROWS_WITH(training.state.load(folder.path("model")), contains("is not the state of"));
}

TEST_CASE("a stream of batches resumes from its state at any position") {
  const auto make = [](std::uint64_t index) {
    return Example{std::vector<int>(1 + index % 7, 4), {static_cast<int>(index)}};
  };
  for (const int size : {0, 1, 7, 8, 9, 33, 64}) {
    for (int taken = 0; taken < 25; ++taken) {
      INFO(size << " examples, " << taken << " batches taken");
      const auto stream = [&] {
        return size == 0 ? BatchStream(make, 4, 3) : BatchStream(examples(size), 4, 3);
      };
      BatchStream through = stream(), resumed = stream();
      for (int i = 0; i < taken; ++i) through.next();
      for (int i = 0; i < 3; ++i) resumed.next();  // what it did before must not matter
      resumed.load_state(through.state());
      for (int i = 0; i < 25; ++i) REQUIRE(ids_of(resumed.next()) == ids_of(through.next()));
    }
  }
}

TEST_CASE("a stream of batches rejects the state of other examples, sizes and seeds") {
  BatchStream stream(examples(20), 4, 3);
  stream.next();
  auto state = stream.state();
  std::vector<Example> changed = examples(20);
  changed[19].target[1] = 6;
  CHECK_THROWS_WITH(BatchStream(changed, 4, 3).load_state(state), contains("was the data changed"));
  CHECK_THROWS_WITH(BatchStream(examples(20), 5, 3).load_state(state), contains("batch size"));
  CHECK_THROWS_WITH(BatchStream(examples(20), 4, 2).load_state(state), contains("seed"));
  for (auto& [name, value] : state)
    if (name == "taken") value = Array::full({}, 20, DType::f64);
  CHECK_THROWS_WITH(stream.load_state(state), contains("20 examples into an epoch of 20"));
  state.pop_back();
  CHECK_THROWS_WITH(stream.load_state(state), contains("no 'given'"));
}

TEST_CASE("an epoch has as many batches as are needed for every example once") {
  for (const int size : {1, 4, 5, 8, 9, 33}) {
    BatchStream stream(examples(size), 4, 3);
    std::int64_t seen = 0, batches = 0;
    for (; seen < size; ++batches) seen += stream.next().source.lengths.elements();
    CHECK(batches == stream.batches_per_epoch());
    CHECK(stream.examples_per_epoch() == size);
  }
}

TEST_CASE("the best score is the lowest, never NaN, and the scores since then are counted") {
  BestScore score;
  CHECK_FALSE(score.observe(NAN));
  CHECK(score.without_progress() == 1);
  CHECK(score.observe(3));
  CHECK_FALSE(score.observe(3));
  CHECK_FALSE(score.observe(NAN));
  CHECK(score.without_progress() == 2);
  BestScore other;
  other.load_state(score.state());
  CHECK(other.best() == 3);
  CHECK(other.without_progress() == 2);
  CHECK(other.observe(-1));
  CHECK(other.without_progress() == 0);
}

TEST_CASE("an atomic write keeps the mode of the file that it replaces") {
  const TemporaryFolder folder;
  const std::string path = folder.write("file", "old");
  for (const mode_t mode : {0600, 0640, 0444}) {
    REQUIRE(::chmod(path.c_str(), mode) == 0);
    write_file_atomically(path, "new");
    struct stat status;
    REQUIRE(::stat(path.c_str(), &status) == 0);
    CHECK((status.st_mode & 07777) == mode);
  }
}

TEST_CASE("an atomic write replaces the target of a symbolic link and keeps the link") {
  const TemporaryFolder folder;
  fs::create_directory(folder.path("else"));
  folder.write("else/file", "old");
  fs::create_symlink("else/file", folder.path("link"));
  fs::create_symlink("link", folder.path("link2"));
  write_file_atomically(folder.path("link2"), "new");
  CHECK(fs::is_symlink(folder.path("link")));
  CHECK(fs::is_symlink(folder.path("link2")));
  CHECK(folder.read("else/file") == "new");
  fs::create_symlink("else/none", folder.path("dangling"));
  write_file_atomically(folder.path("dangling"), "made");
  CHECK(folder.read("else/none") == "made");
  fs::create_symlink("round", folder.path("round"));
  CHECK_THROWS_WITH(write_file_atomically(folder.path("round"), "x"), contains("symbolic links"));
  CHECK(folder.entries() == 5);
}

TEST_CASE("an atomic write does not follow a symbolic link at its temporary name") {
  const TemporaryFolder folder;
  folder.write("victim", "dear");
  for (int i = 0; i < 2000; ++i)
    fs::create_symlink("victim", folder.path(fmt::format(".attune-{}-{}.tmp", ::getpid(), i)));
  fs::create_symlink("victim", folder.path(fmt::format("file.tmp-{}", ::getpid())));
  write_file_atomically(folder.path("file"), "new");
  CHECK(folder.read("victim") == "dear");
  CHECK(folder.read("file") == "new");
  remove_temporary_files(folder.path(""));
  CHECK(folder.entries() == 3);
}

TEST_CASE("a log is truncated to its length at the checkpoint") {
  const TemporaryFolder folder;
  folder.write("log", "{\"step\":1}\n{\"step\":2}\n{\"st");
  MetricsLog log(folder.path("log"), 11);
  CHECK(log.bytes() == 11);
  log.write({{"step", 3}});
  CHECK(folder.read("log") == "{\"step\":1}\n{\"step\":3}\n");
  CHECK_THROWS_WITH(MetricsLog(folder.path("log"), 1000), contains("has 22 bytes, but 1000"));
}

TEST_CASE("a removed log is recreated with all its lines") {
  const TemporaryFolder folder;
  fs::create_directory(folder.path("run"));
  MetricsLog log(folder.path("run/log"));
  log.write({{"step", 1}});
  fs::remove_all(folder.path("run"));
  log.write({{"step", 2}});
  CHECK_THROWS_WITH(log.sync(), contains("No such file"));
  fs::create_directory(folder.path("run"));
  log.sync();
  log.write({{"step", 3}});
  CHECK(folder.read("run/log") == "{\"step\":1}\n{\"step\":2}\n{\"step\":3}\n");
}

TEST_CASE("a lock excludes other processes until its process ends, however it ends") {
  const TemporaryFolder folder;
  const std::string path = folder.path("lock");
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const FileLock lock(path);
    const char byte = lock.held() ? 'y' : 'n';
    if (::write(ready[1], &byte, 1) != 1) ::_exit(1);
    for (;;) ::pause();
  }
  char byte = 0;
  REQUIRE(::read(ready[0], &byte, 1) == 1);
  CHECK(byte == 'y');
  {
    const FileLock refused(path);
    CHECK_FALSE(refused.held());
    CHECK(refused.holder() == std::to_string(child));
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  for (const int descriptor : ready) ::close(descriptor);
  CHECK(fs::exists(path));
  {
    FileLock lock(path);
    CHECK(lock.held());
    CHECK(lock.in_place());
    const FileLock moved = std::move(lock);
    CHECK(moved.held());
    fs::remove(path);
    CHECK_FALSE(moved.in_place());
    folder.write("lock", "somebody else's");
    CHECK_FALSE(moved.in_place());
  }
  CHECK(folder.read("lock") == "somebody else's");
  { const FileLock lock(path); }
  CHECK_FALSE(fs::exists(path));
  CHECK_THROWS_WITH(FileLock(folder.path("no/lock")), contains("No such file"));
}

TEST_CASE("signals only request a stop, unless ignored, and their handlers are restored") {
  void (*const before)(int) = std::signal(SIGHUP, SIG_IGN);
  for (const int each : {SIGTERM, SIGPIPE})
    std::signal(each, SIG_DFL);  // whatever the tests inherit
  {
    const StopSignal stop;
    ::raise(SIGHUP);
    CHECK(stop.received() == 0);
    ::raise(SIGTERM);
    CHECK(stop.received() == SIGTERM);
    ::raise(SIGPIPE);
    ::raise(SIGTERM);  // at once: as `timeout` sends it twice
    CHECK(stop.received() == SIGTERM);
  }
  CHECK(std::signal(SIGHUP, before) == SIG_IGN);
  {
    const StopSignal stop;
    CHECK(stop.received() == 0);
    ::raise(SIGPIPE);
    CHECK(stop.received() == SIGPIPE);
  }
}

TEST_CASE("a second signal ends the process") {
  const pid_t child = ::fork();
  if (child == 0) {
    for (const int each : {SIGINT, SIGTERM}) std::signal(each, SIG_DFL);
    const StopSignal stop;
    ::raise(SIGINT);
    ::usleep(200'000);
    ::raise(SIGTERM);
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGTERM);
}
