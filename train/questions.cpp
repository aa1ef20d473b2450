#include "attune/train/questions.h"

#include <algorithm>
#include <cstddef>
#include <unordered_map>

namespace attune {
namespace {

// A reference's ids. The model cannot produce a token outside its vocabulary, so such a token must
// not count as correct if the model's output is <unk>.
std::vector<int> reference_of(const Vocabulary& vocabulary, const std::string& target) {
  std::vector<int> ids = vocabulary.encode(target);
  for (int& id : ids)
    if (id == Vocabulary::unknown) id = -1;
  return ids;
}

}  // namespace

std::vector<Question> make_questions(const Run& run, Split split, std::int64_t count,
                                     std::uint64_t seed, int min_length, int max_length) {
  const Task task = make_task(run.config.task);
  const SyntheticPairs pairs{task, split, seed, min_length, max_length};
  std::vector<Question> questions;
  for (std::int64_t i = 0; i < count; ++i) {
    const Pair pair = pairs[static_cast<std::uint64_t>(i)];
    questions.push_back({{pair.source, {pair.target}},
                         run.source.encode(pair.source),
                         {run.target.encode(pair.target)},
                         task.true_positions(pair.source),
                         task.equal_letters_are_one});
  }
  return questions;
}

namespace {

// A random sample of `count` questions, in their original order.
std::vector<Question> sample_of(std::vector<Question> questions, std::int64_t count,
                                std::uint64_t seed) {
  std::erase_if(questions, [](const Question& question) { return question.source.empty(); });
  Generator random(seed);
  std::vector<Question> sample;
  for (std::size_t i = 0; i < questions.size(); ++i) {  // Knuth's algorithm S
    const std::int64_t left = std::ssize(questions) - static_cast<std::int64_t>(i);
    if (random.below(left) < count - std::ssize(sample)) sample.push_back(std::move(questions[i]));
  }
  return sample;
}

}  // namespace

std::vector<Question> read_questions(const Run& run, const QuestionSource& from, BadLines& bad,
                                     UnknownTokens* unknown) {
  TextInput input(from.path);
  PairReader reader(input.stream(), name_of_input(from.path));
  std::vector<Question> questions;
  std::unordered_map<std::string, std::size_t> place;  // index of a source's question
  std::int64_t with_more_columns = 0;
  for (PairLine line; reader.next(line);) {
    with_more_columns += line.has_more;
    if (line.fault.empty() && run.target.tokenize(line.pair.target).empty())
      line.fault = "the target has no tokens";
    if (!line.fault.empty()) {
      bad.add(line.number, BadLine::Kind::malformed, line.fault);
      questions.push_back({{std::move(line.pair.source), {}}, {}, {}, {}});
      continue;
    }
    const auto [entry, is_new] = place.emplace(line.pair.source, questions.size());
    if (is_new) {
      questions.push_back({{line.pair.source, {}}, {}, {}, {}});
      try {
        questions.back().source = encode_source(run, line.pair.source, from.max_length);
      } catch (const BadLine& fault) {
        bad.add(line.number, fault.kind, fault.what());
      }
    }
    Question& question = questions[entry->second];
    question.references.push_back(reference_of(run.target, line.pair.target));
    question.text.targets.push_back(std::move(line.pair.target));
  }
  ATTUNE_CHECK(!questions.empty(), "{} is empty; expected a pair a line: source TAB target",
               name_of_input(from.path));
  ATTUNE_CHECK(std::any_of(questions.begin(), questions.end(),
                           [](const Question& question) { return !question.source.empty(); }),
               "no pair of {} is left to test on: {}", name_of_input(from.path), bad.summary());
  warn_of_columns(from.path, with_more_columns);
  if (from.count) questions = sample_of(std::move(questions), *from.count, from.seed);
  if (unknown != nullptr)
    for (const Question& question : questions)
      if (!question.source.empty()) run.source.encode(question.text.source, unknown);
  return questions;
}

std::vector<Hypothesis> answers_to(const Run& run, std::span<const Question> questions,
                                   std::optional<int> max_output_length,
                                   const SearchOptions& options) {
  std::vector<std::vector<int>> sources;
  for (const Question& question : questions)
    if (!question.source.empty()) sources.push_back(question.source);
  std::vector<Hypothesis> found = answer(run, sources, max_output_length, options), answers;
  auto next = found.begin();
  for (const Question& question : questions)
    answers.push_back(question.source.empty() ? Hypothesis{} : std::move(*next++));
  return answers;
}

Scores score(const Run& run, std::span<const Question> questions,
             std::span<const Hypothesis> answers) {
  Scores scores;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    const Question& question = questions[i];
    if (question.source.empty()) continue;
    scores.add(answers[i].tokens, question.references);
    if (!run.config.model.has_attention() || question.truth.empty()) continue;
    scores.add_alignment(answers[i].argmax(question.source.size()), question.truth,
                         question.equal_tokens_are_one ? std::span<const int>(question.source)
                                                       : std::span<const int>());
  }
  return scores;
}

}  // namespace attune
