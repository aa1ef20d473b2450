#include "scoring.h"

#include <cstddef>
#include <unordered_map>

namespace seq2seq {
namespace {

// A reference's ids. A token that the model has no word for is no answer that it could give: it
// must not count as right when the model answers <unk>.
std::vector<int> reference_of(const attune::Vocabulary& vocabulary, const std::string& target) {
  std::vector<int> ids = vocabulary.encode(target);
  for (int& id : ids)
    if (id == attune::Vocabulary::unknown) id = -1;
  return ids;
}

}  // namespace

std::vector<Question> make_questions(const Run& run, attune::Split split, std::int64_t count,
                                     std::uint64_t seed, int min_length, int max_length) {
  const attune::Task& task = attune::task_named(run.config.task);
  const attune::SyntheticPairs pairs{&task, split, seed, min_length, max_length};
  std::vector<Question> questions;
  for (std::int64_t i = 0; i < count; ++i) {
    const attune::Pair pair = pairs[static_cast<std::uint64_t>(i)];
    questions.push_back({run.source.encode(pair.source),
                         {run.target.encode(pair.target)},
                         task.true_positions(pair.source)});
  }
  return questions;
}

std::vector<Question> read_questions(const Run& run, const std::string& path, std::int64_t count) {
  const std::vector<attune::Pair> pairs = attune::read_pairs(path);
  std::vector<Question> questions;
  std::unordered_map<std::string_view, std::size_t> place;  // of a source's question
  std::vector<std::string> unknown;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const auto [entry, is_new] = place.emplace(pairs[i].source, questions.size());
    if (is_new && std::ssize(questions) == count) {
      place.erase(entry);
      continue;
    }
    if (is_new) {
      const std::string where = fmt::format("{}:{}", path, i + 1);
      questions.push_back({encode_source(run, pairs[i].source, where, &unknown), {}, {}});
    }
    questions[entry->second].references.push_back(reference_of(run.target, pairs[i].target));
  }
  warn_of_unknown(unknown);
  return questions;
}

attune::Scores score(const Run& run, std::span<const Question> questions) {
  std::vector<std::vector<int>> sources;
  for (const Question& question : questions) sources.push_back(question.source);
  const std::vector<attune::Hypothesis> answers =
      attune::greedy_search(*run.model, sources, run.config.max_target_length);
  attune::Scores scores;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    scores.add(answers[i].tokens, questions[i].references);
    if (run.config.model.has_attention() && !questions[i].truth.empty())
      scores.add_alignment(answers[i].heaviest(sources[i].size()), questions[i].truth);
  }
  return scores;
}

}  // namespace seq2seq
