#include "options.h"

#include <span>
#include <string_view>

#include "attune/data/messages.h"
#include "attune/models/decoder.h"

namespace language_model {

using attune::Field;

namespace {

// Which of the library's options a language model has, in the order of the help.
constexpr std::string_view kModel[] = {
    "model",          "cell",       "layers",          "embedding",       "hidden",
    "dropout",        "heads",      "positions",       "feed_forward",    "activation",
    "norm",           "norm_layer", "residual",        "layer_norm",      "tied_embeddings",
    "sequence_mixer", "head_mixer", "key_value_heads", "gated_attention", "attention_dropout"};
constexpr std::string_view kTraining[] = {
    "batch",    "steps",    "optimizer", "learning_rate", "weight_decay",
    "momentum", "schedule", "warmup",    "clip_norm",     "label_smoothing",
    "seed",     "threads",  "save_every"};

void add(std::vector<Field>& fields, const std::vector<Field>& from,
         std::span<const std::string_view> names) {
  for (const std::string_view name : names) {
    const Field* field = attune::find_field(from, name);
    ATTUNE_CHECK(field != nullptr, "the library has no option '{}'", name);
    fields.push_back(*field);
    fields.back().excludes.clear();  // options of pairs, which this program lacks
    fields.back().needs.clear();
  }
}

}  // namespace

attune::TrainOptions TrainCommand::nanogpt() {
  attune::TrainOptions options;
  options.model = {.model = "transformer",
                   .bidirectional = false,
                   .layers = 4,
                   .embedding = 128,
                   .hidden = 256,
                   .heads = 4,
                   .positions = "learned",
                   .activation = "gelu",
                   .tied_embeddings = "target"};
  options.batch = 12;
  options.steps = 2000;
  options.optimizer = "adamw";
  options.optimizer_options = {.learning_rate = 1e-3, .weight_decay = 0.1};
  return options;
}

std::vector<Field> fields(TrainCommand& c) {
  std::vector<Field> list = {
      {.name = "run",
       .value = &c.training.run,
       .help = "the folder to write to",
       .content = "DIR",
       .required = true,
       .decides = false},
      {.name = "data",
       .value = &c.data,
       .help = "the text to learn, UTF-8; - reads standard input",
       .content = "FILE"},
      {.name = "valid",
       .value = &c.valid,
       .help = "a text to measure progress on; the best model on it is kept",
       .content = "FILE"},
      {.name = "valid_share",
       .value = &c.valid_share,
       .help = "without `valid`: the share of the text, at its end, to measure progress on instead "
               "of learning it",
       .range = {.low = 0, .high = 1, .above_low = true, .below_high = true}},
      {.name = "tokens",
       .value = &c.tokens,
       .help = "how to cut the text; words lose the white space between them",
       .choices = {"chars", "words"}},
      {.name = "min_count",
       .value = &c.min_count,
       .help = "rarer tokens are read as <unk>; default: 1, or 2 for words",
       .range = {.low = 1}},
      {.name = "context",
       .value = &c.context,
       .help = "tokens that the model sees at a time",
       .range = {.low = 2, .high = 1 << 20}},
  };
  add(list, attune::fields(c.training), kModel);
  for (Field& field : list) {
    if (field.name == "model")
      field.help =
          "what reads the tokens so far:\n  transformer  causal self-attention\n"
          "  recurrent    RNN, GRU or LSTM";
    if (field.name == "hidden") field.help = "units of each recurrent layer";
    if (field.name == "tied_embeddings") {
      field.help = "target: the output's weight is that of the embedding; none: it has its own";
      field.choices = {"none", "target"};
    }
  }
  add(list, attune::fields(c.training), kTraining);
  list.push_back({.name = "resume",
                  .value = &c.training.resume,
                  .help = "resume a training that was stopped or killed; its options are kept",
                  .decides = false});
  return list;
}

std::vector<Field> fields(TestCommand& c) {
  return {
      attune::trained_run_field(c.run),
      {.name = "data",
       .value = &c.data,
       .help = "the text to measure on, UTF-8; - reads standard input",
       .content = "FILE",
       .required = true},
      {.name = "json", .value = &c.json, .help = "print one JSON object"},
      attune::threads_field(c.threads),
  };
}

std::vector<Field> fields(SampleCommand& c) {
  return {
      attune::trained_run_field(c.run),
      {.name = "prompt", .value = &c.prompt, .help = "what each text begins with"},
      {.name = "length",
       .value = &c.length,
       .help = "tokens to write after the prompt",
       .range = {.low = 1}},
      {.name = "count", .value = &c.count, .help = "texts to write", .range = {.low = 1}},
      {.name = "temperature",
       .value = &c.sampling.temperature,
       .help = "divides the logits: below 1 for more probable texts, above 1 for more variety",
       .range = {.low = 0, .above_low = true}},
      {.name = "top_k",
       .value = &c.sampling.top_k,
       .help = "draw from the k most probable tokens only; 0: from all; 1: always the most "
               "probable",
       .range = {.low = 0}},
      {.name = "top_p",
       .value = &c.sampling.top_p,
       .help = "draw only from the most probable tokens: as few as have at least this probability "
               "together (nucleus sampling)",
       .range = {.low = 0, .high = 1, .above_low = true}},
      {.name = "seed", .value = &c.sampling.seed, .help = "which random texts"},
      attune::threads_field(c.threads),
  };
}

void check(TrainCommand c) {
  const std::vector<Field> all = fields(c);
  attune::check_values(all);
  for (const std::string& name : c.training.given) {
    const Field* field = attune::find_field(all, name);
    if (!attune::applies(*field, c.training.model))
      throw attune::OptionError(fmt::format("{}: a {} model has no such option: {}",
                                            attune::option_name(name), c.training.model.model,
                                            attune::with_option_names(field->instead)));
  }
  if (c.data.empty() && !c.training.resume)
    throw attune::OptionError(
        fmt::format("{} is missing: the text to learn", attune::option_name("data")));
}

}  // namespace language_model
