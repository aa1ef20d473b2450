#include <algorithm>
#include <cstddef>
#include <utility>

#include "attune/autograd/array/text.h"
#include "attune/data/messages.h"
#include "attune/data/tasks.h"
#include "attune/layers/attention/attention_score.h"
#include "attune/layers/attention/head_mixer.h"
#include "attune/layers/attention/positional_encoding.h"
#include "attune/layers/attention/sequence_mixer.h"
#include "attune/metrics/text_metric.h"
#include "attune/train/train_options.h"
#include "attune/train/validation.h"

namespace attune {
namespace {

// The options that were given explicitly or differ from their defaults.
class Chosen {
 public:
  explicit Chosen(const TrainOptions& options) : options_(options) {
    TrainOptions defaults;
    const std::vector<Field> without = fields(defaults);
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      const std::string& name = fields_[i].name;
      const auto& given = options_.given;
      if (std::find(given.begin(), given.end(), name) != given.end() ||
          fields_[i].text() != without[i].text())
        chosen_.push_back(fields_[i]);
    }
  }
  Chosen(const Chosen&) = delete;  // its fields point into its options
  Chosen& operator=(const Chosen&) = delete;

  bool has(std::string_view name) const { return find_field(chosen_, name) != nullptr; }
  bool has_or_stands_for(std::string_view name) const {
    return std::any_of(chosen_.begin(), chosen_.end(), [&](const Field& field) {
      return field.name == name || field.stands_for == name;
    });
  }
  auto begin() const { return chosen_.begin(); }
  auto end() const { return chosen_.end(); }

