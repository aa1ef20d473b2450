#include "attune/train/training_summary.h"

#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "attune/autograd/array/pool.h"
#include "attune/autograd/array/random.h"
#include "attune/train/train_step.h"

namespace attune {
namespace {

// 1234567 -> 1,234,567
std::string grouped(std::int64_t number) {
  const std::string digits = fmt::format("{}", number);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && digits[i - 1] != '-' && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

std::string memory_text(double bytes) {
  if (bytes < 1e9) return fmt::format("{:.0f} MB", std::ceil(bytes / 1e7) * 10);
  return fmt::format("{:.1f} GB", std::ceil(bytes / 1e8) / 10);
}

std::string layers_text(int layers) {
  return layers == 1 ? "1 layer" : fmt::format("{} layers", layers);
}

std::string transformer_text(const EncoderDecoderOptions& model) {
  return fmt::format("transformer, {}, {} heads, embedding {}, feed-forward {}",
                     layers_text(model.layer_count()), model.head_count(), model.embedding_size(),
                     model.feed_forward_size());
}

std::string recurrent_text(const EncoderDecoderOptions& model) {
  const std::string heads =
      model.head_count() > 1 ? fmt::format(" in {} heads", model.head_count()) : "";
  std::string attention = model.attention == "none" ? "no" : model.attention;
  for (const auto& [choice, usual] :
       {std::pair{model.normalizer, "softmax"}, std::pair{model.locality, "global"}})
    if (choice != usual) attention += " " + choice;
  return fmt::format("recurrent {}, {}{}, {} attention{}, embedding {}, hidden {}", model.cell,
                     layers_text(model.layer_count()),
                     model.bidirectional ? " in both directions" : "", attention, heads,
                     model.embedding_size(), model.hidden);
}

std::string model_text(const EncoderDecoderOptions& model) {
  const std::string text = !model.has_recurrent() ? transformer_text(model)
                           : !model.has_transformer()
                               ? recurrent_text(model)
                               : transformer_text(model) + "; " + recurrent_text(model);
  if (model.encoder.empty() && model.decoder.empty()) return text;
  return fmt::format("{} encoder, {} decoder; {}", model.encoder_name(), model.decoder_name(),
                     text);
}

std::string data_text(const TrainOptions& options, const Run& run, const TrainingData& data) {
  if (options.data.is_task())
    return fmt::format("task {}, {} to {} letters", run.config.task, run.config.min_length,
                       run.config.max_length);
  return fmt::format("{} pairs of {}, {} source and {} target tokens",
                     grouped(data.batches.examples_per_epoch()), options.data.pairs().name(),
                     grouped(run.source.size()), grouped(run.target.size()));
}

// "sgd, learning rate 0.1, momentum 0.9".
std::string optimizer_text(const TrainOptions& options) {
  const OptimizerOptions& chosen = options.optimizer_options;
  std::string text =
      fmt::format("{}, learning rate {}", options.optimizer, options.learning_rate());
  if (chosen.weight_decay) text += fmt::format(", weight decay {}", *chosen.weight_decay);
  if (chosen.momentum) text += fmt::format(", momentum {}", *chosen.momentum);
  return text;
}

std::string training_text(const TrainOptions& options, const TrainingData& data) {
  std::string epochs;
  if (const std::int64_t per_epoch = data.batches.batches_per_epoch())
    epochs =
        fmt::format(" ({:.3g} epochs)", static_cast<double>(options.steps * options.accumulate) /
                                            static_cast<double>(per_epoch));
  const std::string batches =
      options.accumulate > 1 ? fmt::format("{} batches of ", options.accumulate) : "";
  const std::string size = options.batch_tokens ? grouped(*options.batch_tokens) + " tokens"
                                                : grouped(options.batch) + " examples";
  return fmt::format("{} steps of {}{}{}, {}, schedule {}; {} thread{}", grouped(options.steps),
                     batches, size, epochs, optimizer_text(options), options.schedule,
                     options.threads, options.threads == 1 ? "" : "s");
}

double tokens_of(const Batch& batch) {
  return static_cast<double>(batch.source.ids.elements() + batch.target_input.elements());
}

double peak_bytes() {
  rusage usage;
  ::getrusage(RUSAGE_SELF, &usage);
#if defined(__APPLE__)
  return static_cast<double>(usage.ru_maxrss);
#else
  return static_cast<double>(usage.ru_maxrss) * 1024;
#endif
}

double expected_bytes(const TrainOptions& options, const Run& run, const TrainingData& data) {
  // The pool also holds memory of earlier batches of other sizes, so one trial is not enough.
  constexpr int kTrials = 4, kBatches = 50;
  BatchStream batches = data.batches;
  const auto pool_bytes = [] { return static_cast<double>(pool::statistics().system_bytes); };
  const double before = pool_bytes();
  const Generator random = generator();
  double largest_trial = 0, largest = 0;
  for (int i = 0; i < kBatches; ++i) {
    const Batch batch = batches.next();
    largest = std::max(largest, tokens_of(batch));
    if (i >= kTrials) continue;
    add_gradients(*run.model, std::span(&batch, 1), options.step);
    run.model->zero_grad();
    largest_trial = largest;
  }
  generator() = random;
  const double taken = pool_bytes() - before;

  double parameters = 0;
  for (const auto& [name, value] : run.model->values())
    parameters += static_cast<double>(value.bytes());
  // The optimizer's moments, the parameters before the last update, the best ones, those of
  // averages, and the model's own while it has an average.
  const double averaged = options.ema ? 1 : static_cast<double>(options.average.value_or(0));
  const double copies =
      2 + 1 + (options.data.validates() ? 1 : 0) + averaged + (averaged > 0 ? 1 : 0);
  // Measured: the share that later batches, of yet other sizes, add to the pool.
  constexpr double kGrowth = 0.4;
  // Gradients and packed weights do not depend on the size of a batch.
  const double of_tokens = std::max(0.0, taken - 4 * parameters);
  return peak_bytes() + kGrowth * taken + of_tokens * (largest / largest_trial - 1) +
         copies * parameters;
}

}  // namespace

std::string summary_of(const TrainOptions& options, const Run& run, const TrainingData& data,
                       std::int64_t step) {
  std::string text;
  const auto line = [&](const char* name, const std::string& value) {
    text += fmt::format("{:<10}{}\n", name, value);
  };
  line("model", fmt::format("{}: {} parameters", model_text(run.config.model),
                            grouped(run.model->parameter_count())));
  line("data", data_text(options, run, data) + (data.origin.empty() ? "" : ", " + data.origin) +
                   (data.left_out.empty() ? "" : "; " + data.left_out));
  line("training", training_text(options, data));
  if (step > 0) line("resumed", fmt::format("after step {}", grouped(step)));
  line("memory", "about " + memory_text(expected_bytes(options, run, data)));
  return text;
}

}  // namespace attune
