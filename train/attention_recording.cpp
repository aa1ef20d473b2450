#include "attune/train/attention_recording.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "attune/autograd/all.h"
#include "attune/layers/attention/attention_recorder.h"
#include "attune/train/run_folder.h"
#include "attune/train/safetensors.h"

namespace attune {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kName = "attention-", kNameEnd = ".safetensors";
constexpr std::size_t kLongestSource = 24;  // tokens, so that a heat map fits on a screen
// The texts of a recording.
constexpr const char *kStep = "step", *kPairs = "pairs";

Json json_of(const std::vector<Link>& links) {
  Json all = Json::array();
  for (const Link& link : links) all.push_back({link.source, link.target});
  return all;
}

std::vector<Link> links_from(const Json& json) {
  std::vector<Link> links;
  for (const Json& link : json) links.push_back({link.at(0), link.at(1)});
  return links;
}

Json json_of(const RecordedPair& pair) {
  Json json{{"source", pair.source}, {"target", pair.target}};
  if (pair.truth)
    json["truth"] = {{"sure", json_of(pair.truth->sure)},
                     {"possible", json_of(pair.truth->possible)}};
  return json;
}

RecordedPair pair_from(const Json& json) {
  RecordedPair pair{json.at("source"), json.at("target")};
  if (!json.contains("truth")) return pair;
  const Json& truth = json["truth"];
  pair.truth = {links_from(truth.at("sure")), links_from(truth.at("possible"))};
  check_positions(*pair.truth, pair.source.size(), pair.target.size());
  return pair;
}

std::optional<ReferenceAlignment> truth_of(const Question& question) {
  if (question.truth || question.alignments.empty()) return question.truth;
  return question.alignments.front();
}

// Entry `row` of the batch, [H, T, S] or [H, T], without padding.
Array without_padding(const Tensor& values, std::int64_t row, std::int64_t queries,
                      std::int64_t keys) {
  const Tensor of_row = slice(values[row], 1, 0, queries);
  return (of_row.rank() == 2 ? of_row : slice(of_row, 2, 0, keys)).value().clone();
}

bool is_finite(const RecordedStep& step) {
  for (const auto& pair : step.pairs)
    for (const RecordedArray& array : pair)
      if (!array.values.all_finite()) return false;
  return true;
}

// PAIR/ATTENTION/NAME
std::string key_of(std::size_t pair, const RecordedArray& array) {
  return fmt::format("{}/{}/{}", pair, array.attention, array.name);
}

// Errors: the array does not fit the pair.
RecordedArray array_from(std::string_view key, const Array& values,
                         const std::vector<RecordedPair>& pairs, std::size_t& pair) {
  const std::size_t first = key.find('/'), second = key.rfind('/');
  const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), pair);
  ATTUNE_CHECK(
      error == std::errc() && end == key.data() + first && first < second && pair < pairs.size(),
      "'{}' names no attention of its {} pairs", key, pairs.size());
  RecordedArray array{std::string(key.substr(first + 1, second - first - 1)),
                      std::string(key.substr(second + 1)), values};
  const RecordedPair& of = pairs[pair];
  const auto size = [&](bool is_source) {
    return static_cast<std::int64_t>(is_source ? of.source.size() : of.target.size());
  };
  const Shape& shape = values.shape();
  const std::int64_t queries = size(array.has_source_queries()),
                     keys = size(array.has_source_keys());
  ATTUNE_CHECK(values.dtype() == DType::f32 && (shape.rank() == 2 || shape.rank() == 3) &&
                   shape[1] == queries && (shape.rank() == 2 || shape[2] == keys),
               "'{}' has shape {}; expected [heads, {}, {}] for its pair", key, shape, queries,
               keys);
  return array;
}

// Reads one file. `pairs` are those of the files before; empty for the first.
RecordedStep read_step(const std::string& path, std::int64_t step,
                       std::vector<RecordedPair>& pairs) {
  const Safetensors content = load_safetensors(path);
  try {
    const auto text = [&](const char* name) {
      const auto found = content.metadata.find(name);
      ATTUNE_CHECK(found != content.metadata.end(), "it has no '{}'", name);
      return found->second;
    };
    ATTUNE_CHECK(text(kStep) == std::to_string(step), "it is of step {}", text(kStep));
    std::vector<RecordedPair> own;
    for (const Json& json : Json::parse(text(kPairs))) own.push_back(pair_from(json));
    if (pairs.empty()) pairs = own;
    ATTUNE_CHECK(own == pairs, "its pairs are not those of the other recordings in the folder");
    RecordedStep read{step, {}};
    read.pairs.resize(pairs.size());
    for (const auto& [key, values] : content.arrays) {
      std::size_t pair = 0;
      RecordedArray array = array_from(key, values, pairs, pair);
      read.pairs[pair].push_back(std::move(array));
    }
    return read;
  } catch (const Json::exception&) {
    fail("'{}' is no recording of attention: its pairs are not readable", path);
  } catch (const Error& error) {
    fail("'{}' is no recording of attention that can be used: {}", path, error.what());
  }
}

}  // namespace

bool RecordedArray::has_source_queries() const { return attention.starts_with("encoder."); }