 private:
  TrainOptions options_;
  std::vector<Field> fields_ = fields(options_), chosen_;
};

template <typename... Args>
[[noreturn]] void fail_option(std::string_view name, fmt::format_string<Args...> text,
                              Args&&... args) {
  throw OptionError(option_name(name) + ": " + fmt::format(text, std::forward<Args>(args)...));
}

void check_pairs(const Chosen& chosen) {
  for (const Field& field : chosen) {
    if (!field.needs.empty() && !chosen.has_or_stands_for(field.needs))
      fail_option(field.name, "it needs {}", option_name(field.needs));
    for (const std::string& other : field.excludes)
      if (chosen.has(other)) fail_option(field.name, "it excludes {}", option_name(other));
  }
}

// The task. Errors: an option that it does not have, or lengths that its sources cannot have.
Task task_of(const DataOptions& data) {
  Task task;
  try {
    task = make_task(data.task);
  } catch (const Error& error) {
    fail_option("task", "{}", error.what());
  }
  if (data.limit() < task.min_length || data.limit() > task.max_length)
    fail_option("max_length", "{}: sources of the task '{}' have {} to {} letters", data.limit(),
                data.task, task.min_length, task.max_length);
  return task;
}

// Errors: several files are standard input.
void check_standard_input(const DataOptions& data) {
  std::string first;
  for (const auto& [name, path] : {std::pair{"data", &data.file},
                                   {"source", &data.source},
                                   {"target", &data.target},
                                   {"valid", &data.valid},
                                   {"valid_source", &data.valid_source},
                                   {"valid_target", &data.valid_target}}) {
    if (*path != "-") continue;
    if (!first.empty()) fail_option(name, "standard input is {} already", option_name(first));
    first = name;
  }
}

void check_vocabularies(const DataOptions& data, const Chosen& chosen) {
  const bool has_subwords = data.source_tokens == "subwords" || data.target_tokens == "subwords";
  const bool has_others = data.source_tokens != "subwords" || data.target_tokens != "subwords";
  for (const char* name : {"vocabulary", "subword_model"})
    if (chosen.has(name) && !has_subwords)
      fail_option(name, "it is for subwords; use {} or {} subwords", option_name("source_tokens"),
                  option_name("target_tokens"));
  if (data.subword_dropout > 0 && (!has_subwords || data.subword_model != "bpe"))
    fail_option("subword_dropout", "it leaves out merges, which only subwords of {} bpe have",
                option_name("subword_model"));
  for (const char* name : {"min_count", "max_vocabulary"})
    if (chosen.has(name) && !has_others)
      fail_option(name, "it is for chars and words; {} sets the number of subwords",
                  option_name("vocabulary"));
  if (data.joint_vocabulary && data.source_tokens != data.target_tokens)
    fail_option("joint_vocabulary", "sources are cut into {} and targets into {}; cut both alike",
                data.source_tokens, data.target_tokens);
}

void check_data(const TrainOptions& options, const Chosen& chosen) {
  const DataOptions& data = options.data;
  check_standard_input(data);
  if (data.is_task() && !data.valid_source.empty())
    fail_option("valid_source", "it needs {}", option_name("source"));
  if (!data.is_task() && data.valid_pairs().empty() && data.valid_count)
    fail_option("valid_count", "it needs {}", option_name("valid"));
  check_vocabularies(data, chosen);
  if (data.subword_dropout > 0 && copies_tokens(options.model))
    fail_option("subword_dropout", "{} {} copies tokens as they are in the source",
                option_name("output_layer"), options.model.output_layer);
  if (data.is_task() && options.epochs)
    fail_option("epochs", "the examples of a task never come twice, so it has no epochs; use {}",
                option_name("steps"));
  if (data.is_task() && data.min_length > data.limit())
    throw OptionError(fmt::format("{} {} is more than {} {}", option_name("min_length"),
                                  data.min_length, option_name("max_length"), data.limit()));
  if (data.is_task()) task_of(data);
}

// Makes the positions of an option, and uses them for the last position that a sequence may have.
void check_positions(const TrainOptions& options, const std::string& option,
                     const std::string& name) {
  const EncoderDecoderOptions& model = options.model;
  const DataOptions& data = options.data;
  const int longest_target = data.target_limit() * (data.is_task() ? task_of(data).expansion : 1);
  const int last = std::max(data.source_limit() - 1, longest_target);
  const GeneratorScope draws{Generator()};
  const NoGrad no_grad;
  try {
    const auto positions =
        make_positional_encoding(name, {.features = model.embedding_size(),
                                        .heads = score_heads(model.head_mixer, model.head_count()),
                                        .arguments = {}});
    (*positions)(Tensor(Array::zeros({1, 1, model.embedding_size()})), last);
    ATTUNE_CHECK(model.sequence_mixer == "attention" || !positions->acts_in_attention(),
                 "{} act on scores, which {} {} does not have; use sinusoidal, learned or none",
                 name, option_name("sequence_mixer"), model.sequence_mixer);
  } catch (const Error& error) {
    fail_option(option, "{}", error.what());
  }
}

// What a recurrent decoder does with its attention.
void check_attention(const EncoderDecoderOptions& model) {
  if (model.decoder_name() != "recurrent") return;
  if (model.input_feeding && model.query != "current")
    fail_option("input_feeding",
                "it needs {} current; with {}, the context is part of the input anyway",
                option_name("query"), model.query);
  if (model.has_attention()) return;
  if (model.query != "previous")
    fail_option("query", "{} is none, so there is nothing to query", option_name("attention"));
  if (model.output_layer != "linear")
    fail_option("output_layer", "'{}' reads the weights of attention, but {} is none",
                model.output_layer, option_name("attention"));
}

// Whether a score adds to the loss by itself.
bool has_penalty(const std::string& score, const EncoderDecoderOptions& model) {
  const GeneratorScope draws{Generator()};
  const std::int64_t size = model.state_size();
  const AttentionState before;
  const Tensor weights = Array::zeros({1, 1});
  return make_score(score, {.query_size = size, .key_size = size, .hidden = model.hidden})
      ->penalty(weights, before)
      .defined();
}

void check_coverage_loss(const EncoderDecoderOptions& model) {
  if (model.decoder_name() != "recurrent")
    fail_option("coverage_loss", "the decoder is {}, and only a recurrent one has this loss",
                model.decoder_name());
  if (!model.has_attention())
    fail_option("coverage_loss", "{} is none, so nothing is covered", option_name("attention"));
  if (has_penalty(model.attention, model))
    fail_option("coverage_loss",
                "{} {} has a coverage loss of its own already; use coverage:loss=0",
                option_name("attention"), model.attention);
}

void check_mixer(const EncoderDecoderOptions& model) {
  const GeneratorScope draws{Generator()};
  try {
    make_sequence_mixer(
        model.sequence_mixer,
        {.features = model.embedding_size(), .heads = model.head_count(), .arguments = {}});
  } catch (const Error& error) {
    fail_option("sequence_mixer", "{}", error.what());
  }
}

void check_model(const TrainOptions& options, const Chosen& chosen) {
  const EncoderDecoderOptions& model = options.model;
  for (const Field& field : chosen)
    if (!applies(field, model))
      fail_option(field.name, "a {} model has no such thing: {}", field.not_for,
                  with_option_names(field.instead));
  if (model.decoder_name() == "transformer" && options.step.teacher_forcing < 1)
    fail_option("teacher_forcing",
                "a transformer computes all positions of a target at once from the correct "
                "previous tokens; leave it at 1");
  const std::string& tied = model.tied_embeddings;
  if (tied != "none" &&
      (tied == "all" ? model.has_recurrent() : model.decoder_name() != "transformer"))
    fail_option("tied_embeddings", "only weights of a transformer can be one, for '{}' {}", tied,
                tied == "all" ? "of encoder and decoder" : "of the decoder");
  check_attention(model);
  if (options.step.coverage_loss > 0) check_coverage_loss(model);
  if (model.has_transformer()) {
    if (model.embedding_size() % model.head_count() != 0)
      fail_option("heads", "{} {} cannot be divided among {} heads; use a multiple",
                  option_name("embedding"), model.embedding_size(), model.head_count());
    if (model.head_count() % model.key_value_head_count() != 0)
      fail_option("key_value_heads",
                  "{} {} cannot share {} heads of keys and values; use a divisor",
                  option_name("heads"), model.head_count(), model.key_value_head_count());
    if (model.embedding_size() % score_heads(model.head_mixer, model.head_count()) != 0)
      fail_option("head_mixer", "{} {} cannot be divided among {} heads with two halves each",
                  option_name("embedding"), model.embedding_size(), model.head_count());
    check_mixer(model);
    check_positions(options, "positions", model.positions);
    if (!model.decoder_positions.empty()) {
      if (model.decoder_name() != "transformer")
        fail_option("decoder_positions", "the decoder is {}, and only a transformer has positions",
                    model.decoder_name());
      check_positions(options, "decoder_positions", model.decoder_positions);
    }
  }
  if (model.decoder_name() == "recurrent" && model.state_size() % model.head_count() != 0)
    fail_option("heads",
                "the decoder's states of size {}, which {} and {} make, cannot be divided among "
                "{} heads; use a multiple",
                model.state_size(), option_name("hidden"), option_name("bidirectional"),
                model.head_count());
}

TrainOptions begun_with(const std::vector<std::string>& chosen) {
  TrainOptions options;
  const std::vector<Field> all = fields(options);
  for (const std::string& text : chosen) {  // --name=value
    const std::size_t equals = std::min(text.find('='), text.size());
    const auto is_it = [&](const Field& field) {
      const std::string flag = text.substr(0, equals);
      return flag == flag_of(field.name) || (!field.alias.empty() && flag == flag_of(field.alias));
    };
    const auto field = std::find_if(all.begin(), all.end(), is_it);
    ATTUNE_CHECK(field != all.end() && equals < text.size() && field->read(text.substr(equals + 1)),
                 "{}: the training was begun with {}, which this version does not know",
                 option_name("resume"), text);
    options.given.push_back(field->name);
  }
  return options;
}

// All options that affect the result, except files, whose contents are compared after reading.
std::vector<std::string> deciding(const TrainOptions& options) {
  TrainOptions all = with_defaults(options);
  std::vector<std::string> texts;
  for (const Field& field : fields(all))
    if (field.decides)
      texts.push_back(field.content == "FILE" && !field.text().empty() ? "a file" : field.text());
  return texts;
}

bool makes_sense(const TrainOptions& options) {
  try {
    check(options);
    return true;
  } catch (const OptionError&) {
    return false;
  }
}

// "with --steps=20", "without --layers".
std::string with_or_without(const Field& field) {
  const std::string text = field.text();
  return text.empty() ? "without " + option_name(field.name)
                      : fmt::format("with {}={}", option_name(field.name), text);
}

}  // namespace

