#include "attune/report/report.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "attune/train/all.h"
#include "catch.h"
#include "temporary_folder.h"

using namespace attune;
using nlohmann::json;

namespace {

constexpr std::string_view kBegin = "<script type=\"application/json\" id=\"data\">";

std::string data_text(const std::string& page) {
  const std::size_t begin = page.find(kBegin);
  REQUIRE(begin != std::string::npos);
  const std::size_t from = begin + kBegin.size();
  return page.substr(from, page.find("</script>", from) - from);
}

json data_of(const std::string& page) { return json::parse(data_text(page)); }

std::vector<int> from_base64(const std::string& text) {
  const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::vector<int> bytes;
  unsigned bits = 0;
  int count = 0;
  for (const char c : text) {
    if (c == '=') break;
    bits = bits << 6 | static_cast<unsigned>(digits.find(c));
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes.push_back(static_cast<int>(bits >> count & 255));
  }
  return bytes;
}

TrainOptions small(const std::string& run) {
  return {.run = run,
          .data = {.task = "reverse", .valid_count = 4, .max_length = 5},
          .model = {.hidden = 8},
          .batch = 4,
          .steps = 6,
          .record = 2};
}

std::string fault_of(const ReportOptions& options) {
  try {
    report_html(options);
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("a report holds what a training wrote") {
  const TemporaryFolder folder;
  const std::string path = folder.path("run");
  train(small(path));
  const std::string page = report_html({.runs = {path}});
  CHECK(page.starts_with("<!DOCTYPE html>"));
  for (const char* placeholder : {"/*STYLE*/", "/*SCRIPT*/", "/*DATA*/"})
    CHECK(page.find(placeholder) == std::string::npos);
  const json data = data_of(page);
  REQUIRE(data["runs"].size() == 1);
  const json& run = data["runs"][0];
  CHECK(run["name"] == path);
  CHECK_THAT(run["command"].get<std::string>(), contains("seq2seq train") && contains("--steps=6"));
  CHECK(run["series"]["loss"][0] == json({1, 2, 3, 4, 5, 6}));
  CHECK(run["series"]["valid_loss"][1].size() == 6);
  CHECK(run["recorded_steps"] == json({1, 2, 5, 6}));
  CHECK(run["attentions"] == json::parse(R"([{"name": "decoder.attention", "heads": 1,
                                              "queries": "target", "keys": "source"}])"));
  CHECK(run["step"] == 6);
  CHECK(run["steps"] == 6);
  CHECK(run["finished"] == true);
  const Run trained = load_run(path);
  CHECK(run["summary"] ==
        json::array({{"parameters", std::to_string(trained.model->parameter_count())},
                     {"source tokens", std::to_string(trained.source.size())},
                     {"target tokens", std::to_string(trained.target.size())}}));
  const auto config = run["config"].get<std::vector<std::vector<std::string>>>();
  CHECK(std::find(config.begin(), config.end(), std::vector<std::string>{"hidden", "8"}) !=
        config.end());

  const std::vector<int> bytes = from_base64(run["weights"]);
  std::size_t next = 0;
  for (const RecordedStep& step : load_recording(path).steps)
    for (const auto& pair : step.pairs)
      for (const double weight : pair.at(0).values.to_vector<double>()) {
        REQUIRE(next < bytes.size());
        CHECK(std::abs(bytes[next++] - 255 * weight) <= 0.5 + 1e-6);
      }
  CHECK(next == bytes.size());
}

TEST_CASE("a report holds what mechanisms computed besides weights") {
  const TemporaryFolder folder;
  TrainOptions options = small(folder.path("run"));
  options.model.attention = "coverage";
  options.model.locality = "local_p";
  train(options);
  const json run = data_of(report_html({.runs = {options.run}}))["runs"][0];
  std::vector<std::string> names;
  for (const json& quantity : run["quantities"]) {
    CHECK(quantity["attention"] == 0);
    names.push_back(quantity["name"]);
    const bool is_position = names.back() == "position";
    CHECK(quantity["shape"] == (is_position ? "query" : "query x key"));
    const std::vector<int> bytes = from_base64(quantity["values"]);
    std::size_t next = 0;
    for (const RecordedStep& step : load_recording(options.run).steps)
      for (const auto& pair : step.pairs)
        for (const RecordedArray& array : pair) {
          if (array.name != names.back()) continue;
          for (const float value : array.values.to_vector<float>()) {
            REQUIRE(next + 4 <= bytes.size());
            std::uint32_t bits = 0;
            for (int k = 0; k < 4; ++k)
              bits |= static_cast<std::uint32_t>(bytes[next++]) << (8 * k);
            CHECK(std::bit_cast<float>(bits) == value);
          }
        }
    CHECK(next == bytes.size());
  }
  std::sort(names.begin(), names.end());
  CHECK(names == std::vector<std::string>{"coverage", "position"});
}

TEST_CASE("tokens of a report cannot end its data") {
  const TemporaryFolder folder;
  const std::string file =
      folder.write("train.tsv", "</script><script>alert(1)</script> <!--\t\"\\ \xF0\x9F\x98\x80\n");
  TrainOptions options = small(folder.path("run"));
  options.data = {.file = file, .source_tokens = "words", .target_tokens = "words"};
  train(options);
  const std::string page = report_html({.runs = {options.run}});
  CHECK(data_text(page).find('<') == std::string::npos);
  const json example = data_of(page)["runs"][0]["examples"][0];
  CHECK(example["source"] == json({"</script><script>alert(1)</script>", "<!--"}));
  CHECK(example["target"] == json({"\"\\", "\xF0\x9F\x98\x80", "</s>"}));
}

TEST_CASE("a report compares runs, with or without recordings") {
  const TemporaryFolder folder;
  train(small(folder.path("a")));
  TrainOptions options = small(folder.path("b"));
  options.record = 0;
  options.model.attention = "none";
  train(options);
  const json data = data_of(report_html({.runs = {folder.path("a"), folder.path("b")}, .beam = 3}));
  REQUIRE(data["runs"].size() == 2);
  CHECK(data["runs"][0]["hypotheses"].size() == 2);
  CHECK(data["runs"][0]["hypotheses"][0]["best"].size() == 3);
  CHECK(data["runs"][1]["examples"].empty());
  CHECK(data["runs"][1]["weights"] == "");
}

TEST_CASE("a report holds each sentence of test data, with output, scores and weights") {
  const TemporaryFolder folder;
  const std::string run = folder.path("run");
  const std::string pairs = folder.write("pairs.tsv", "abc\tcba\nab\tba\nab\tx\n");
  train({.run = run,
         .data = {.file = pairs},
         .model = {.hidden = 8},
         .batch = 4,
         .steps = 40,
         .optimizer_options = {.learning_rate = 0.02},
         .record = 0});
  const json test = data_of(report_html({.runs = {run},
                                         .beam = 2,
                                         .data = {.pairs = pairs},
                                         .metrics = "chrf,ter"}))["runs"][0]["test"];
  CHECK(test["data"] == "'" + pairs + "'");
  CHECK(test["metrics"][0]["name"] == "chrF2");
  REQUIRE(test["sentences"].size() == 2);
  const Run loaded = load_run(run);
  std::size_t cells = 0;
  std::vector<int> expected;
  for (const json& sentence : test["sentences"]) {
    CHECK(sentence["scores"].size() == 2);
    const std::string source = sentence["source_text"];
    const std::vector<std::vector<int>> ids = {loaded.source.encode(source)};
    const Hypothesis found = answer(loaded, ids, {}, {.beam = 2}).front();
    CHECK(sentence["output"] == loaded.target.decode(found.tokens));
    CHECK(sentence["target"].size() == found.tokens.size());
    cells += found.tokens.size() * source.size();
    for (const float weight : found.weights)
      expected.push_back(static_cast<int>(std::lround(255 * std::clamp(weight, 0.F, 1.F))));
  }
  CHECK(test["sentences"][1]["references"] == json({"ba", "x"}));
  CHECK(from_base64(test["weights"]) == expected);
  CHECK(expected.size() == cells);

  CHECK_THAT(fault_of({.runs = {run}, .data = {.pairs = pairs}, .metrics = "beauty"}),
             contains("beauty"));
  CHECK_THAT(fault_of({.runs = {run}, .data = {.pairs = folder.path("none")}}), contains("none"));
}

TEST_CASE("a report of what is not a run is an error") {
  const TemporaryFolder folder;
  CHECK_THAT(fault_of({}), contains("no run"));
  CHECK_THAT(fault_of({.runs = {folder.path("none")}}), contains("none"));
  CHECK_THAT(fault_of({.runs = {folder.path("none")}, .beam = 0}), contains("beam is 0"));
  CHECK_THROWS_WITH(load_recording(folder.path("none")), contains("cannot read the recordings"));
  const std::string path = folder.path("run");
  train(small(path));
  folder.write("run/metrics.jsonl", "{\"step\":1,\"loss\":2}\n{\"st");
  CHECK_THAT(fault_of({.runs = {path}}), contains("metrics.jsonl:2: this is no line"));
}
