#include "attune/train/training.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

#include "attune/alignment/all.h"
#include "attune/autograd/all.h"
#include "attune/data/all.h"
#include "attune/optim/all.h"
#include "attune/train/all.h"

namespace attune {
namespace {

// The number of times that a training validates, or reports its loss to the schedule.
constexpr std::int64_t kLooks = 20;
constexpr std::int64_t kLogLines = 1000;  // approximate number of lines in metrics.jsonl
// With on_nan "skip": the number of skipped updates in a row after which training is aborted, and
// the number of skipped updates that are reported one by one.
constexpr std::int64_t kMostSkippedInARow = 100, kSkippedShown = 10;

// The texts of a checkpoint.
constexpr const char* kChosen = "flags";           // chosen_options()
constexpr const char* kRun = "run";                // fingerprint()
constexpr const char* kValidation = "validation";  // Validation::fingerprint()
constexpr const char* kFinished = "finished";      // "yes" once there is nothing left to do

// Leaves out the sign of a NaN, which is meaningless.
std::string text_of(double loss) { return std::isnan(loss) ? "NaN" : fmt::format("{}", loss); }

Run make_run(const TrainOptions& options, const TrainingData& data) {
  RunConfig config{.task = options.data.is_task() ? options.data.task : "",
                   .min_length = options.data.min_length,
                   .max_length = options.data.source_limit(),
                   .max_source_length = data.max_source_length,
                   .max_target_length = data.max_target_length,
                   .model = with_defaults(options.model)};
  config.model.source_vocabulary = data.source.size();
  config.model.target_vocabulary = data.target.size();
  config.model.copied_as = data.source.ids_in(data.target);
  ATTUNE_CHECK(
      config.model.tied_embeddings != "all" || data.source == data.target,
      "{}: all needs the same tokens in sources and targets, but these differ; use {}, or target",
      option_name("tied_embeddings"), option_name("joint_vocabulary"));
  seed(options.seed);
  return {options.run, config, data.source, data.target, make_model(config.model)};
}

// An interrupted training that can be resumed.
struct Unfinished {
  std::unique_ptr<TrainingFolder> folder;  // locked
  std::string checkpoint;                  // the newest
};

// The loss of a batch in evaluation mode.
double loss_of(const Seq2Seq& model, const Batch& batch) {
  const NoGrad no_grad;
  const Eval eval;
  return model.loss(batch).item();
}

// Draws the attention of the trained model for one source into the run folder. Returns the heat map
// for standard output.
std::string draw_alignment(const Run& run, const std::string& sample) {
  if (!run.config.model.has_attention()) return "";
  const std::vector<std::vector<int>> sources = {
      encode_source(run, sample, std::numeric_limits<int>::max())};
  const Hypothesis found = answer(run, sources).front();
  const Alignment alignment = alignment_of(run, sources.front(), found, sample);
  const std::string title = alignment_title(sample, marked_text(run, found, sample));
  write_file_atomically(run.file("alignment.svg"), to_svg(alignment, title));
  return fmt::format(
      "\n{}\n{}\n", title,
      to_terminal(alignment, terminal_color(stdout), size_of_terminal(stdout).columns));
}

// Decides when to write a checkpoint: every given number of steps, or about once a minute.
class SavingTimes {
 public:
  explicit SavingTimes(std::optional<std::int64_t> every) : every_(every) {}
  bool due(std::int64_t step) {
    if (every_) return step % *every_ == 0;
    const auto now = std::chrono::steady_clock::now();
    if (now - last_ < std::chrono::minutes(1)) return false;
    last_ = now;
    return true;
  }

 private:
  std::optional<std::int64_t> every_;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

// The state of a training, and the parts of its loop, in the order in which they run.
class Training {
 public:
  Training(const TrainOptions& options, std::optional<Unfinished> resumed);

  TrainingEnd run() {
    begin();
    while (!finished_ && step_ < options_.steps && !stop_->received()) {
      take_step();
      if (recorder_->is_due(step_) || is_last()) recorder_->record(run_, step_);
      if (step_ % look_every_ == 0 || is_last()) look();
      if (!is_last() && !finished_ && times_->due(step_)) try_to_save();
    }
    progress_->finish();
    if (!finished_ && step_ < options_.steps) return stopped();
    return end();
  }

 private:
  bool is_last() const { return step_ == options_.steps; }
  NamedArrays model_to_keep() const;

  std::vector<Question> questions_to_show(std::int64_t count) const;
  void list_parts();
  void resume(const std::string& checkpoint);
  void begin();
  void take_step();
  void refuse_update(double loss, const std::string& fault);
  [[noreturn]] void give_up(double loss, const std::string& fault);
  void look();
  void save();
  bool try_to_save();
  [[noreturn]] void cannot_save(const std::string& when) const;
  TrainingEnd stopped();
  void finish();
  TrainingEnd end();