// Of a number of epochs, the steps are only known when the data has been read.
void check_warmup(const TrainOptions& options) {
  if (!options.epochs && options.warmup_steps() >= options.steps)
    fail_option("warmup", "{} steps are not fewer than the {} of {}", options.warmup_steps(),
                options.steps, option_name("steps"));
}

void check_best(const TrainOptions& options, const Chosen& chosen) {
  const std::vector<std::string> measures = validation_measures();
  if (!chosen.has("best")) return;
  if (!options.data.validates())
    fail_option("best", "it needs {}, or {} of a task", option_name("valid"),
                option_name("valid_count"));
  if (std::find(measures.begin(), measures.end(), options.best) != measures.end()) return;
  try {
    if (make_text_metric(options.best)->needs() == TextMetric::Needs::references) return;
  } catch (const Error& error) {
    fail_option("best", "it is neither {} nor a metric of texts: {}", joined(measures, ", "),
                error.what());
  }
  fail_option("best", "'{}' does not compare outputs with references", options.best);
}

void check(const TrainOptions& given) {
  TrainOptions options = given;
  check_values(fields(options));
  if (options.resume) return;  // combinations were checked when the training began
  const Chosen chosen(options);
  check_pairs(chosen);
  check_data(options, chosen);
  check_model(options, chosen);
  check_best(options, chosen);
  check_warmup(options);
}

std::vector<std::string> chosen_options(const TrainOptions& options) {
  std::vector<std::string> texts;
  for (const Field& field : Chosen(options))
    if (field.decides) texts.push_back(fmt::format("{}={}", flag_of(field.name), field.text()));
  return texts;
}

TrainOptions options_for_resuming(const TrainOptions& given,
                                  const std::vector<std::string>& chosen) {
  TrainOptions options = begun_with(chosen);
  options.run = given.run;
  options.threads = given.threads;
  options.save_every = given.save_every;
  options.keep = given.keep;
  options.record = given.record;
  options.live = given.live;
  options.tensorboard = given.tensorboard;
  options.data.token_files = given.data.token_files;
  const std::vector<std::string> before = deciding(options);
  const std::vector<Field> all = fields(options);
  for (const Field& field : Chosen(given)) {
    if (!field.decides) continue;
    const Field& member = *find_field(all, field.name);
    const std::string begun = with_or_without(member);
    options.given.push_back(field.name);
    member.set(field.text());
    ATTUNE_CHECK(deciding(options) == before && makes_sense(options),
                 "{0}: {1}={2} contradicts the training, which was begun {3}; leave it out, or {0} "
                 "to begin anew",
                 option_name("resume"), option_name(field.name), field.text(), begun);
  }
  options.resume = given.resume;
  return options;
}

}  // namespace attune
