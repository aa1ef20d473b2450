#include "validation.h"

#include <algorithm>
#include <cstddef>

#include "attune/autograd.h"

namespace seq2seq {
namespace {

constexpr std::int64_t kQuestions = 1000;  // enough to tell models apart, and quick
constexpr std::size_t kBatch = 64;

}  // namespace

Validation::Validation(const Run& run, const std::string& path)
    : questions_(read_questions(run, path, kQuestions)) {
  std::vector<attune::Example> examples;
  for (const Question& question : questions_) {
    std::vector<int> target = question.references.front();
    std::replace(target.begin(), target.end(), -1, attune::Vocabulary::unknown);
    examples.push_back({question.source, std::move(target)});
  }
  for (std::size_t first = 0; first < examples.size(); first += kBatch)
    batches_.push_back(attune::make_batch(
        std::span(examples).subspan(first, std::min(kBatch, examples.size() - first))));
}

double Validation::loss(const attune::Seq2SeqModel& model) const {
  const attune::NoGrad no_grad;
  const attune::Eval eval;
  double sum = 0;
  std::int64_t tokens = 0;
  for (const attune::Batch& batch : batches_) {
    sum += model.loss(batch).item() * static_cast<double>(batch.tokens);
    tokens += batch.tokens;
  }
  return sum / static_cast<double>(tokens);
}

Validation::Result Validation::operator()(const Run& run) {
  Result result{loss(*run.model), score(run, questions_), false};
  result.best = result.scores.token_error_rate() < fewest_errors_;
  if (result.best) fewest_errors_ = result.scores.token_error_rate();
  return result;
}

}  // namespace seq2seq
