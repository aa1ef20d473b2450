#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>
#include <optional>
#include <vector>

#include "attune/attune.h"
#include "commands.h"
#include "last_good.h"
#include "run.h"
#include "stop_signal.h"
#include "terminal.h"
#include "training_data.h"
#include "validation.h"

namespace seq2seq {
namespace {

// A training is looked at so many times: the validation set, or what a schedule observes.
constexpr std::int64_t kLooks = 20;
constexpr std::int64_t kLogLines = 1000;  // about as many lines in metrics.jsonl

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
                             .bidirectional = options.bidirectional,
                             .layers = options.layer_count(),
                             .embedding = options.embedding_size(),
                             .hidden = options.hidden,
                             .dropout = options.dropout,
                             .heads = options.heads,
                             .feed_forward = options.feed_forward_size()}};
  attune::seed(options.seed);
  return {options.run, config, data.source, data.target, attune::make_model(config.model)};
}

std::unique_ptr<attune::Schedule> make_schedule(const TrainOptions& options) {
  return attune::make_schedule(
      options.schedule,
      {.total_steps = options.steps, .warmup_steps = options.warmup_steps(), .patience = 1});
}

// metrics.jsonl, which equal trainings write equally, and speed.jsonl, which they do not.
class Logs {
 public:
  explicit Logs(const Run& run)
      : metrics_(run.file("metrics.jsonl")), speed_(run.file("speed.jsonl")) {}

  void step(std::int64_t step, double loss, double accuracy, double learn_rate, double norm,
            std::int64_t tokens) {
    tokens_ += tokens;
    metrics_.write({{"step", step},
                    {"loss", loss},
                    {"accuracy", accuracy},
                    {"learn_rate", learn_rate},
                    {"gradient_norm", norm}});
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - started_;
    speed_.write({{"step", step}, {"seconds", passed.count()}, {"target_tokens", tokens_}});
  }

  void validation(std::int64_t step, const Validation::Result& result) {
    metrics_.write({{"step", step},
                    {"valid_loss", result.loss},
                    {"valid_sequence_accuracy", result.scores.sequence_accuracy()},
                    {"valid_token_error_rate", result.scores.token_error_rate()}});
  }

 private:
  attune::MetricsLog metrics_, speed_;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  std::int64_t tokens_ = 0;
};

std::string describe(std::int64_t step, const Validation::Result& result) {
  return fmt::format(
      "step {}: validation loss {:.4f}, sequences right {:.1f}%, token error rate {:.2f}%{}", step,
      result.loss, 100 * result.scores.sequence_accuracy(), 100 * result.scores.token_error_rate(),
      result.best ? ", the best so far" : "");
}

// Goes back to where all was well, and says where it was not.
[[noreturn]] void give_up(const Run& run, LastGood& last_good, std::int64_t step, double loss,
                          bool saved) {
  const std::string culprit = last_good.culprit();
  last_good.restore();
  if (!saved) save_model(run);
  attune::fail(
      "training: at step {} the loss is {}, and NaN or infinity shows first in {}; the {} model "
      "before is saved in '{}'; try a smaller --learn-rate or --clip-norm",
      step, loss, culprit, saved ? "best" : "last good", run.folder);
}

struct Outcome {
  double loss, accuracy;
};

// The gradients of a batch, in shards that threads share out.
Outcome backward(const attune::Seq2SeqModel& model, const attune::Batch& batch,
                 const TrainOptions& options) {
  const std::vector<attune::Batch> shards =
      attune::shards_of(batch, attune::suitable_shards(batch.source.lengths.elements()));
  std::vector<double> right(shards.size());
  const double loss = attune::sharded_backward(std::ssize(shards), [&](std::int64_t i) {
    const attune::Batch& shard = shards[static_cast<std::size_t>(i)];
    const double share = static_cast<double>(shard.tokens) / static_cast<double>(batch.tokens);
    const attune::Tensor logits = model(shard, options.teacher_forcing);
    right[static_cast<std::size_t>(i)] =
        share * attune::token_accuracy(logits, shard.target_output);
    return share * attune::cross_entropy(logits, shard.target_output, attune::kIgnore,
                                         options.label_smoothing);
  });
  return {loss, std::accumulate(right.begin(), right.end(), 0.0)};
}

// Draws where the trained model looks for one source, into the run folder and on standard output.
void show_alignment(const Run& run, const std::string& sample) {
  if (!run.config.model.has_attention()) return;
  const std::vector<std::vector<int>> sources = {run.source.encode(sample)};
  const attune::Hypothesis found = answer(run, sources).front();
  const attune::Alignment alignment = alignment_of(run, sources.front(), found);
  const std::string title = sample + " → " + marked_text(run, found);
  attune::write_file_atomically(run.file("alignment.svg"), attune::to_svg(alignment, title));
  fmt::print("\n{}\n{}\n", title,
             attune::to_terminal(alignment, terminal_color(), terminal_columns()));
}

}  // namespace

int train(const TrainOptions& options) {
  attune::set_threads(options.threads);
  TrainingData data = load_training_data(options);
  const Run run = make_run(options, data);
  const attune::Seq2SeqModel& model = *run.model;
  const attune::Parameters parameters = model.parameters();
  const auto optimizer =
      attune::make_optimizer(options.optimizer, parameters, {.learn_rate = options.learn_rate});
  const auto schedule = make_schedule(options);
  const double max_norm =
      options.clip_norm > 0 ? options.clip_norm : std::numeric_limits<double>::infinity();
  std::optional<Validation> validation;
  if (!options.valid.empty()) validation.emplace(run, options);

  const StopSignal stop;
  create_run_folder(run, options);
  Logs logs(run);
  LastGood last_good(model);
  attune::Progress progress("training", options.steps);
  const std::int64_t look_every = std::max<std::int64_t>(1, options.steps / kLooks);
  const std::int64_t log_every = std::max<std::int64_t>(1, options.steps / kLogLines);
  double loss_since_look = 0;
  bool saved = false;
  std::int64_t step = 0;

  while (step < options.steps && !stop.received()) {
    ++step;
    const attune::Batch batch = data.batches.next();
    optimizer->zero_grad();
    const auto [loss, accuracy] = backward(model, batch, options);
    if (std::isfinite(loss)) last_good.keep();
    const double norm = attune::clip_grad_norm(parameters, max_norm);
    if (!std::isfinite(loss) || !std::isfinite(norm)) give_up(run, last_good, step, loss, saved);
    optimizer->scale_learn_rate(schedule->factor(step - 1));
    optimizer->step();

    progress.step({.loss = loss, .accuracy = accuracy, .tokens = batch.tokens});
    const bool last = step == options.steps || stop.received();
    if (step % log_every == 0 || last)
      logs.step(step, loss, accuracy, optimizer->learn_rate(), norm, batch.tokens);

    loss_since_look += loss;
    if (step % look_every != 0 && !last) continue;
    if (validation) {
      const Validation::Result result = (*validation)(run);
      logs.validation(step, result);
      progress.print(describe(step, result));
      if (result.best) save_model(run);
      saved = true;
    }
    schedule->observe(loss_since_look / static_cast<double>(look_every));
    loss_since_look = 0;
  }
  progress.finish();
  if (!saved) save_model(run);
  if (stop.received()) {
    fmt::print(stderr,
               "seq2seq: stopped by a signal after step {} of {}; the model is saved in '{}'\n",
               step, options.steps, run.folder);
    return 128 + stop.received();
  }
  show_alignment(load_run(run.folder), data.sample);
  fmt::print("\nThe run is in {}\n", run.folder);
  return 0;
}

}  // namespace seq2seq
