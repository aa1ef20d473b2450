#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>

#include "attune/autograd/array/random.h"
#include "attune/data/all.h"
#include "attune/optim/all.h"
#include "attune/train/all.h"
#include "model.h"

namespace language_model {

using namespace attune;

namespace {

constexpr std::int64_t kLooks = 20;         // measurements during a training
constexpr std::size_t kLookTokens = 16384;  // of the text to measure progress on, in each
constexpr auto kSaveEvery = std::chrono::minutes(1);
constexpr const char* kValid = "valid";  // the checkpoint's text with fingerprint_of(valid_)
constexpr const char *kCheckpoint = "checkpoint.safetensors", *kModel = "model.safetensors",
                     *kMetrics = "metrics.jsonl";

// The text to learn, and the one to measure progress on.
struct Texts {
  Text learnt, valid;
};

Texts read_texts(const TrainCommand& options) {
  Texts texts{read_text(options.data), {}};
  if (!options.valid.empty()) {
    texts.valid = read_text(options.valid);
    return texts;
  }
  std::vector<std::string>& lines = texts.learnt.lines;
  std::size_t bytes = 0, taken = 0;
  for (const std::string& line : lines) bytes += line.size();
  std::size_t first = lines.size();
  while (first > 0 && static_cast<double>(taken) < options.valid_share * static_cast<double>(bytes))
    taken += lines[--first].size();
  ATTUNE_CHECK(first > 0,
               "{} is too short to measure progress on its last lines; give another text as {}",
               name_of_input(options.data), option_name("valid"));
  texts.valid.lines.assign(lines.begin() + static_cast<std::ptrdiff_t>(first), lines.end());
  lines.resize(first);
  return texts;
}

class Training {
 public:
  explicit Training(TrainCommand options);
  int run();

 private:
  void begin();
  void resume();
  void take_step();
  void look();
  void save();
  void save_model() const;
  int end(bool stopped);

  TrainCommand options_;
  Texts texts_;
  LanguageModel run_;
  std::vector<int> learnt_, valid_;  // the tokens of the texts
  TextWindows windows_;
  std::unique_ptr<Optimizer> optimizer_;
  std::unique_ptr<Schedule> schedule_;

