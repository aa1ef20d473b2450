#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "attune/attune.h"
#include "commands.h"
#include "flags.h"
#include "gradients.h"
#include "header.h"
#include "resume.h"
#include "run.h"
#include "run_config.h"
#include "terminal.h"
#include "training_data.h"
#include "training_folder.h"
#include "validation.h"

namespace seq2seq {
namespace {

// A training is looked at so many times: the validation set, or what a schedule observes.
constexpr std::int64_t kLooks = 20;
constexpr std::int64_t kLogLines = 1000;  // about as many lines in metrics.jsonl
// Of --on-nan skip: when it is no use any more, and how many are told of one by one.
constexpr std::int64_t kMostSkippedInARow = 100, kSkippedShown = 10;

Run make_run(const TrainOptions& options, const TrainingData& data) {
  RunConfig config{.task = options.data.empty() ? options.task : "",
                   .min_length = options.min_length,
                   .max_length = options.source_limit(),
                   .max_source_length = data.max_source_length,
                   .max_target_length = data.max_target_length,
                   .model = {.model = options.model,
                             .source_vocabulary = data.source.size(),
                             .target_vocabulary = data.target.size(),
                             .cell = options.cell,
                             .attention = options.attention,
                             .normalizer = options.normalizer,
                             .bidirectional = options.bidirectional,
                             .embedding_residual = options.embedding_residual,
                             .layers = options.layer_count(),
                             .embedding = options.embedding_size(),
                             .hidden = options.hidden,
                             .dropout = options.dropout,
                             .heads = options.head_count(),
                             .feed_forward = options.feed_forward_size()}};
  attune::seed(options.seed);
  return {options.run, config, data.source, data.target, attune::make_model(config.model)};
}

std::unique_ptr<attune::Schedule> make_schedule(const TrainOptions& options) {
  return attune::make_schedule(
      options.schedule,
      {.total_steps = options.steps, .warmup_steps = options.warmup_steps(), .patience = 1});
}

// metrics.jsonl, which equal trainings write equally, and speed.jsonl, which they do not. Lines
// that cannot be written wait, until save() finds out whether they still cannot.
class Logs {
 public:
  explicit Logs(const Run& run) : run_(run) {}

  /// Begins empty logs.
  void begin() { open(0, 0); }

  void step(std::int64_t step, double loss, double accuracy, double learning_rate, double norm) {
    write(*metrics_, {{"step", step},
                      {"loss", loss},
                      {"accuracy", accuracy},
                      {"learning_rate", learning_rate},
                      {"gradient_norm", norm}});
    write(*speed_, {{"step", step}, {"seconds", watch_.seconds()}, {"target_tokens", tokens_}});
  }
  void skipped(std::int64_t step, std::int64_t skipped) {
    write(*metrics_, {{"step", step}, {"skipped_steps", skipped}});
  }
  void validation(std::int64_t step, const Validation::Result& result) {
    write(*metrics_, {{"step", step},
                      {"valid_loss", result.loss},
                      {"valid_sequence_accuracy", result.scores.sequence_accuracy()},
                      {"valid_token_error_rate", result.scores.token_error_rate()}});
  }
  void count(std::int64_t tokens) { tokens_ += tokens; }

  /// Has all lines on the disk. Errors: they cannot be written.
  void save() {
    metrics_->sync();
    speed_->sync();
  }

  attune::NamedArrays state() const {
    const auto number = [](std::int64_t count) {
      return attune::number_array(static_cast<double>(count));
    };
    attune::NamedArrays state = watch_.state();
    state.emplace_back("metrics_bytes", number(metrics_->bytes()));
    state.emplace_back("speed_bytes", number(speed_->bytes()));
    state.emplace_back("tokens", number(tokens_));
    return state;
  }
  /// Cuts the logs back to what they were.
  void load_state(const attune::NamedArrays& state) {
    watch_.load_state(state);
    tokens_ = attune::count_in(state, "tokens");
    open(attune::count_in(state, "metrics_bytes"), attune::count_in(state, "speed_bytes"));
  }

 private:
  void open(std::int64_t metrics_bytes, std::int64_t speed_bytes) {
    metrics_.emplace(run_.file("metrics.jsonl"), metrics_bytes);
    speed_.emplace(run_.file("speed.jsonl"), speed_bytes);
  }
  static void write(attune::MetricsLog& log, const std::vector<attune::MetricsField>& fields) {
    try {
      log.write(fields);
    } catch (const attune::Error&) {  // the line waits
    }
  }

