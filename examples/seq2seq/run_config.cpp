#include "run_config.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "attune/train/files.h"

namespace seq2seq {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kFormat = "attune seq2seq run 1";

Json to_json(const attune::EncoderDecoderOptions& model) {
  if (model.model == "transformer")
    return {
        {"source_vocabulary", model.source_vocabulary},
        {"target_vocabulary", model.target_vocabulary},
        {"layers", model.layers},
        {"embedding", model.embedding},
        {"heads", model.heads},
        {"feed_forward", model.feed_forward},
        {"dropout", model.dropout},
    };
  return {
      {"source_vocabulary", model.source_vocabulary},
      {"target_vocabulary", model.target_vocabulary},
      {"cell", model.cell},
      {"attention", model.attention},
      {"bidirectional", model.bidirectional},
      {"layers", model.layers},
      {"embedding", model.embedding},
      {"hidden", model.hidden},
      {"dropout", model.dropout},
  };
}

attune::EncoderDecoderOptions model_from(const std::string& kind, const Json& json) {
  if (kind == "transformer")
    return {
        .model = kind,
        .source_vocabulary = json.at("source_vocabulary"),
        .target_vocabulary = json.at("target_vocabulary"),
        .layers = json.at("layers"),
        .embedding = json.at("embedding"),
        .dropout = json.at("dropout"),
        .heads = json.at("heads"),
        .feed_forward = json.at("feed_forward"),
    };
  return {
      .model = kind,
      .source_vocabulary = json.at("source_vocabulary"),
      .target_vocabulary = json.at("target_vocabulary"),
      .cell = json.at("cell"),
      .attention = json.at("attention"),
      .bidirectional = json.at("bidirectional"),
      .layers = json.at("layers"),
      .embedding = json.at("embedding"),
      .hidden = json.at("hidden"),
      .dropout = json.at("dropout"),
  };
}

Json training_json(const TrainOptions& options) {
  return {
      {"data", options.data},
      {"valid", options.valid},
      {"valid_count", options.valid_count ? Json(*options.valid_count) : Json()},
      {"max_source_length", options.source_limit()},
      {"max_target_length", options.target_limit()},
      {"too_long", options.too_long},
      {"batch", options.batch},
      {"steps", options.steps},
      {"optimizer", options.optimizer},
      {"learn_rate", options.learn_rate},
      {"schedule", options.schedule},
      {"warmup", options.warmup_steps()},
      {"clip_norm", options.clip_norm},
      {"teacher_forcing", options.teacher_forcing},
      {"label_smoothing", options.label_smoothing},
      {"on_nan", options.on_nan},
      {"seed", options.seed},
      {"flags", options.flags},
  };
}

}  // namespace

std::string config_json(const RunConfig& config, const TrainOptions& options) {
  const Json json = {
      {"format", kFormat},
      {"task", config.task},
      {"min_length", config.min_length},
      {"max_length", config.max_length},
      {"max_source_length", config.max_source_length},
      {"max_target_length", config.max_target_length},
      {"kind", config.model.model},
      {"model", to_json(config.model)},
      {"training", training_json(options)},
  };
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string model_json(const attune::EncoderDecoderOptions& model) { return to_json(model).dump(); }

RunConfig read_config(const std::string& path) {
  try {
    const Json json = Json::parse(attune::read_file(path));
    ATTUNE_CHECK(json.is_object() && json.value("format", "") == kFormat,
                 "'{}' is not the config.json of a run; expected \"format\": \"{}\"", path,
                 kFormat);
    const RunConfig config{
        .task = json.at("task"),
        .min_length = json.at("min_length"),
        .max_length = json.at("max_length"),
        .max_source_length = json.value("max_source_length", 0),
        .max_target_length = json.at("max_target_length"),
        // Runs of the time when there was one kind only do not name it.
        .model = model_from(json.value("kind", "recurrent"), json.at("model")),
    };
    if (!config.task.empty()) attune::task_named(config.task);
    return config;
  } catch (const nlohmann::json::exception& error) {
    attune::fail("'{}' is damaged: {}", path, error.what());
  }
}

std::vector<std::string> recorded_flags(const std::string& path) {
  const Json json = Json::parse(attune::read_file(path), nullptr, /*allow_exceptions=*/false);
  try {
    return json.at("training").at("flags").get<std::vector<std::string>>();
  } catch (const nlohmann::json::exception&) {
    attune::fail("'{}' does not say which flags the training was begun with", path);
  }
}

std::string flags_text(const std::vector<std::string>& flags) {
  return Json(flags).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::vector<std::string> flags_from(const std::string& text) {
  return Json::parse(text).get<std::vector<std::string>>();
}

bool is_config(const std::string& path) {
  if (!std::filesystem::exists(path)) return false;
  const Json json = Json::parse(attune::read_file(path), nullptr, /*allow_exceptions=*/false);
  return json.is_object() && json.value("format", Json()) == Json(kFormat);
}

}  // namespace seq2seq