bool RecordedArray::has_source_keys() const {
  return has_source_queries() || !attention.ends_with("self_attention");
}

std::string recording_file(std::int64_t step) {
  return fmt::format("{}{}{}", kName, step, kNameEnd);
}

std::optional<std::int64_t> step_of_recording(std::string_view name) {
  return step_of_file(name, kName, kNameEnd);
}

AttentionRecording load_recording(const std::string& folder) {
  std::vector<std::int64_t> steps;
  std::error_code error;
  std::filesystem::directory_iterator entries(folder, error);
  ATTUNE_CHECK(!error, "cannot read the recordings in '{}': {}", folder, error.message());
  for (const auto& entry : entries)
    if (const auto step = step_of_recording(entry.path().filename().string()))
      steps.push_back(*step);
  std::sort(steps.begin(), steps.end());
  AttentionRecording recording;
  for (const std::int64_t step : steps)
    recording.steps.push_back(
        read_step(folder + "/" + recording_file(step), step, recording.pairs));
  return recording;
}

TrainingRecorder::TrainingRecorder(const Run& run, std::span<const Question> questions) {
  Json pairs = Json::array();
  for (const Question& question : questions) {
    const Example example = example_of(question);
    Alignment tokens =
        alignment_of(run, example.source, {.tokens = example.target}, question.text.source);
    RecordedPair pair{std::move(tokens.source), std::move(tokens.target), truth_of(question)};
    pair.target.push_back(run.target.token(Vocabulary::end));
    pairs.push_back(json_of(pair));
    examples_.push_back(example);
  }
  pairs_ = pairs.dump();
}

bool TrainingRecorder::is_due(std::int64_t step) const {
  std::int64_t power = 1;
  while (power * 10 <= step) power *= 10;
  return step == power || step == 2 * power || step == 5 * power;
}

void TrainingRecorder::record(const Run& run, std::int64_t step) {
  if (step <= last_ || examples_.empty()) return;
  const NoGrad no_grad;
  const Eval eval;
  const GeneratorScope draws{Generator()};
  const AttentionRecorder recorder(*run.model);
  (*run.model)(make_batch(examples_));
  RecordedStep recorded{step, {}};
  recorded.pairs.resize(examples_.size());
  for (const RecordedAttention& attention : recorder.recorded()) {
    for (std::size_t i = 0; i < examples_.size(); ++i) {
      const auto add = [&](const std::string& name, const Tensor& values) {
        RecordedArray array{attention.name, name, {}};
        const auto source = static_cast<std::int64_t>(examples_[i].source.size());
        const auto target = static_cast<std::int64_t>(examples_[i].target.size()) + 1;
        array.values = without_padding(values, static_cast<std::int64_t>(i),
                                       array.has_source_queries() ? source : target,
                                       array.has_source_keys() ? source : target);
        recorded.pairs[i].push_back(std::move(array));
      };
      add("weights", attention.weights);
      for (const auto& [name, values] : attention.quantities) add(name, values);
    }
  }
  last_ = step;
  if (is_finite(recorded)) steps_.push_back(std::move(recorded));
}

void TrainingRecorder::save(const std::string& folder) {
  for (std::size_t k = 0; k < steps_.size(); ++k) {
    const RecordedStep& step = steps_[k];
    const std::string path = folder + "/" + recording_file(step.step);
    if (k < saved_ && std::filesystem::exists(path)) continue;
    Safetensors content{.arrays = {},
                        .metadata = {{kStep, std::to_string(step.step)}, {kPairs, pairs_}}};
    for (std::size_t i = 0; i < step.pairs.size(); ++i)
      for (const RecordedArray& array : step.pairs[i])
        content.arrays.emplace_back(key_of(i, array), array.values);
    save_safetensors(path, content);
  }
  saved_ = steps_.size();
}

std::vector<Question> questions_to_record(std::span<const Question> questions, std::int64_t count) {
  questions =
      questions.first(std::min(questions.size(), static_cast<std::size_t>(kConsideredQuestions)));
  std::vector<Question> chosen(questions.begin(), questions.end());
  const auto is_shown_well = [](const Question& question) {
    return question.source.size() <= kLongestSource;
  };
  std::stable_sort(chosen.begin(), chosen.end(), [&](const Question& a, const Question& b) {
    if (is_shown_well(a) != is_shown_well(b)) return is_shown_well(a);
    return is_shown_well(a) ? a.source.size() > b.source.size() : a.source.size() < b.source.size();
  });
  chosen.resize(std::min(chosen.size(), static_cast<std::size_t>(count)));
  return chosen;
}

std::vector<Question> questions_of(const Batch& batch) {
  const Indices lengths = target_lengths(batch);
  std::vector<Question> questions;
  for (std::int64_t row = 0; row < batch.sequences(); ++row) {
    const auto first = [&](const Indices& ids, std::int64_t count) {
      return ids.columns(row, 1).block(0, count).to_vector();
    };
    questions.push_back({.text = {},
                         .source = first(batch.source.ids, batch.source.lengths.at(row)),
                         .references = {first(batch.target_output, lengths.at(row) - 1)}});
  }
  return questions;
}

}  // namespace attune