  std::int64_t step_ = 0;
  RunningMean losses_;  // since the last look()
  BestScore score_;
  ParameterCopy best_, last_good_;
  TrainingState state_;
  std::int64_t metrics_bytes_ = 0;
  std::optional<FileLock> lock_;
  std::optional<MetricsLog> metrics_;
  std::optional<Progress> progress_;
};

Vocabulary vocabulary_of(const TrainCommand& options, const Text& text) {
  return Vocabulary::build({.kind = tokens_named(options.tokens),
                            .form = {},
                            .min_count = static_cast<std::size_t>(options.least_count()),
                            .max_tokens = {},
                            .subwords = {}},
                           text.lines);
}

Training::Training(TrainCommand options)
    : options_(std::move(options)),
      texts_(read_texts(options_)),
      run_(make_language_model(options_, vocabulary_of(options_, texts_.learnt))),
      learnt_(texts_.learnt.encode(run_.tokens)),
      valid_(texts_.valid.encode(run_.tokens)),
      windows_(learnt_, options_.context, options_.training.batch, options_.training.seed),
      optimizer_(make_optimizer(options_.training.optimizer, run_.model->parameters(),
                                options_.training.optimizer_options)),
      schedule_(make_schedule(options_.training.schedule,
                              {.total_steps = options_.training.steps,
                               .warmup_steps = options_.training.warmup_steps(),
                               .patience = 1})),
      best_(*run_.model),
      last_good_(*run_.model) {
  ATTUNE_CHECK(!valid_.empty(), "{}: there are no words in it", option_name("valid"));
  state_.texts = {{kValid, fmt::format("{}", fingerprint_of(valid_))}};
  state_.add("model", *run_.model);
  state_.add("optimizer", *optimizer_);
  state_.add("schedule", *schedule_);
  state_.add("windows", windows_);
  state_.add("random", generator());
  state_.add("step", step_);
  state_.add("losses", losses_);
  state_.add("score", score_);
  state_.add("best", best_);
  state_.add("last_good", last_good_);
  state_.add("metrics_bytes", metrics_bytes_);
}

void Training::begin() {
  namespace fs = std::filesystem;
  const std::string& folder = run_.folder;
  const bool has_run = fs::exists(run_.file("config.toml"));
  ATTUNE_CHECK(!fs::exists(folder) || has_run || (fs::is_directory(folder) && fs::is_empty(folder)),
               "{}: '{}' is not a run folder and not empty; name another", option_name("run"),
               folder);
  std::error_code error;
  fs::create_directories(folder, error);
  ATTUNE_CHECK(!error, "{}: cannot write '{}': {}", option_name("run"), folder, error.message());
  lock_.emplace(run_.file(".lock"));
  ATTUNE_CHECK(lock_->held(), "{}: another training writes to '{}'; name another folder",
               option_name("run"), folder);
  if (options_.training.resume) return resume();
  fs::remove(run_.file(kCheckpoint));  // of an earlier run
  metrics_.emplace(run_.file(kMetrics), 0);
  save_description(run_);
  save();  // so that a full disk is found now rather than after an hour
}

void Training::resume() {
  const std::string checkpoint = run_.file(kCheckpoint);
  ATTUNE_CHECK(std::filesystem::exists(checkpoint),
               "{}: '{}' has no training to resume; it is finished, or was never begun",
               option_name("resume"), run_.folder);
  ATTUNE_CHECK(TrainingState::texts_of(checkpoint)[kValid] == state_.texts[kValid],
               "{}: {} is another text than at the start of the training", option_name("resume"),
               option_name(options_.valid.empty() ? "data" : "valid"));
  state_.load(checkpoint);
  metrics_.emplace(run_.file(kMetrics), metrics_bytes_);
}

int Training::run() {
  const StopSignal stop;
  begin();
  tell("{} to learn, {} to measure on: {} and {} tokens of {} kinds\n{} parameters\n",
       name_of_input(options_.data),
       options_.valid.empty() ? "its end" : name_of_input(options_.valid), learnt_.size(),
       valid_.size(), run_.tokens.size(), run_.model->parameter_count());
  const std::int64_t steps = options_.training.steps;
  const std::int64_t look_every = std::max<std::int64_t>(1, steps / kLooks);
  auto saved = std::chrono::steady_clock::now();
  progress_.emplace("training", steps, step_);
  while (step_ < steps && !stop.received()) {
    take_step();
    if (step_ % look_every == 0 || step_ == steps) look();
    const auto now = std::chrono::steady_clock::now();
    const std::optional<std::int64_t> every = options_.training.save_every;
    if (step_ < steps && (every ? step_ % *every == 0 : now - saved > kSaveEvery)) {
      save();
      saved = now;
    }
  }
  progress_->finish();
  return stop.received() && step_ < steps ? (end(true), 128 + stop.received()) : end(false);
}

void Training::take_step() {
  ++step_;
  const Batch batch = windows_.next();
  optimizer_->scale_learning_rate(schedule_->factor(step_ - 1));
  const StepResult result =
      train_step(*run_.model, batch, *optimizer_, last_good_, options_.training.step);
  if (!result.good()) {
    save_model();
    fail(
        "training: at step {} the loss is {}, and NaN or infinity shows first in {}; the model "
        "before is saved in '{}'; try a smaller {}",
        step_, result.loss, result.fault, run_.folder, option_name("learning_rate"));
  }
  progress_->step({.loss = result.loss, .accuracy = result.accuracy, .tokens = batch.tokens});
  losses_.add(result.loss);
}

void Training::look() {
  const double loss =
      fit(run_, std::span(valid_).first(std::min(valid_.size(), kLookTokens))).loss();
  metrics_->write({{"step", step_}, {"loss", losses_.mean()}, {"valid_loss", loss}});
  schedule_->observe(loss);
  losses_.reset();
  const bool is_best = score_.observe(loss);
  if (is_best) best_.take();
  progress_->print(fmt::format("step {}: validation loss {:.4f}, perplexity {:.4g}{}", step_, loss,
                               std::exp(loss), is_best ? ", the best so far" : ""));
}

void Training::save_model() const {
  if (!best_.taken()) return save_parameters(run_.file(kModel), *run_.model);
  save_safetensors(run_.file(kModel), {best_.state(), {}, /*digest=*/true});
}

void Training::save() {
  metrics_->sync();
  metrics_bytes_ = metrics_->bytes();
  state_.save(run_.file(kCheckpoint));
  save_model();
}

int Training::end(bool stopped) {
  if (stopped) {
    save();
    tell(
        "{}: stopped after step {} of {}; the model is saved in '{}', and {} continues the "
        "training\n",
        program_name(), step_, options_.training.steps, run_.folder, option_name("resume"));
    return 0;
  }
  metrics_->sync();
  best_.restore();
  save_model();
  std::filesystem::remove(run_.file(kCheckpoint));
  const Fit found = fit(run_, valid_);
  fmt::print("perplexity {:.4f} a token, {:.4f} bits a character ({} tokens)\nThe run is in {}\n",
             found.perplexity(), found.bits_per_character(texts_.valid), found.tokens,
             shown(run_.folder));
  return 0;
}

// The options of the run to resume, with what does not affect the result as it is given now.
TrainCommand resumed(TrainCommand given) {
  TrainCommand options = load_options(given.training.run);
  const std::vector<Field> before = fields(options), now = fields(given);
  for (const std::string& name : given.training.given) {
    const Field &old = *find_field(before, name), &field = *find_field(now, name);
    ATTUNE_CHECK(!field.decides || old.text() == field.text(),
                 "{}: the training was begun with {} {}; it cannot go on with {}",
                 option_name("resume"), option_name(name),
                 old.text().empty() ? "unset" : old.text(), field.text());
  }
  options.training.resume = true;
  options.training.threads = given.training.threads;
  options.training.save_every = given.training.save_every;
  return options;
}

}  // namespace

int run(TrainCommand command) {
  if (command.training.resume) command = resumed(std::move(command));
  set_threads(command.training.threads);
  return Training(std::move(command)).run();
}

}  // namespace language_model
