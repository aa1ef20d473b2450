#include "attune/train/run_config.h"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>
#include <variant>
#include <vector>

#include "attune/data/files.h"
#include "attune/data/tasks.h"
#include "attune/data/utf8.h"
#include "attune/models/seq2seq.h"

namespace attune {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kFormat = "attune seq2seq run 1";

// The keys of a model: its vocabularies, and the options that its kind of model has.
std::vector<Field> keys_of(EncoderDecoderOptions& model) {
  constexpr Range kFrom1 = {.low = 1, .high = std::numeric_limits<int>::max()};
  std::vector<Field> keys = {
      {.name = "source_vocabulary", .value = &model.source_vocabulary, .range = kFrom1},
      {.name = "target_vocabulary", .value = &model.target_vocabulary, .range = kFrom1},
  };
  for (Field& field : fields(model))
    if (field.name != "model" && applies(field, model)) keys.push_back(std::move(field));
  return keys;
}

std::vector<Field> keys_of(RunConfig& config) {
  std::vector<std::string> tasks = task_names();
  tasks.emplace_back();  // empty: trained on a file
  return {
      {.name = "task", .value = &config.task, .choices = tasks, .takes_arguments = true},
      {.name = "min_length", .value = &config.min_length, .range = {.low = 1}},
      {.name = "max_length", .value = &config.max_length, .range = {.low = 1}},
      {.name = "max_source_length", .value = &config.max_source_length, .is_recent = true},
      {.name = "max_target_length", .value = &config.max_target_length, .range = {.low = 1}},
      {.name = "kind", .value = &config.model.model, .choices = model_names(), .is_recent = true},
  };
}

Json value_of(const Field& field) {
  if (field.text().empty() && !field.is_text()) return {};
  return std::visit(
      [](const auto* member) {
        if constexpr (requires { member->value(); })
          return Json(member->value());
        else
          return Json(*member);
      },
      field.value);
}

// Recent options come last, and only if they differ from their defaults, so that the fingerprints
// of models saved by earlier versions do not change.
Json to_json(EncoderDecoderOptions model) {
  Json json;
  model = with_defaults(model);
  EncoderDecoderOptions earlier = with_defaults(EncoderDecoderOptions{.model = model.model});
  const std::vector<Field> keys = keys_of(model), defaults = fields(earlier);
  for (const Field& field : keys)
    if (!field.is_recent) json[field.name] = value_of(field);
  for (const Field& field : keys)
    if (field.is_recent && field.text() != find_field(defaults, field.name)->text())
      json[field.name] = value_of(field);
  return json;
}

std::string shown_value(const Json& value) {
  return utf8::shortened(value.dump(-1, ' ', false, Json::error_handler_t::replace), 40);
}

// An object in config.json, with its name for messages.
struct Object {
  const Json& json;
  const std::string& path;
  std::string name;

  std::string full(const std::string& key) const {
    return fmt::format("\"{}{}\"", name.empty() ? "" : name + ".", key);
  }
};

// Whether the value has the type of the field. The JSON library itself would convert 2.9 to 2, and
// 4294967297 to 1.
bool is_of_type(const Json& value, const Field& field) {
  if (field.is_flag()) return value.is_boolean();
  if (field.is_text()) return value.is_string();
  return field.is_whole_number() ? value.is_number_integer() : value.is_number();
}

// Errors: a value is missing, of the wrong type or out of its range; a key that is in neither list.
void read_object(const Object& object, const std::vector<Field>& fields,
                 const std::vector<std::string>& others) {
  const auto& [json, path, name] = object;
  ATTUNE_CHECK(json.is_object(), "'{}' is damaged: {} is {}; expected an object", path, name,
               shown_value(json));
  for (const Field& field : fields) {
    const auto found = json.find(field.name);
    if (found == json.end()) {
      ATTUNE_CHECK(field.is_recent, "'{}' is damaged: {} is missing", path,
                   object.full(field.name));
      continue;
    }
    const bool fits = is_of_type(*found, field) &&
                      field.read(field.is_text() ? found->get<std::string>() : found->dump());
    ATTUNE_CHECK(fits, "'{}' is damaged: {} is {}; expected {}", path, object.full(field.name),
                 shown_value(*found), field.expected());
  }
  for (const auto& [key, unused] : json.items())
    ATTUNE_CHECK(find_field(fields, key) != nullptr ||
                     std::find(others.begin(), others.end(), key) != others.end(),
                 "'{}' is damaged: {} is not a key of it", path, object.full(key));
}

Json training_json(TrainOptions options, const std::vector<std::string>& chosen) {
  Json json;
  options = with_defaults(options);
  const std::vector<Field> model = fields(options.model);
  for (const Field& field : fields(options))
    if (field.decides && find_field(model, field.name) == nullptr)
      json[field.name] = value_of(field);
  json["flags"] = chosen;
  return json;
}

}  // namespace

std::string config_json(RunConfig config, const TrainOptions& options,
                        const std::vector<std::string>& chosen) {
  Json json = {{"format", kFormat}};
  for (const Field& field : keys_of(config)) json[field.name] = value_of(field);
  json["model"] = to_json(config.model);
  json["training"] = training_json(options, chosen);
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
    RunConfig config;
    // "training" is only a record of the options.
    read_object({json, path, ""}, keys_of(config), {"format", "model", "training"});
    ATTUNE_CHECK(json.contains("model"), "'{}' is damaged: \"model\" is missing", path);
    const Json& model = json.at("model");
    for (const Field& field : fields(config.model))  // these decide which other keys there are
      if (field.name == "encoder" || field.name == "decoder")
        field.read(model.is_object() ? model.value(field.name, "") : "");
    read_object({model, path, "model"}, keys_of(config.model), {});
    return config;
  } catch (const nlohmann::json::exception& error) {
    fail("'{}' is damaged: {}", path, error.what());
  }
}

std::vector<std::string> recorded_options(const std::string& path) {
  const Json json = Json::parse(read_file(path), nullptr, /*allow_exceptions=*/false);
  try {
    return json.at("training").at("flags").get<std::vector<std::string>>();
  } catch (const nlohmann::json::exception&) {
    fail("'{}' does not say which options the training was begun with", path);
  }
}

std::string options_text(const std::vector<std::string>& chosen) {
  return Json(chosen).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::vector<std::string> options_from(const std::string& text) {
  return Json::parse(text).get<std::vector<std::string>>();
}

bool is_config(const std::string& path) {
  if (!std::filesystem::exists(path)) return false;
  const Json json = Json::parse(read_file(path), nullptr, /*allow_exceptions=*/false);
  return json.is_object() && json.value("format", Json()) == Json(kFormat);
}

}  // namespace attune
