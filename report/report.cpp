#include "attune/report/report.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <sstream>
#include <string_view>

#include "attune/report/base64.h"
#include "attune/report/page.h"
#include "attune/report/tested_sentences.h"
#include "attune/train/all.h"

namespace attune {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kFormat = 1;  // of the data in the page

// The text of a value in config.json.
std::string text_of(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

// All options, [name, text]; those that are not set are left out.
Json options_of(const Json& config) {
  Json all = Json::array();
  for (const char* part : {"model", "training"}) {
    if (!config.contains(part)) continue;
    for (const auto& [name, value] : config[part].items())
      if (!value.is_null() && !value.is_structured() && text_of(value) != "")
        all.push_back({name, text_of(value)});
  }
  return all;
}

// A word of a command line, in quotes if a shell could take it for something else.
std::string shell_word(const std::string& word) {
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-_=./,:+@%").find(c) != std::string_view::npos;
  };
  if (!word.empty() && std::all_of(word.begin(), word.end(), is_plain)) return word;
  std::string quoted(1, '\'');
  for (const char c : word) c == '\'' ? quoted += "'\\''" : quoted += c;
  quoted += '\'';
  return quoted;
}

// The command that repeats a training.
std::string command_of(const Json& config, const std::string& folder) {
  std::string command = "seq2seq train";
  if (config.contains("training"))
    for (const Json& flag : config["training"].value("flags", Json::array()))
      command += fmt::format(" {}", shell_word(text_of(flag)));
  return fmt::format("{} --run {}", command, shell_word(folder));
}

// The numbers of metrics.jsonl by name: {"loss": [[steps], [values]], ...}.
Json series_of(const std::string& path) {
  Json series = Json::object();
  std::istringstream lines(read_file(path));
  std::string line;
  for (std::int64_t number = 1; std::getline(lines, line); ++number) {
    const Json entry = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    ATTUNE_CHECK(entry.is_object() && entry.contains("step"),
                 "{}: this is no line of a training's log", place_of(path, number));
    for (const auto& [name, value] : entry.items()) {
      if (name == "step") continue;
      Json& of = series[name];
      if (of.is_null()) of = {Json::array(), Json::array()};
      of[0].push_back(entry["step"]);
      of[1].push_back(value);
    }
  }
  return series;
}

Json examples_of(const AttentionRecording& recording) {
  Json all = Json::array();
  for (const RecordedPair& pair : recording.pairs) {
    Json truth;
    if (pair.truth) {
      truth = Json::array();
      for (const auto* links : {&pair.truth->sure, &pair.truth->possible})
        for (const Link& link : *links) truth.push_back({link.target, link.source});
    }
    all.push_back({{"source", pair.source}, {"target", pair.target}, {"truth", truth}});
  }
  return all;
}

bool is_weights(const RecordedArray& array) { return array.name == "weights"; }

// Descriptions of the weights that were recorded, in the order of `pair`, or of the quantities.
Json attentions_of(const std::vector<RecordedArray>& pair) {
  Json all = Json::array();
  for (const RecordedArray& array : pair)
    if (is_weights(array))
      all.push_back({{"name", array.attention},
                     {"heads", array.values.shape()[0]},
                     {"queries", array.has_source_queries() ? "source" : "target"},
                     {"keys", array.has_source_keys() ? "source" : "target"}});
  return all;
}

Json quantities_of(const std::vector<RecordedArray>& pair, const Json& attentions) {
  Json all = Json::array();
  for (const RecordedArray& array : pair) {
    if (is_weights(array)) continue;
    const auto attention =
        std::find_if(attentions.begin(), attentions.end(),
                     [&](const Json& each) { return each["name"] == array.attention; });
    all.push_back({{"attention", attention - attentions.begin()},
                   {"name", array.name},
                   {"shape", array.values.shape().rank() == 2 ? "query" : "query x key"}});
  }
  return all;
}

// Weights with 256 levels, a byte each.
void add_levels(const Array& weights, std::vector<std::uint8_t>& bytes) {
  for (const double weight : weights.to_vector<double>())
    bytes.push_back(static_cast<std::uint8_t>(std::lround(255 * std::clamp(weight, 0.0, 1.0))));
}

// Numbers as little-endian floats.
void add_floats(const Array& values, std::vector<std::uint8_t>& bytes) {
  for (const double value : values.to_vector<double>()) {
    const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(value));
    for (int shift = 0; shift < 32; shift += 8)
      bytes.push_back(static_cast<std::uint8_t>(bits >> shift));
  }
}

