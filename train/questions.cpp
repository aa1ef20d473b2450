#include "attune/train/questions.h"

#include <algorithm>
#include <cstddef>
#include <unordered_map>

namespace attune {
namespace {

// A reference's ids. The model cannot produce a token that neither its vocabulary nor a source that
// it copies from has, so such a token must not count as correct if the model's output is <unk>.
std::vector<int> ids_of_reference(const Run& run, const std::string& source,
                                  const std::string& target) {
  std::vector<int> ids = words_of(run, source).encode_target(target);
  for (int& id : ids)
    if (id == Vocabulary::unknown) id = -1;
  return ids;
}

}  // namespace

Example example_of(const Question& question) {
  Example example{question.source, question.references.front()};
  std::replace(example.target.begin(), example.target.end(), -1, Vocabulary::unknown);
  return example;
}

std::vector<Question> make_questions(const Run& run, Split split, std::int64_t count,
                                     std::uint64_t seed, int min_length, int max_length) {
  const Task task = make_task(run.config.task);
  const SyntheticPairs pairs{task, split, seed, min_length, max_length};
  std::vector<Question> questions;
  for (std::int64_t i = 0; i < count; ++i) {
    const Pair pair = pairs[static_cast<std::uint64_t>(i)];
    questions.push_back({{pair.source, {pair.target}},
                         run.source.encode(pair.source),
                         {run.target.encode(pair.target)}});
    if (!task.true_positions) continue;
    Question& question = questions.back();
    question.truth = reference_of(task.true_positions(pair.source),
                                  task.equal_letters_are_one ? std::span<const int>(question.source)
                                                             : std::span<const int>());
  }
  return questions;
}

namespace {

// The reference alignments of the lines of a file of pairs.
class AlignmentLines {
 public:
  AlignmentLines(const std::string& path, const PairFiles& pairs)
      : path_(path), pairs_(pairs.name()) {
    if (!path.empty()) alignments_ = read_moses(path);
  }
  bool exist() const { return !path_.empty(); }

  // The alignment of a line, counted from 1. Errors: there is none; it does not fit the pair.
  const ReferenceAlignment& of_line(std::int64_t line, std::size_t source_length,
                                    std::size_t target_length) const {
    check_has(line);
    const ReferenceAlignment& alignment = alignments_[static_cast<std::size_t>(line - 1)];
    try {
      check_positions(alignment, source_length, target_length);
    } catch (const Error& error) {
      fail("{}: {}", place_of(path_, line), error.what());
    }
    return alignment;
  }

  // Errors: there are more or fewer alignments than lines of pairs. Blank lines at the end, which
  // are ignored in a file of pairs, may be there.
  void check_count(std::int64_t lines) const {
    if (!exist()) return;
    if (lines > 0) check_has(lines);
    for (std::int64_t line = lines + 1; line <= std::ssize(alignments_); ++line)
      ATTUNE_CHECK(alignments_[static_cast<std::size_t>(line - 1)] == ReferenceAlignment{},
                   "{}: there is no such line in {}; expected an alignment for each of its {}",
                   place_of(path_, line), pairs_, lines_text(lines));
  }

 private:
  void check_has(std::int64_t line) const {
    ATTUNE_CHECK(line <= std::ssize(alignments_),
                 "{}: the file has only {}; expected an alignment for each line of {}",
                 place_of(path_, line), lines_text(std::ssize(alignments_)), pairs_);
  }

  const std::string& path_;
  std::string pairs_;
  std::vector<ReferenceAlignment> alignments_;
};

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

// How many words or tokens a text has that a reference alignment may link.
std::size_t positions_in(const Vocabulary& vocabulary, const std::string& text) {
  const std::vector<int> positions = word_positions(vocabulary, text);
  return positions.empty() ? 0 : static_cast<std::size_t>(positions.back() + 1);
}

bool has_empty_target(const Run& run, const PairLine& line) {
  return std::any_of(line.targets.begin(), line.targets.end(), [&](const std::string& target) {
    return run.target.tokenize(target).empty();
  });
}

}  // namespace

std::vector<Question> read_questions(const Run& run, const QuestionSource& from, BadLines& bad,
                                     UnknownTokens* unknown) {
  const AlignmentLines alignments(from.reference_alignment, from.files);
  PairReader reader(from.files);
  std::vector<Question> questions;
  std::unordered_map<std::string, std::size_t> place;  // of a source's question in one file
  std::int64_t with_more_columns = 0, lines = 0;
  for (PairLine line; reader.next(line); ++lines) {
    with_more_columns += line.has_more;
    if (line.fault.empty() && has_empty_target(run, line)) line.fault = "the target has no tokens";
    if (!line.fault.empty()) {
      bad.add(from.files.place_of(line.number), BadLine::Kind::malformed, line.fault);
      questions.push_back({{std::move(line.source), {}}, {}, {}});
      continue;
    }
    const auto is_known = place.find(line.source);
    const std::size_t at = is_known == place.end() ? questions.size() : is_known->second;
    if (at == questions.size()) {
      questions.push_back({{line.source, {}}, {}, {}});
      try {
        questions.back().source = encode_source(run, line.source, from.max_length);
      } catch (const BadLine& fault) {
        bad.add(from.files.place_of(line.number), fault.kind, fault.what());
      }
      if (!from.files.are_side_by_side()) place.emplace(line.source, at);
    }
    Question& question = questions[at];
    for (std::string& target : line.targets) {
      question.references.push_back(ids_of_reference(run, line.source, target));
      if (alignments.exist() && !question.source.empty())
        question.alignments.push_back(alignments.of_line(
            line.number, positions_in(run.source, line.source), positions_in(run.target, target)));
      question.text.targets.push_back(std::move(target));
    }
  }
  alignments.check_count(lines);
  from.files.check_not_empty(lines);
  ATTUNE_CHECK(std::any_of(questions.begin(), questions.end(),
                           [](const Question& question) { return !question.source.empty(); }),
               "no pair of {} is left to test on: {}", from.files.name(), bad.summary());
  warn_of_columns(from.files.name(), with_more_columns);
  if (from.count) questions = sample_of(std::move(questions), *from.count, from.seed);
  if (unknown != nullptr)
    for (const Question& question : questions)
      if (!question.source.empty()) run.source.encode(question.text.source, unknown);
  return questions;
}

}  // namespace attune
