#include "attune/train/attention_recording.h"

#include <filesystem>

#include "attune/autograd/all.h"
#include "attune/layers/attention/attention_recorder.h"
#include "attune/train/all.h"
#include "catch.h"
#include "compare.h"
#include "temporary_folder.h"

using namespace attune;

namespace {

TrainOptions small(const std::string& run) {
  return {.run = run,
          .data = {.task = "reverse", .max_length = 6},
          .model = {.hidden = 8},
          .batch = 8,
          .steps = 30,
          .record = 3};
}

// The message of the error that loading the recording gives.
std::string fault_of(const std::string& folder) {
  try {
    load_recording(folder);
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("a training records attention at log-spaced steps and the last") {
  const TemporaryFolder folder;
  const std::string path = folder.path("run");
  train(small(path));
  const AttentionRecording recording = load_recording(path);
  std::vector<std::int64_t> steps;
  for (const RecordedStep& step : recording.steps) steps.push_back(step.step);
  CHECK(steps == std::vector<std::int64_t>{1, 2, 5, 10, 20, 30});

  REQUIRE(recording.pairs.size() == 3);
  const RecordedPair& pair = recording.pairs.front();
  REQUIRE(pair.source.size() == 6);
  CHECK(pair.target.size() == 7);
  CHECK(pair.target.back() == "</s>");
  REQUIRE(pair.truth.has_value());
  CHECK(pair.truth->sure.front() == Link{5, 0});

  // The weights of the last step are those of the trained model.
  const Run run = load_run(path);
  std::vector<Example> examples;
  for (const RecordedPair& one : recording.pairs) {
    Example example;
    for (const std::string& token : one.source) example.source.push_back(run.source.id(token));
    for (const std::string& token : one.target)
      if (token != "</s>") example.target.push_back(run.target.id(token));
    examples.push_back(std::move(example));
  }
  const NoGrad no_grad;
  const Eval eval;
  const AttentionRecorder recorder(*run.model);
  (*run.model)(make_batch(examples));
  const Array expected = recorder.recorded().at(0).weights.value();  // [B, 1, T, S]
  for (std::size_t i = 0; i < examples.size(); ++i) {
    const RecordedArray& found = recording.steps.back().pairs.at(i).at(0);
    CHECK(found.attention == "decoder.attention");
    CHECK(found.name == "weights");
    CHECK_FALSE(found.has_source_queries());
    CHECK(found.has_source_keys());
    const auto queries = static_cast<std::int64_t>(recording.pairs[i].target.size());
    const auto keys = static_cast<std::int64_t>(recording.pairs[i].source.size());
    REQUIRE(found.values.shape() == Shape({1, queries, keys}));
    const std::int64_t most_queries = expected.shape()[2], most_keys = expected.shape()[3];
    for (std::int64_t t = 0; t < queries; ++t)
      for (std::int64_t s = 0; s < keys; ++s)
        CHECK(found.values.at(t * keys + s) ==
              expected.at((static_cast<std::int64_t>(i) * most_queries + t) * most_keys + s));
  }
}

TEST_CASE("a recording changes no bit of a training") {
  const std::string normalizer = GENERATE("softmax", "gumbel");
  const TemporaryFolder folder;
  TrainOptions options = small(folder.path("recorded"));
  options.model.normalizer = normalizer;
  options.model.dropout = 0.1;
  train(options);
  options.run = folder.path("other");
  options.record = 0;
  train(options);
  CHECK(folder.read("recorded/model.safetensors") == folder.read("other/model.safetensors"));
  CHECK(folder.read("recorded/metrics.jsonl") == folder.read("other/metrics.jsonl"));
  CHECK(load_recording(options.run).steps.empty());
}

TEST_CASE("a new training in a run folder replaces the recording") {
  const TemporaryFolder folder;
  TrainOptions options = small(folder.path("run"));
  train(options);
  options.steps = 7;
  train(options);
  std::vector<std::int64_t> steps;
  for (const RecordedStep& step : load_recording(options.run).steps) steps.push_back(step.step);
  CHECK(steps == std::vector<std::int64_t>{1, 2, 5, 7});
}

TEST_CASE("a training on a file records its validation pairs, or pairs of its first batch") {
  const TemporaryFolder folder;
  const std::string file = folder.write("train.tsv", "a b\tb\nb c a\tc\na\ta\nc a\tb b\n");
  const std::string valid = folder.write("valid.tsv", "c b\ta\n");
  TrainOptions options{.run = folder.path("run"),
                       .data = {.file = file, .source_tokens = "words", .target_tokens = "words"},
                       .model = {.hidden = 4},
                       .batch = 4,
                       .steps = 2,
                       .record = 2};
  SECTION("a validation pair") {
    options.data.valid = valid;
    train(options);
    const AttentionRecording recording = load_recording(options.run);
    REQUIRE(recording.pairs.size() == 1);
    CHECK(recording.pairs[0].source == std::vector<std::string>{"c", "b"});
    CHECK(recording.pairs[0].target == std::vector<std::string>{"a", "</s>"});
    CHECK_FALSE(recording.pairs[0].truth.has_value());
  }
  SECTION("the longest of the batch") {
    train(options);
    const AttentionRecording recording = load_recording(options.run);
    REQUIRE(recording.pairs.size() == 2);
    CHECK(recording.pairs[0].source == std::vector<std::string>{"b", "c", "a"});
  }
}

TEST_CASE("a recording that cannot be used is an error with its file") {
  const TemporaryFolder folder;
  const std::string path = folder.path("run");
  TrainOptions options = small(path);
  options.steps = 2;
  train(options);
  const std::string file = "run/attention-2.safetensors";
  const std::string bytes = folder.read(file);
  SECTION("cut short") {
    folder.write(file, bytes.substr(0, bytes.size() / 2));
    CHECK_THAT(fault_of(path), contains("attention-2.safetensors"));
  }
  SECTION("of another step") {
    folder.write("run/attention-3.safetensors", bytes);
    CHECK_THAT(fault_of(path), contains("attention-3.safetensors") && contains("it is of step 2"));
  }
  SECTION("another kind of file") {
    folder.write(file, folder.read("run/model.safetensors"));
    CHECK_THAT(fault_of(path), contains("is no recording of attention"));
  }
  SECTION("of another training") {
    TrainOptions other = options;
    other.run = folder.path("other");
    other.data.task = "copy";
    train(other);
    folder.write(file, folder.read("other/attention-2.safetensors"));
    CHECK_THAT(fault_of(path), contains("not those of the other recordings"));
  }
  SECTION("with weights that do not fit") {
    Safetensors content = load_safetensors(folder.path(file));
    content.arrays.front().second = Array::zeros({1, 2, 3}, DType::f32);
    save_safetensors(folder.path(file), content);
    CHECK_THAT(fault_of(path), contains("has shape [1, 2, 3]; expected [heads, 7, 6]"));
  }
  SECTION("with pairs that are not readable") {
    Safetensors content = load_safetensors(folder.path(file));
    content.metadata["pairs"] = "[{\"source\":3}]";
    save_safetensors(folder.path(file), content);
    CHECK_THAT(fault_of(path), contains("its pairs are not readable"));
  }
}

TEST_CASE("the names of recordings") {
  CHECK(recording_file(20) == "attention-20.safetensors");
  CHECK(step_of_recording("attention-20.safetensors") == 20);
  CHECK_FALSE(step_of_recording("checkpoint-20.safetensors").has_value());
  CHECK_FALSE(step_of_recording("attention-x.safetensors").has_value());
}
