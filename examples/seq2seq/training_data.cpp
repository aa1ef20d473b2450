#include "training_data.h"

#include <algorithm>
#include <cstddef>

namespace seq2seq {
namespace {

using attune::Example;
using attune::Pair;
using attune::Tokens;
using attune::Vocabulary;

constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz";

TrainingData task_data(const TrainOptions& options) {
  ATTUNE_CHECK(options.min_length <= options.limit(),
               "--min-length {} is more than --max-length {}", options.min_length, options.limit());
  const attune::SyntheticPairs pairs{&attune::task_named(options.task), attune::Split::train,
                                     options.seed, options.min_length, options.limit()};
  const std::vector<std::string> letters = {std::string(kLetters)};
  const Vocabulary vocabulary = Vocabulary::build(Tokens::chars, letters);
  const auto example = [pairs, vocabulary](std::uint64_t index) {
    const Pair pair = pairs[index];
    return Example{vocabulary.encode(pair.source), vocabulary.encode(pair.target)};
  };
  const std::string word = "attention";
  const bool fits = options.min_length <= std::ssize(word) && std::ssize(word) <= options.limit();
  return {vocabulary, vocabulary, attune::BatchStream(example, options.batch, options.seed),
          options.limit(), fits ? word : pairs[0].source};
}

// The ids of one side of a pair. Errors: no tokens, more than the limit.
std::vector<int> encode(const Vocabulary& vocabulary, const std::string& text, const char* side,
                        const std::string& where, int limit) {
  std::vector<int> ids = vocabulary.encode(text);
  ATTUNE_CHECK(!ids.empty(), "{}: the {} is empty; expected at least one token", where, side);
  ATTUNE_CHECK(std::ssize(ids) <= limit,
               "{}: the {} has {} tokens, more than the limit of {}; raise it with --max-length",
               where, side, ids.size(), limit);
  return ids;
}

TrainingData file_data(const TrainOptions& options) {
  const std::vector<Pair> pairs = attune::read_pairs(options.data);
  std::vector<std::string> sources, targets;
  for (const Pair& pair : pairs) {
    sources.push_back(pair.source);
    targets.push_back(pair.target);
  }
  Vocabulary source = Vocabulary::build(attune::tokens_named(options.source_tokens), sources);
  Vocabulary target = Vocabulary::build(attune::tokens_named(options.target_tokens), targets);
  std::vector<Example> examples;
  std::size_t longest = 0;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const std::string where = fmt::format("{}:{}", options.data, i + 1);
    examples.push_back({encode(source, pairs[i].source, "source", where, options.limit()),
                        encode(target, pairs[i].target, "target", where, options.limit())});
    longest = std::max(longest, examples.back().target.size());
  }
  return {std::move(source), std::move(target),
          attune::BatchStream(std::move(examples), options.batch, options.seed),
          static_cast<int>(longest), sources.front()};
}

}  // namespace

TrainingData load_training_data(const TrainOptions& options) {
  return options.data.empty() ? task_data(options) : file_data(options);
}

}  // namespace seq2seq
