#include "attune/train/run_config.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>
#include <vector>

#include "attune/data/files.h"
#include "attune/layers/all.h"

namespace attune {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kFormat = "attune seq2seq run 1";

Json to_json(const EncoderDecoderOptions& model) {
  if (model.model == "transformer")
    return {
        {"source_vocabulary", model.source_vocabulary},
        {"target_vocabulary", model.target_vocabulary},
        {"layers", model.layers},
        {"embedding", model.embedding},
        {"heads", model.head_count()},
        {"feed_forward", model.feed_forward},
        {"dropout", model.dropout},
    };
  Json json = {
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
  // What runs of earlier times do not have stands there only where it is not what they were.
  const EncoderDecoderOptions earlier;
  if (model.normalizer != earlier.normalizer) json["normalizer"] = model.normalizer;
  if (model.embedding_residual != earlier.embedding_residual)
    json["embedding_residual"] = model.embedding_residual;
  if (model.head_count() != earlier.head_count()) json["heads"] = model.head_count();
  return json;
}

// Takes the values out of an object of config.json. A value is what it says, or an error that
// names its key: JSON's library would make 2 of 2.9, and 1 of 4294967297.
class Reader {
 public:
  Reader(const Json& object, std::string path, std::string name)
      : object_(object), path_(std::move(path)), name_(std::move(name)) {
    ATTUNE_CHECK(object.is_object(), "'{}' is damaged: {} is {}; expected an object", path_,
                 name_.empty() ? "it" : name_, shown(object));
  }

  bool has(const std::string& key) const { return object_.contains(key); }

  const Json& value(const std::string& key) {
    ATTUNE_CHECK(has(key), "'{}' is damaged: {} is missing", path_, full(key));
    taken_.insert(key);
    return object_.at(key);
  }
  int whole_number(const std::string& key, int smallest) {
    const Json& number = value(key);
    // Those beyond int64 are unsigned, and none of theirs is an int.
    const bool fits = number.is_number_integer() &&
                      (!number.is_number_unsigned() ||
                       number.get<std::uint64_t>() <= std::numeric_limits<int>::max()) &&
                      number.get<std::int64_t>() >= smallest &&
                      number.get<std::int64_t>() <= std::numeric_limits<int>::max();
    if (!fits)
      wrong(key,
            fmt::format("a whole number from {} to {}", smallest, std::numeric_limits<int>::max()));
    return number.get<int>();
  }
  double share_below_1(const std::string& key) {
    const Json& number = value(key);
    if (!number.is_number() || !(number.get<double>() >= 0) || !(number.get<double>() < 1))
      wrong(key, "a number from 0 to below 1");
    return number.get<double>();
  }
  bool flag(const std::string& key) {
    if (!value(key).is_boolean()) wrong(key, "true or false");
    return value(key).get<bool>();
  }
  std::string text(const std::string& key) {
    if (!value(key).is_string()) wrong(key, "text");
    return value(key).get<std::string>();
  }
  std::string one_of(const std::string& key, const std::vector<std::string>& names) {
    const std::string name = text(key);
    if (std::find(names.begin(), names.end(), name) == names.end())
      wrong(key, fmt::format("one of {}", fmt::join(names, ", ")));
    return name;
  }
  // Errors: a key that nobody has asked for.
  void finish() const {
    for (const auto& [key, unused] : object_.items())
      ATTUNE_CHECK(taken_.contains(key), "'{}' is damaged: {} is no key of it", path_, full(key));
  }

 private:
  [[noreturn]] void wrong(const std::string& key, const std::string& expected) const {
    fail("'{}' is damaged: {} is {}; expected {}", path_, full(key), shown(object_.at(key)),
         expected);
  }
  std::string full(const std::string& key) const {
    return fmt::format("\"{}{}\"", name_.empty() ? "" : name_ + ".", key);
  }
  static std::string shown(const Json& value) {
    return utf8::shortened(value.dump(-1, ' ', false, Json::error_handler_t::replace), 40);
  }

  const Json& object_;
  std::string path_, name_;
  std::set<std::string> taken_;
};

EncoderDecoderOptions model_from(const std::string& kind, Reader json) {
  EncoderDecoderOptions model{
      .model = kind,
      .source_vocabulary = json.whole_number("source_vocabulary", 1),
      .target_vocabulary = json.whole_number("target_vocabulary", 1),
      .layers = json.whole_number("layers", 1),
      .embedding = json.whole_number("embedding", 1),
      .dropout = json.share_below_1("dropout"),
  };
  if (kind == "transformer") {
    model.heads = json.whole_number("heads", 1);
    model.feed_forward = json.whole_number("feed_forward", 1);
  } else {
    std::vector<std::string> attentions = score_names();
    attentions.emplace_back("none");
    model.cell = json.one_of("cell", cell_names());
    model.attention = json.one_of("attention", attentions);
    model.bidirectional = json.flag("bidirectional");
    if (json.has("normalizer")) model.normalizer = json.one_of("normalizer", normalizer_names());
    if (json.has("embedding_residual")) model.embedding_residual = json.flag("embedding_residual");
    if (json.has("heads")) model.heads = json.whole_number("heads", 1);
    model.hidden = json.whole_number("hidden", 1);
  }
  json.finish();
  return model;
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
      {"learning_rate", options.learning_rate},
      {"schedule", options.schedule},
      {"warmup", options.warmup_steps()},
      {"clip_norm", options.step.clip_norm},
      {"teacher_forcing", options.step.teacher_forcing},
      {"label_smoothing", options.step.label_smoothing},
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

std::string model_json(const EncoderDecoderOptions& model) { return to_json(model).dump(); }

RunConfig read_config(const std::string& path) {
  const std::string text = read_file(path);
  try {
    const Json json = Json::parse(text);
    ATTUNE_CHECK(json.is_object() && json.value("format", Json()) == Json(kFormat),
                 "'{}' is not the config.json of a run; expected \"format\": \"{}\"", path,
                 kFormat);
    Reader reader(json, path, "");
    reader.value("format");
    std::vector<std::string> task_names = {""};  // none: it learnt from a file
    for (const std::string& name : attune::task_names()) task_names.push_back(name);
    RunConfig config{
        .task = reader.one_of("task", task_names),
        .min_length = reader.whole_number("min_length", 1),
        .max_length = reader.whole_number("max_length", 1),
        .max_target_length = reader.whole_number("max_target_length", 1),
        .model = {},
    };
    // Runs of earlier times do not have these two.
    if (reader.has("max_source_length"))
      config.max_source_length = reader.whole_number("max_source_length", 0);
    const std::string kind =
        reader.has("kind") ? reader.one_of("kind", model_names()) : "recurrent";
    config.model = model_from(kind, Reader(reader.value("model"), path, "model"));
    if (reader.has("training")) reader.value("training");  // a record, which nothing depends on
    reader.finish();
    return config;
  } catch (const nlohmann::json::exception& error) {
    fail("'{}' is damaged: {}", path, error.what());
  }
}

std::vector<std::string> recorded_flags(const std::string& path) {
  const Json json = Json::parse(read_file(path), nullptr, /*allow_exceptions=*/false);
  try {
    return json.at("training").at("flags").get<std::vector<std::string>>();
  } catch (const nlohmann::json::exception&) {
    fail("'{}' does not say which flags the training was begun with", path);
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
  const Json json = Json::parse(read_file(path), nullptr, /*allow_exceptions=*/false);
  return json.is_object() && json.value("format", Json()) == Json(kFormat);
}

}  // namespace attune
