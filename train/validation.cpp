#include "attune/train/validation.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <limits>

#include "attune/autograd/all.h"
#include "attune/autograd/array/digest.h"
#include "attune/metrics/bootstrap.h"

namespace attune {
namespace {

constexpr std::size_t kBatch = 64;

// Examples of the task, or the usable questions in the file of validation pairs.
std::vector<Question> questions_of(const Run& run, const TrainOptions& options) {
  const DataOptions& data = options.data;
  const PairFiles files = data.valid_pairs();
  if (data.is_task())
    return make_questions(run, Split::valid, data.valid_count.value_or(1), options.seed,
                          data.min_length, data.limit());
  BadLines bad(files.expected(), "warning",
               data.skip_bad ? BadLines::OnMalformed::skip : BadLines::OnMalformed::stop);
  UnknownTokens unknown;
  std::vector<Question> questions =
      read_questions(run,
                     {.files = files,
                      .max_length = run.config.max_length,
                      .count = data.valid_count,
                      .seed = options.seed,
                      .reference_alignment = data.reference_alignment},
                     bad, &unknown);
  std::erase_if(questions, [](const Question& question) { return question.source.empty(); });
  warn_of_unknown(unknown);
  if (bad.count() > 0)
    warn("{} of {} left out: {}", lines_text(bad.count()), files.name(), bad.summary());
  return questions;
}

}  // namespace

std::vector<std::string> validation_measures() {
  return {"token_error_rate", "sequence_accuracy", "loss"};
}

std::string Validation::Result::text() const {
  const Scores& scores = measures.scores;
  std::string text =
      fmt::format("validation loss {:.4f}, sequences right {:.1f}%, token error rate {:.2f}%", loss,
                  100 * scores.sequence_accuracy(), 100 * scores.token_error_rate());
  if (!measures.alignment.empty())
    text += fmt::format(", alignment error rate {:.2f}%", 100 * measures.alignment.error_rate());
  if (text_score) text += fmt::format(", {} {:.2f}", text_metric, *text_score);
  return text;
}

Validation::Validation(const Run& run, const TrainOptions& options)
    : best_(options.best), questions_(questions_of(run, options)) {
  const std::vector<std::string> others = validation_measures();
  if (std::find(others.begin(), others.end(), best_) == others.end())
    metric_ = make_text_metric(best_);
  std::vector<Example> examples;
  for (const Question& question : questions_) examples.push_back(example_of(question));
  for (std::size_t first = 0; first < examples.size(); first += kBatch)
    batches_.push_back(
        make_batch(std::span(examples).subspan(first, std::min(kBatch, examples.size() - first))));
}

double Validation::loss(const Seq2Seq& model) const {
  const NoGrad no_grad;
  const Eval eval;
  double sum = 0;
  std::int64_t tokens = 0;
  for (const Batch& batch : batches_) {
    sum += model.loss(batch).item() * static_cast<double>(batch.tokens);
    tokens += batch.tokens;
  }
  return sum / static_cast<double>(tokens);
}

Validation::Result Validation::operator()(const Run& run) const {
  const double mean_loss = loss(*run.model);
  // If the model is NaN, all outputs stay empty, which counts as wrong.
  std::vector<Answer> answers(questions_.size());
  const bool is_finite = std::isfinite(mean_loss);
  if (is_finite) answers = answers_to(run, questions_);
  Result result{mean_loss, measure(run, questions_, answers)};
  const Scores& scores = result.measures.scores;
  result.cost = best_ == "loss"                ? mean_loss
                : best_ == "sequence_accuracy" ? -scores.sequence_accuracy()
                                               : scores.token_error_rate();
  if (metric_) {
    const TextStatistics statistics = statistics_of(*metric_, texts_of(run, questions_, answers));
    result.text_score = metric_->score(statistics.sums());
    result.text_metric = best_.substr(0, best_.find(':'));
    result.cost = metric_->higher_is_better() ? -*result.text_score : *result.text_score;
  }
  if (!is_finite) result.cost = std::numeric_limits<double>::quiet_NaN();
  if (is_finite && run.config.model.has_attention())
    result.example = figure_of(run, questions_.front().source, answers.front().output,
                               questions_.front().text.source);
  return result;
}

std::string Validation::fingerprint() const {
  Digest digest;
  const auto take_in = [&](const std::vector<int>& ids) {
    digest.add(std::uint64_t{ids.size()});
    for (const int id : ids) digest.add(static_cast<std::uint64_t>(id));
  };
  for (const Question& question : questions_) {
    take_in(question.source);
    for (const std::vector<int>& reference : question.references) take_in(reference);
    for (const ReferenceAlignment& alignment : question.alignments)
      for (const std::vector<Link>* links : {&alignment.sure, &alignment.possible}) {
        std::vector<int> positions;
        for (const Link& link : *links)
          positions.insert(positions.end(), {link.source, link.target});
        take_in(positions);
      }
  }
  return digest.text();
}

}  // namespace attune