  const Run& run_;
  std::optional<attune::MetricsLog> metrics_, speed_;
  attune::Stopwatch watch_;
  std::int64_t tokens_ = 0;
};

std::string describe(std::int64_t step, const Validation::Result& result, bool best) {
  return fmt::format(
      "step {}: validation loss {:.4f}, sequences right {:.1f}%, token error rate {:.2f}%{}", step,
      result.loss, 100 * result.scores.sequence_accuracy(), 100 * result.scores.token_error_rate(),
      best ? ", the best so far" : "");
}

// Where the trouble shows first, in the order of the parameters: one with a value that is NaN or
// infinite, or else with such a gradient.
std::string culprit(const std::vector<attune::Param>& parameters) {
  for (const auto& [name, tensor] : parameters)
    if (!tensor.value().all_finite()) return fmt::format("the values of parameter '{}'", name);
  for (const auto& [name, tensor] : parameters)
    if (tensor.grad().defined() && !tensor.grad().all_finite())
      return fmt::format("the gradient of parameter '{}'", name);
  return "the loss itself";
}

// A NaN has a sign, which means nothing.
std::string text_of(double loss) { return std::isnan(loss) ? "NaN" : fmt::format("{}", loss); }

bool all_finite(const std::vector<attune::Param>& parameters) {
  return std::all_of(parameters.begin(), parameters.end(),
                     [](const attune::Param& param) { return param.value.value().all_finite(); });
}

// The loss of a batch as a trained model has it.
double loss_of(const attune::Seq2Seq& model, const attune::Batch& batch) {
  const attune::NoGrad no_grad;
  const attune::Eval eval;
  return model.loss(batch).item();
}

// Draws where the trained model looks for one source, into the run folder. Returns the picture for
// standard output.
std::string draw_alignment(const Run& run, const std::string& sample) {
  if (!run.config.model.has_attention()) return "";
  const std::vector<std::vector<int>> sources = {run.source.encode(sample)};
  const attune::Hypothesis found = answer(run, sources).front();
  const attune::Alignment alignment = alignment_of(run, sources.front(), found);
  const std::string title = attune::alignment_title(sample, marked_text(run, found));
  attune::write_file_atomically(run.file("alignment.svg"), attune::to_svg(alignment, title));
  return fmt::format("\n{}\n{}\n", title,
                     attune::to_terminal(alignment, terminal_color(), terminal_columns()));
}

// The texts of a checkpoint.
constexpr const char* kFlags = "flags";            // TrainOptions::flags
constexpr const char* kRun = "run";                // fingerprint()
constexpr const char* kValidation = "validation";  // Validation::fingerprint()
constexpr const char* kFinished = "finished";      // "yes" once there is nothing left to do

// Sets a training to its newest checkpoint. Errors: it is damaged; the data are others than when
// the training was begun.
void resume(const std::string& checkpoint, const Run& run,
            const std::optional<Validation>& validation, attune::TrainingState& state) {
  const auto saved = attune::TrainingState::texts_of(checkpoint);
  const auto text = [&](const char* name) {
    const auto found = saved.find(name);
    return found == saved.end() ? std::string() : found->second;
  };
  ATTUNE_CHECK(text(kRun) == fingerprint(run),
               "--resume: the vocabularies of --data are others than when the training was begun; "
               "was the file changed?");
  ATTUNE_CHECK(text(kValidation) == (validation ? validation->fingerprint() : ""),
               "--resume: the pairs of --valid are others than when the training was begun; was "
               "the file changed?");
  state.load(checkpoint);
}

// When to write a checkpoint: every so many steps, or about once a minute.
class SavingTimes {
 public:
  explicit SavingTimes(const TrainOptions& options) : every_(options.save_every) {}
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

// The folder and the options of a training that goes on; nothing if it is finished.
struct Resumed {
  std::unique_ptr<TrainingFolder> folder;
  TrainOptions options;
  std::string checkpoint;
};

std::optional<Resumed> find_resumable(const TrainOptions& given) {
  std::unique_ptr<TrainingFolder> folder = TrainingFolder::for_resuming(given.run);
  const std::vector<std::string> checkpoints = folder->checkpoints();
  if (!checkpoints.empty()) {
    const auto texts = attune::TrainingState::texts_of(checkpoints.front());
    const auto flags = texts.find(kFlags);
    ATTUNE_CHECK(flags != texts.end(), "--resume: '{}' is the checkpoint of another program",
                 checkpoints.front());
    TrainOptions options = options_for_resuming(given, flags_from(flags->second));
    return Resumed{std::move(folder), std::move(options), checkpoints.front()};
  }
  ATTUNE_CHECK(is_whole_run(given.run),
               "--resume: '{}' has no checkpoint to go on from; leave --resume out to begin a "
               "training",
               given.run);
  if (!given.flags.empty())
    options_for_resuming(given, recorded_flags(run_file(given.run, "config.json")));
  return {};
}

int already_finished(const std::string& folder) {
  fmt::print("The training in {} is finished; there is nothing to resume\n", shown(folder));
  return 0;
}

}  // namespace

int train(const TrainOptions& given) {
  attune::set_threads(given.threads);
  std::optional<Resumed> resumed;
  if (given.resume) resumed = find_resumable(given);
  if (given.resume && !resumed) return already_finished(given.run);
  TrainOptions options = resumed ? resumed->options : given;
  TrainingData data = load_training_data(options);
  if (options.epochs) options.steps = *options.epochs * data.batches.batches_per_epoch();

  Run run = make_run(options, data);
  attune::Seq2Seq& model = *run.model;
  const std::vector<attune::Param> parameters = model.parameters();
  const auto optimizer = attune::make_optimizer(options.optimizer, parameters,
                                                {.learning_rate = options.learning_rate});
  const auto schedule = make_schedule(options);
  const double max_norm =
      options.clip_norm > 0 ? options.clip_norm : std::numeric_limits<double>::infinity();
  std::optional<Validation> validation;
  if (!options.valid.empty()) validation.emplace(run, options);

  // All that changes from step to step.
  std::int64_t step = 0, skipped = 0, skipped_in_a_row = 0;
  attune::RunningMean losses;  // since the last look
  attune::BestScore score;
  attune::ParameterCopy best(model), last_good(model);
  Logs logs(run);
  attune::TrainingState state;
  state.add("model", model);
  state.add("optimizer", *optimizer);
  state.add("schedule", *schedule);
  state.add("batches", data.batches);
  state.add("random", attune::generator());
  state.add("step", step);
  state.add("skipped", skipped);
  state.add("skipped_in_a_row", skipped_in_a_row);
  state.add("losses", losses);
  state.add("score", score);
  state.add("best", best);
  state.add("last_good", last_good);
  state.add("logs", logs);

  const attune::StopSignal stop;
  const std::unique_ptr<TrainingFolder> folder =
      resumed ? std::move(resumed->folder) : TrainingFolder::for_new(options.run);
  run.folder = folder->path();
  if (resumed) {
    resume(resumed->checkpoint, run, validation, state);
  } else {
    state.texts = {{kFlags, flags_text(options.flags)},
                   {kRun, fingerprint(run)},
                   {kValidation, validation ? validation->fingerprint() : ""}};
    logs.begin();
  }
  const auto save = [&] {
    folder->make_sure();
    if (!is_described(run)) save_description(run, options);
    logs.save();
    state.save(folder->checkpoint(step));
    save_model(run, best.taken() ? best.state() : model.values());
    folder->remove_checkpoints(options.kept_checkpoints());
  };
  save();  // now, rather than after an hour, is the time to find the disk full
  folder->keep();

  tell("{}", header_of(options, run, data, step));
  attune::Progress progress("training", options.steps, step);
  SavingTimes times(options);
  std::string failed;  // why the last save did, if it did
  const auto try_to_save = [&] {
    try {
      save();
      if (!failed.empty()) progress.print(fmt::format("step {}: saved again", step));
      failed.clear();
    } catch (const std::exception& error) {
      if (failed.empty())
        progress.print(fmt::format(
            "seq2seq: warning: at step {} the training cannot be saved: {}; it goes on and tries "
            "again",
            step, error.what()));
      failed = error.what();
    }
    return failed.empty();
  };
  // Goes back to where all was well, and says where it was not.
  const auto give_up = [&](double loss, const std::string& where) {
    last_good.restore();
    std::string saved = fmt::format("the {} model before is saved in '{}'",
                                    best.taken() ? "best" : "last good", run.folder);
    try {
      logs.save();
      save_model(run, best.taken() ? best.state() : model.values());
    } catch (const attune::Error& error) {
      saved = fmt::format("the model before cannot be saved: {}", error.what());
    }
    attune::fail(
        "training: at step {} the loss is {}, and NaN or infinity shows first in {}; {}; try a "
        "smaller --learning-rate or --clip-norm, or --on-nan skip",
        step, text_of(loss), where, saved);
  };
  // Leaves an update out, or ends the training, as --on-nan says.
  const auto refuse_update = [&](double loss) {
    const std::string where = culprit(parameters);
    ++skipped;
    if (options.on_nan == "stop" || ++skipped_in_a_row > kMostSkippedInARow) give_up(loss, where);
    last_good.restore();
    logs.skipped(step, skipped);
    if (skipped <= kSkippedShown)
      progress.print(
          fmt::format("step {}: skipped: the loss is {}, and NaN or infinity shows first "
                      "in {}",
                      step, text_of(loss), where));
  };

  const std::int64_t look_every = std::max<std::int64_t>(1, options.steps / kLooks);
  const std::int64_t log_every = std::max<std::int64_t>(1, options.steps / kLogLines);
  bool finished = state.texts[kFinished] == "yes";
  const bool finished_before = finished;

  while (!finished && step < options.steps && !stop.received()) {
    ++step;
    const attune::Batch batch = data.batches.next();
    optimizer->zero_grad();
    const auto [loss, accuracy] = add_gradients(model, batch, options);
    if (std::isfinite(loss)) last_good.take();
    const double norm = attune::clip_grad_norm(parameters, max_norm);
    bool good = std::isfinite(loss) && std::isfinite(norm);
    if (good) {
      optimizer->scale_learning_rate(schedule->factor(step - 1));
      optimizer->step();
      good = all_finite(parameters);
    }
    if (!good) refuse_update(loss);

    const bool last = step == options.steps;
    progress.step({.loss = loss, .accuracy = accuracy, .tokens = batch.tokens});
    logs.count(batch.tokens);
    if (good) {
      skipped_in_a_row = 0;
      losses.add(loss);
      if (step % log_every == 0 || last)
        logs.step(step, loss, accuracy, optimizer->learning_rate(), norm);
    }
    if (step % look_every == 0 || last) {
      double observed = losses.mean();
      losses.reset();
      if (validation) {
        const Validation::Result result = (*validation)(run);
        observed = result.loss;
        const bool is_best =
            score.observe(std::isfinite(result.loss) ? result.scores.token_error_rate()
                                                     : std::numeric_limits<double>::quiet_NaN());
        if (is_best) best.take();
        logs.validation(step, result);
        progress.print(describe(step, result, is_best));
        finished = options.patience && score.without_progress() >= *options.patience;
      }
      schedule->observe(observed);
    }
    if (!last && !finished && times.due(step)) try_to_save();
  }
  progress.finish();

  const auto cannot_save = [&](const std::string& when) {
    const std::vector<std::string> checkpoints = folder->checkpoints();
    attune::fail("{}, but cannot be saved: {}; {}", when, failed,
                 checkpoints.empty() ? "there is no checkpoint"
                                     : fmt::format("'{}' is whole, and --resume goes on from it",
                                                   checkpoints.front()));
  };
  if (!finished && step < options.steps) {
    if (!try_to_save()) cannot_save(fmt::format("the training was stopped at step {}", step));
    tell(
        "seq2seq: stopped by a signal after step {} of {}; the model is saved in '{}', and "
        "--resume goes on\n",
        step, options.steps, run.folder);
    return 128 + stop.received();
  }

  if (!finished_before) {
    ATTUNE_CHECK(skipped < step,
                 "training: every step was skipped, so nothing was learnt; try a "
                 "smaller --learning-rate");
    ATTUNE_CHECK(!validation || best.taken(),
                 "training: the loss on --valid was never a finite number; try a smaller "
                 "--learning-rate or --clip-norm");
    // What the last update has done, no loss has shown yet.
    const double loss = validation ? 0 : loss_of(model, attune::BatchStream(data.batches).next());
    if (!std::isfinite(loss)) refuse_update(loss);
    state.texts[kFinished] = "yes";
    if (!try_to_save()) cannot_save("the training is at its end");
  }
  if (skipped > 0)
    tell("seq2seq: skipped {} of {} updates, which gave NaN or infinity\n", skipped, step);
  if (step < options.steps)
    tell("seq2seq: stopped after step {} of {}: {} measurements in a row were not better\n", step,
         options.steps, score.without_progress());
  const std::string picture = draw_alignment(load_run(run.folder), data.sample);
  folder->replace_older();
  if (!options.keep) folder->remove_checkpoints(0);
  if (finished_before) return already_finished(options.run);
  fmt::print("{}\nThe run is in {}\n", picture, shown(options.run));
  return 0;
}

}  // namespace seq2seq