  TrainOptions options_;
  std::vector<std::string> chosen_;
  TrainingData data_;
  Run run_;
  std::unique_ptr<Optimizer> optimizer_;
  std::unique_ptr<Schedule> schedule_;
  std::unique_ptr<ParameterAverage> average_;  // null: none
  std::optional<Validation> validation_;
  std::optional<TrainingRecorder> recorder_;
  std::int64_t look_every_, log_every_;

  // Everything that changes from step to step.
  std::int64_t step_ = 0, skipped_ = 0, skipped_in_a_row_ = 0;
  RunningMean losses_;  // since the last look()
  BestScore score_;
  ParameterCopy best_, last_good_;
  TrainingLogs logs_;
  TrainingState state_;
  bool finished_ = false;

  std::optional<StopSignal> stop_;
  std::unique_ptr<TrainingFolder> folder_;
  std::optional<SavingTimes> times_;
  std::string failed_;  // why the last save failed; empty if it did not
  std::optional<LiveView> live_;
  std::optional<Progress> progress_;
};

Training::Training(const TrainOptions& options, std::optional<Unfinished> resumed)
    : options_(options),
      chosen_(chosen_options(options)),
      data_(load_training_data(options)),
      run_(make_run(options, data_)),
      best_(*run_.model),
      last_good_(*run_.model) {
  if (options_.epochs)
    options_.steps = std::max<std::int64_t>(
        1, *options_.epochs * data_.batches.batches_per_epoch() / options_.accumulate);
  options_.warmup = options_.warmup_steps();
  options_.optimizer_options.learning_rate = options_.learning_rate();
  look_every_ =
      options_.validate_every.value_or(std::max<std::int64_t>(1, options_.steps / kLooks));
  log_every_ = std::max<std::int64_t>(1, options_.steps / kLogLines);
  optimizer_ =
      make_optimizer(options_.optimizer, run_.model->parameters(), options_.optimizer_options);
  schedule_ = make_schedule(
      options_.schedule,
      {.total_steps = options_.steps, .warmup_steps = options_.warmup_steps(), .patience = 1});
  if (options_.average) average_ = make_last_average(*run_.model, *options_.average);
  if (options_.ema) average_ = make_exponential_average(*run_.model, *options_.ema);
  if (options_.data.validates()) validation_.emplace(run_, options_);
  recorder_.emplace(run_, questions_to_show(options_.record));
  list_parts();

  stop_.emplace();
  folder_ = resumed ? std::move(resumed->folder) : TrainingFolder::for_new(options_.run);
  run_.folder = folder_->path();
  logs_.set_folder(run_.folder);
  if (options_.tensorboard) logs_.request_events();
  if (resumed) {
    resume(resumed->checkpoint);
  } else {
    state_.texts = {{kChosen, options_text(chosen_)},
                    {kRun, fingerprint(run_)},
                    {kValidation, validation_ ? validation_->fingerprint() : ""}};
    logs_.begin();
  }
}

// Questions whose attention is shown; none if there is none.
std::vector<Question> Training::questions_to_show(std::int64_t count) const {
  if (!run_.config.model.has_attention() || count == 0) return {};
  if (validation_) return questions_to_record(validation_->questions(), count);
  if (options_.data.is_task())
    return questions_to_record(
        make_questions(run_, Split::valid, kConsideredQuestions, options_.seed,
                       options_.data.min_length, options_.data.limit()),
        count);
  return questions_to_record(questions_of(BatchStream(data_.batches).next()), count);
}

void Training::list_parts() {
  state_.add("model", *run_.model);
  state_.add("optimizer", *optimizer_);
  state_.add("schedule", *schedule_);
  state_.add("batches", data_.batches);
  state_.add("random", generator());
  state_.add("step", step_);
  state_.add("skipped", skipped_);
  state_.add("skipped_in_a_row", skipped_in_a_row_);
  state_.add("losses", losses_);
  state_.add("score", score_);
  state_.add("best", best_);
  state_.add("last_good", last_good_);
  if (average_) state_.add("average", *average_);
  state_.add("logs", logs_);
}

// The parameters of the model that is saved for use.
NamedArrays Training::model_to_keep() const {
  if (best_.taken()) return best_.state();
  NamedArrays average = average_ ? average_->values() : NamedArrays();
  return average.empty() ? run_.model->values() : average;
}

// Restores the newest checkpoint. Errors: it is damaged; the data have changed since the start of
// the training.
void Training::resume(const std::string& checkpoint) {
  const auto saved = TrainingState::texts_of(checkpoint);
  const auto text = [&](const char* name) {
    const auto found = saved.find(name);
    return found == saved.end() ? std::string() : found->second;
  };
  ATTUNE_CHECK(
      text(kRun) == fingerprint(run_),
      "{}: the vocabularies of {} differ from those at the start of the training; was the file "
      "changed?",
      option_name("resume"), option_name("data"));
  ATTUNE_CHECK(text(kValidation) == (validation_ ? validation_->fingerprint() : ""),
               "{}: the pairs of {} differ from those at the start of the training; was the file "
               "changed?",
               option_name("resume"), option_name("valid"));
  state_.load(checkpoint);
  finished_ = text(kFinished) == "yes";
}

void Training::begin() {
  save();  // so that a full disk is found now rather than after an hour
  folder_->keep();
  tell("{}", summary_of(options_, run_, data_, step_));
  if (logs_.has_events() && validation_ && run_.config.model.has_attention() && !has_cairo())
    warn(
        "{}: there are no pictures of the alignment in the events, since this program was built "
        "without cairo and pango (libcairo2-dev and libpango1.0-dev on Debian)",
        option_name("tensorboard"));
  times_.emplace(options_.save_every);
  progress_.emplace("training", options_.steps, step_);
  if (!options_.live) return;
  constexpr std::int64_t kPairs = 4;  // of which the first that fits is shown
  live_.emplace(run_, questions_to_show(kPairs));
  progress_->show_below([this](TerminalSize room) { return live_->lines(room); });
}

void Training::take_step() {
  ++step_;
  std::vector<Batch> batches;
  std::int64_t tokens = 0;
  for (int i = 0; i < options_.accumulate; ++i) {
    batches.push_back(data_.batches.next());
    Indices& sources = batches.back().source.ids;
    if (data_.rare_sources) sources = data_.rare_sources->replace(sources, generator());
    tokens += batches.back().tokens;
  }
  optimizer_->scale_learning_rate(schedule_->factor(step_ - 1));
  StepOptions options = options_.step;
  if (step_ < options_.coverage_loss_from) options.coverage_loss = 0;
  const StepResult result = train_step(*run_.model, batches, *optimizer_, last_good_, options);
  if (!result.good()) refuse_update(result.loss, result.fault);

  if (live_) live_->add_loss(result.loss);
  progress_->step({.loss = result.loss, .accuracy = result.accuracy, .tokens = tokens});
  logs_.count(tokens);
  if (!result.good()) return;
  if (average_) average_->after_step();
  skipped_in_a_row_ = 0;
  losses_.add(result.loss);
  if (step_ % log_every_ == 0 || is_last()) logs_.step(step_, result, optimizer_->learning_rate());
}

// Skips an update, or ends the training, depending on on_nan.
void Training::refuse_update(double loss, const std::string& fault) {
  ++skipped_;
  if (options_.on_nan == "stop" || ++skipped_in_a_row_ > kMostSkippedInARow) give_up(loss, fault);
  logs_.skipped(step_, skipped_);
  if (skipped_ <= kSkippedShown)
    progress_->print(
        fmt::format("step {}: skipped: the loss is {}, and NaN or infinity shows first in {}",
                    step_, text_of(loss), fault));
}

// Saves the best or the last good parameters, and ends the training with an error.
void Training::give_up(double loss, const std::string& fault) {
  std::string saved = fmt::format("the {} model before is saved in '{}'",
                                  best_.taken() ? "best" : "last good", run_.folder);
  try {
    logs_.save();
    save_model(run_, model_to_keep());
  } catch (const Error& error) {
    saved = fmt::format("the model before cannot be saved: {}", error.what());
  }
  fail(
      "training: at step {} the loss is {}, and NaN or infinity shows first in {}; {}; try a "
      "smaller {} or {}, or {} skip",
      step_, text_of(loss), fault, saved, option_name("learning_rate"), option_name("clip_norm"),
      option_name("on_nan"));
}

// Validates the model, keeps it if it is the best so far, and reports the loss to the schedule.
void Training::look() {
  double observed = losses_.mean();
  losses_.reset();
  if (average_) average_->before_validation();
  if (validation_) {
    const AverageScope averaged(*run_.model, average_.get());
    const Validation::Result result = (*validation_)(run_);
    observed = result.loss;
    const bool is_best = score_.observe(result.cost);
    if (is_best) best_.take();
    logs_.validation(step_, result);
    progress_->print(
        fmt::format("step {}: {}{}", step_, result.text(), is_best ? ", the best so far" : ""));
    finished_ = options_.patience && score_.without_progress() >= *options_.patience;
  }
  schedule_->observe(observed);
}

// Saves a checkpoint, and the model, so that it can be used during the training.
void Training::save() {
  folder_->make_sure();
  if (!is_described(run_)) save_description(run_, options_, chosen_);
  logs_.save();
  recorder_->save(run_.folder);
  state_.save(folder_->checkpoint(step_));
  save_model(run_, model_to_keep());
  folder_->remove_checkpoints(options_.kept_checkpoints());
}

// The same, but an error, such as a full disk, is only reported once and does not end the training.
bool Training::try_to_save() {
  try {
    save();
    if (!failed_.empty()) progress_->print(fmt::format("step {}: saved again", step_));
    failed_.clear();
  } catch (const std::exception& error) {
    if (failed_.empty())
      progress_->print(fmt::format(
          "{}: warning: at step {} the training cannot be saved: {}; it continues and tries again",
          program_name(), step_, error.what()));
    failed_ = error.what();
  }
  return failed_.empty();
}

void Training::cannot_save(const std::string& when) const {
  const std::vector<std::string> checkpoints = folder_->checkpoints();
  fail("{}, but cannot be saved: {}; {}", when, failed_,
       checkpoints.empty() ? "there is no checkpoint"
                           : fmt::format("'{}' is complete, and {} continues from it",
                                         checkpoints.front(), option_name("resume")));
}

TrainingEnd Training::stopped() {
  if (!try_to_save()) cannot_save(fmt::format("the training was stopped at step {}", step_));
  tell(
      "{}: stopped by a signal after step {} of {}; the model is saved in '{}', and {} continues "
      "the training\n",
      program_name(), step_, options_.steps, run_.folder, option_name("resume"));
  return {.signal = stop_->received(), .folder = run_.folder};
}

// Saves the result. Errors: no parameters are worth keeping.
void Training::finish() {
  ATTUNE_CHECK(skipped_ < step_,
               "training: every step was skipped, so nothing was learnt; try a smaller {}",
               option_name("learning_rate"));
  ATTUNE_CHECK(!validation_ || best_.taken(),
               "training: the loss on {} was never a finite number; try a smaller {} or {}",
               option_name("valid"), option_name("learning_rate"), option_name("clip_norm"));
  // The effect of the last update has not been checked by a loss yet.
  const double loss = validation_ ? 0 : loss_of(*run_.model, BatchStream(data_.batches).next());
  if (!std::isfinite(loss)) {
    const std::string fault = first_fault(*run_.model);
    last_good_.restore();
    refuse_update(loss, fault);
  }
  recorder_->record(run_, step_);
  state_.texts[kFinished] = "yes";
  if (!try_to_save()) cannot_save("the training is at its end");
}

TrainingEnd Training::end() {
  const bool was_finished = state_.texts[kFinished] == "yes";
  if (!was_finished) finish();
  if (skipped_ > 0)
    tell("{}: skipped {} of {} updates, which gave NaN or infinity\n", program_name(), skipped_,
         step_);
  if (step_ < options_.steps)
    tell("{}: stopped after step {} of {}: {} validations in a row without improvement\n",
         program_name(), step_, options_.steps, score_.without_progress());
  std::string heat_map = draw_alignment(load_run(run_.folder), data_.sample);
  folder_->replace_older();
  if (!options_.keep) folder_->remove_checkpoints(0);
  return {.was_finished = was_finished, .folder = folder_->path(), .heat_map = std::move(heat_map)};
}

// The interrupted training in the run folder `run`; nullopt if the training is finished. Errors:
// there is neither; as TrainingFolder::for_resuming().
std::optional<Unfinished> find_unfinished(const std::string& run) {
  std::unique_ptr<TrainingFolder> folder = TrainingFolder::for_resuming(run);
  const std::vector<std::string> checkpoints = folder->checkpoints();
  if (!checkpoints.empty()) return Unfinished{std::move(folder), checkpoints.front()};
  ATTUNE_CHECK(is_whole_run(run),
               "{0}: '{1}' has no checkpoint to resume from; leave {0} out to begin a training",
               option_name("resume"), run);
  return {};
}

// The options with which the training of a checkpoint began.
std::vector<std::string> chosen_for(const std::string& checkpoint) {
  const auto texts = TrainingState::texts_of(checkpoint);
  const auto chosen = texts.find(kChosen);
  ATTUNE_CHECK(chosen != texts.end(), "{}: '{}' is the checkpoint of another program",
               option_name("resume"), checkpoint);
  return options_from(chosen->second);
}

TrainingEnd resume(const TrainOptions& given) {
  std::optional<Unfinished> unfinished = find_unfinished(given.run);
  if (unfinished) {
    const TrainOptions options = options_for_resuming(given, chosen_for(unfinished->checkpoint));
    return Training(options, std::move(unfinished)).run();
  }
  if (!chosen_options(given).empty())
    options_for_resuming(given, recorded_options(run_file(given.run, "config.json")));
  return {.was_finished = true};
}

}  // namespace

TrainingEnd train(const TrainOptions& options) {
  check(options);
  set_threads(options.threads);
  return options.resume ? resume(options) : Training(options, {}).run();
}

}  // namespace attune
