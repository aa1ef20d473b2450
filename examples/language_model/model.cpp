#include "model.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <numbers>
#include <utility>

#include "attune/autograd/scopes.h"
#include "attune/data/all.h"
#include "attune/metrics/perplexity.h"
#include "attune/train/checkpoint.h"

namespace language_model {

using namespace attune;

namespace {

constexpr const char *kOptions = "config.toml", *kTokens = "tokens.vocab",
                     *kModel = "model.safetensors";

std::string quoted(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

std::int64_t Text::characters() const {
  std::int64_t count = 0;
  for (const std::string& line : lines) count += std::ssize(utf8::characters(line));
  return count;
}

std::vector<int> Text::encode(const Vocabulary& vocabulary) const {
  std::vector<int> ids;
  for (const std::string& line : lines) {
    const std::vector<int> of_line = vocabulary.encode(line);
    ids.insert(ids.end(), of_line.begin(), of_line.end());
  }
  return ids;
}

Text read_text(const std::string& path) {
  Text text{read_text_lines(path, "data")};
  for (std::string& line : text.lines) line += '\n';
  return text;
}

LanguageModel make_language_model(const TrainCommand& options, Vocabulary tokens) {
  EncoderDecoderOptions model = options.training.model;
  model.target_vocabulary = tokens.size();
  model.attention = "none";  // of a recurrent decoder: there is no source
  model.bidirectional = false;
  if (model.positions == "learned")
    model.positions += fmt::format(":longest={}", options.context + 1);
  seed(options.training.seed);
  return {options.training.run, options, std::move(tokens),
          std::make_shared<Seq2Seq>(make_decoder(model.decoder_name(), model, 0))};
}

void save_description(const LanguageModel& run) {
  TrainCommand options = run.options;
  std::string text = "# the options of this run\n";
  for (const Field& field : fields(options)) {
    if (!field.decides || !applies(field, options.training.model)) continue;
    if (field.is_text())
      text += fmt::format("{} = {}\n", field.name, quoted(field.text()));
    else if (!field.text().empty())
      text += fmt::format("{} = {}\n", field.name, field.text());
  }
  write_file_atomically(run.file(kOptions), text);
  run.tokens.save(run.file(kTokens));
}

TrainCommand load_options(const std::string& folder) {
  ATTUNE_CHECK(std::filesystem::is_directory(folder),
               "there is no run folder '{0}'; a training with {1} {0} writes one", folder,
               option_name("run"));
  TrainCommand options;
  const std::vector<Field> known = fields(options);
  for (const Setting& line : read_settings(folder + "/" + kOptions, {}, "language_model")) {
    const Field* field = find_field(known, line.key);
    ATTUNE_CHECK(field != nullptr && field->read(line.value), "{}: {} = {} is not an option",
                 line.where, line.key, line.value);
  }
  options.training.run = folder;
  check(options);
  return options;
}

LanguageModel load_language_model(const std::string& folder) {
  const TrainCommand options = load_options(folder);
  LanguageModel run = make_language_model(options, Vocabulary::load(folder + "/" + kTokens));
  load_parameters(run.file(kModel), *run.model);
  return run;
}

double Fit::perplexity() const { return attune::perplexity(-nats, static_cast<double>(tokens)); }

double Fit::bits_per_character(const Text& text) const {
  return nats / std::numbers::ln2 / static_cast<double>(text.characters());
}

Fit fit(const LanguageModel& run, std::span<const int> text) {
  constexpr int kWindows = 32;  // at the same time
  const NoGrad no_grad;
  const Eval eval;
  Fit total;
  for (const Batch& batch : overlapping_windows(text, run.options.context, kWindows)) {
    total.nats += run.model->loss(batch).item() * static_cast<double>(batch.tokens);
    total.tokens += batch.tokens;
  }
  return total;
}

}  // namespace language_model