// Adds what was recorded: all weights in one text, in the order of step, example, attention, head,
// query and key; and one text for each quantity of a mechanism.
void add_recording(const AttentionRecording& recording, Json& run) {
  run["examples"] = examples_of(recording);
  run["recorded_steps"] = Json::array();
  run["attentions"] = run["quantities"] = Json::array();
  std::vector<std::uint8_t> weights;
  if (!recording.steps.empty() && !recording.pairs.empty()) {
    const std::vector<RecordedArray>& first = recording.steps.front().pairs.front();
    run["attentions"] = attentions_of(first);
    run["quantities"] = quantities_of(first, run["attentions"]);
    std::vector<std::vector<std::uint8_t>> quantities(run["quantities"].size());
    for (const RecordedStep& step : recording.steps) {
      run["recorded_steps"].push_back(step.step);
      for (const auto& pair : step.pairs) {
        const bool is_same =
            std::equal(pair.begin(), pair.end(), first.begin(), first.end(),
                       [](const RecordedArray& a, const RecordedArray& b) {
                         return a.attention == b.attention && a.name == b.name &&
                                a.values.shape().rank() == b.values.shape().rank() &&
                                a.values.shape()[0] == b.values.shape()[0];
                       });
        ATTUNE_CHECK(is_same, "the recordings of steps {} and {} are not of the same model",
                     recording.steps.front().step, step.step);
        std::size_t quantity = 0;
        for (const RecordedArray& array : pair) {
          if (is_weights(array))
            add_levels(array.values, weights);
          else
            add_floats(array.values, quantities[quantity++]);
        }
      }
    }
    for (std::size_t i = 0; i < quantities.size(); ++i)
      run["quantities"][i]["values"] = base64(quantities[i]);
  }
  run["weights"] = base64(weights);
}

// The best outputs for the source of each recorded pair.
Json hypotheses_of(const Run& run, const AttentionRecording& recording, int beam) {
  Json all = Json::array();
  for (const RecordedPair& pair : recording.pairs) {
    const std::string source = run.source.join(pair.source);
    SearchInput input;
    for (const std::string& token : pair.source) input.source.push_back(run.source.id(token));
    if (run.copies_tokens()) input.source = words_of(run, source).source();
    input.max_length = run.config.max_output_length(input.source.size());
    Json best = Json::array();
    const auto found_of = search(*run.model, std::span(&input, 1), {.beam = beam, .n_best = beam});
    for (const Hypothesis& found : found_of.front())
      best.push_back({{"text", marked_text(run, found, source)},
                      {"score", found.score},
                      {"log_probability", found.log_probability}});
    all.push_back({{"source", source}, {"best", std::move(best)}});
  }
  return all;
}

// The last step that was logged, and how many there were to be, if that was given in steps.
void add_progress(const Json& config, Json& run) {
  const Json steps = config.value("training", Json::object()).value("steps", Json());
  if (!steps.is_number() || !run["series"].contains("loss")) return;
  run["step"] = run["series"]["loss"][0].back();
  run["steps"] = steps;
  run["finished"] = run["step"] == steps;
}

Json describe(const std::string& folder, const ReportOptions& options) {
  const Run run = load_run(folder);
  const Json config = Json::parse(read_file(run_file(folder, "config.json")));
  const AttentionRecording recording = load_recording(folder);
  Json json{{"name", folder},
            {"command", command_of(config, folder)},
            {"config", options_of(config)},
            {"summary", Json::array({{"parameters", std::to_string(run.model->parameter_count())},
                                     {"source tokens", std::to_string(run.source.size())},
                                     {"target tokens", std::to_string(run.target.size())}})},
            {"series", series_of(run_file(folder, "metrics.jsonl"))}};
  add_progress(config, json);
  add_recording(recording, json);
  if (!options.data.empty()) json["test"] = Json::parse(tested_sentences_json(run, options));
  if (options.beam > 1) json["hypotheses"] = hypotheses_of(run, recording, options.beam);
  return json;
}

// Replaces the only occurrence of `what`.
void put(std::string& page, std::string_view what, std::string_view by) {
  const std::size_t at = page.find(what);
  ATTUNE_CHECK(at != std::string::npos, "report: the page has no {}", what);
  page.replace(at, what.size(), by);
}

}  // namespace

std::string report_html(const ReportOptions& options) {
  ATTUNE_CHECK(!options.runs.empty(), "report: no run; expected at least one");
  if (!options.data.empty()) make_text_metrics(options.metrics);  // before the work for it
  ATTUNE_CHECK(options.beam >= 1, "report: beam is {}; expected at least 1", options.beam);
  Json runs = Json::array();
  for (const std::string& folder : options.runs) runs.push_back(describe(folder, options));
  const Json data{{"version", kFormat}, {"runs", std::move(runs)}};
  std::string json;
  // Within a page, only < could end the element that holds the text.
  for (const char c : data.dump(-1, ' ', false, Json::error_handler_t::replace))
    c == '<' ? json += "\\u003c" : json += c;
  std::string page(page::html);
  put(page, "/*DATA*/", json);
  put(page, "/*SCRIPT*/", page::script);
  put(page, "/*STYLE*/", page::style);
  return page;
}

}  // namespace attune
