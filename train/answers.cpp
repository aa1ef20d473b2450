#include "attune/train/answers.h"

#include <cstddef>
#include <utility>

#include "attune/alignment/alignment.h"
#include "attune/alignment/pieces.h"

namespace attune {
namespace {

// A reference whose weights are not those of the output.
struct Missing {
  std::size_t question, reference;
};

// Replaces tokens outside the vocabulary, which references mark with -1.
std::vector<int> with_unknown(std::vector<int> ids) {
  for (int& id : ids)
    if (id < 0) id = Vocabulary::unknown;
  return ids;
}

// Computes the weights of references: a search whose prefix is the whole target has no choice.
void add_forced_weights(const Run& run, std::span<const Question> questions,
                        std::span<const Missing> missing, std::span<Answer> answers) {
  std::vector<SearchInput> inputs;
  for (const auto& [question, reference] : missing) {
    std::vector<int> target = with_unknown(questions[question].references[reference]);
    inputs.push_back({.source = questions[question].source,
                      .max_length = static_cast<int>(target.size()),
                      .prefix = std::move(target)});
  }
  const std::vector<std::vector<Hypothesis>> found = search(*run.model, inputs);
  for (std::size_t i = 0; i < missing.size(); ++i)
    answers[missing[i].question].reference_weights[missing[i].reference] = found[i].front().weights;
}

// The weights of a reference; none if the model could not compute them.
std::span<const float> weights_of(const Answer& answer, std::size_t reference) {
  if (reference >= answer.reference_weights.size()) return {};
  return answer.reference_weights[reference];
}

// Counts the alignment by which the model computes a reference.
void add_alignment(const Run& run, const Question& question, std::size_t reference,
                   std::span<const float> weights, AlignmentScores& scores) {
  const std::vector<int> source = word_positions(run.source, question.text.source),
                         target = word_positions(run.target, question.text.targets[reference]);
  std::vector<float> of_words;
  if (!weights.empty()) of_words = merged_weights(weights, source, target);
  scores.add(hard_alignment(of_words, static_cast<std::size_t>(source.back()) + 1),
             question.alignments[reference], static_cast<std::size_t>(target.back()) + 1);
}

}  // namespace

std::vector<Answer> answers_to(const Run& run, std::span<const Question> questions,
                               std::optional<int> max_output_length, const SearchOptions& options) {
  std::vector<std::vector<int>> sources;
  for (const Question& question : questions)
    if (!question.source.empty()) sources.push_back(question.source);
  std::vector<Hypothesis> found = answer(run, sources, max_output_length, options);
  auto next = found.begin();
  std::vector<Answer> answers(questions.size());
  std::vector<Missing> missing;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    const Question& question = questions[i];
    if (question.source.empty()) continue;
    answers[i].output = std::move(*next++);
    if (!run.config.model.has_attention()) continue;
    for (std::size_t j = 0; j < question.alignments.size(); ++j) {
      const bool is_output = question.references[j] == answers[i].output.tokens;
      answers[i].reference_weights.push_back(is_output ? answers[i].output.weights
                                                       : std::vector<float>());
      if (!is_output) missing.push_back({i, j});
    }
  }
  add_forced_weights(run, questions, missing, answers);
  return answers;
}

std::vector<Measures::Named> Measures::of_attention() const {
  const auto known = [](bool is_known, double value) {
    return is_known ? std::optional(value) : std::nullopt;
  };
  const bool has_reference = !alignment.empty(), has_weights = !weights.empty();
  return {
      {"alignment_accuracy", true, known(has_reference, alignment.accuracy())},
      {"alignment_error_rate", true, known(has_reference, alignment.error_rate())},
      {"alignment_precision", true, known(has_reference, alignment.precision())},
      {"alignment_recall", true, known(has_reference, alignment.recall())},
      {"attention_entropy", false, known(has_weights, weights.entropy())},
      {"diagonal_distance", false, known(has_weights, weights.diagonal_distance())},
      {"zero_weights", true, known(has_weights, weights.zeros())},
  };
}

Measures measure(const Run& run, std::span<const Question> questions,
                 std::span<const Answer> answers) {
  const bool has_attention = run.config.model.has_attention();
  Measures measures;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    const Question& question = questions[i];
    if (question.source.empty()) continue;
    const Hypothesis& output = answers[i].output;
    const std::size_t length = question.source.size();
    measures.scores.add(output.tokens, question.references);
    if (!has_attention) continue;
    measures.weights.add(output.weights, length);
    if (question.truth)
      measures.alignment.add(hard_alignment(output.weights, length), *question.truth,
                             question.references.front().size());
    for (std::size_t j = 0; j < question.alignments.size(); ++j)
      add_alignment(run, question, j, weights_of(answers[i], j), measures.alignment);
  }
  return measures;
}

std::vector<TextOutput> texts_of(const Run& run, std::span<const Question> questions,
                                 std::span<const Answer> answers) {
  std::vector<TextOutput> texts;
  for (std::size_t i = 0; i < questions.size(); ++i)
    if (!questions[i].source.empty())
      texts.push_back(
          {.output = target_text(run, answers[i].output.tokens, questions[i].text.source),
           .references = questions[i].text.targets,
           .source = questions[i].text.source});
  return texts;
}

}  // namespace attune
