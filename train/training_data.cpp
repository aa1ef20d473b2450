#include "attune/train/training_data.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "attune/data/messages.h"
#include "attune/data/subword_dropout.h"
#include "attune/train/corpus.h"
#include "attune/train/token_files.h"

namespace attune {
namespace {

TrainingData task_data(const TrainOptions& options) {
  const DataOptions& data = options.data;
  const SyntheticPairs pairs{make_task(data.task), Split::train, options.seed, data.min_length,
                             data.limit()};
  const std::vector<std::string> letters = {pairs.task.symbols};
  const Vocabulary vocabulary = Vocabulary::build(Tokens::chars, letters);
  const auto example = [pairs, vocabulary](std::uint64_t index) {
    const Pair pair = pairs[index];
    return Example{vocabulary.encode(pair.source), vocabulary.encode(pair.target)};
  };
  const std::string word = "attention";
  const bool fits =
      data.min_length <= std::ssize(word) && std::ssize(word) <= data.limit() && !pairs.task.draw;
  return {vocabulary,
          vocabulary,
          BatchStream(example, options.batch_size(), options.seed),
          data.limit(),
          data.limit() * pairs.task.expansion,
          fits ? word : pairs[0].source};
}

// The corpus of the files, from the token files if the options name some.
Corpus corpus_of(const TrainOptions& options, std::string& origin) {
  const std::string& folder = options.data.token_files;
  if (folder.empty()) return read_corpus(options);
  const TokenFiles files(folder, token_key(options));
  if (std::optional<Corpus> corpus = files.load()) {
    origin = fmt::format("tokens from '{}'", folder);
    if (!corpus->left_out.empty()) warn("{}: {}", options.data.pairs().name(), corpus->left_out);
    return *std::move(corpus);
  }
  Corpus corpus = read_corpus(options);
  if (files.save(corpus, token_key(options))) origin = fmt::format("tokens kept in '{}'", folder);
  return corpus;
}

// How often each token occurs in the sources.
std::vector<std::int64_t> source_counts(const Corpus& corpus) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(corpus.source.size()));
  for (std::size_t i = 0; i < corpus.pairs.size(); ++i)
    for (const int id : corpus.pairs[i].source)
      if (id < corpus.source.size()) ++counts[static_cast<std::size_t>(id)];
  return counts;
}

// What varies the examples of a corpus from epoch to epoch; empty if nothing does.
Variation variation_of(const TrainOptions& options, const Corpus& corpus) {
  const double probability = options.data.subword_dropout;
  if (probability == 0) return {};
  const auto dropout = [&](const Vocabulary& vocabulary) {
    return vocabulary.kind() == Tokens::subwords
               ? std::make_shared<const SubwordDropout>(vocabulary, probability)
               : nullptr;
  };
  return [source = dropout(corpus.source), target = dropout(corpus.target)](const Example& example,
                                                                            Generator& random) {
    return Example{source ? (*source)(example.source, random) : example.source,
                   target ? (*target)(example.target, random) : example.target};
  };
}

TrainingData file_data(const TrainOptions& options) {
  std::string origin;
  Corpus corpus = corpus_of(options, origin);
  std::size_t longest_source = 0, longest_target = 0;
  for (std::size_t i = 0; i < corpus.pairs.size(); ++i) {
    longest_source = std::max(longest_source, corpus.pairs.source_length(i));
    longest_target = std::max(longest_target, corpus.pairs.target_length(i));
  }
  std::optional<RareTokens> rare;
  if (options.data.rare_as_unknown > 0)
    rare = copies_tokens(options.model)
               ? RareTokens(source_counts(corpus), options.data.rare_as_unknown,
                            corpus.source.ids_in(corpus.target))
               : RareTokens(source_counts(corpus), options.data.rare_as_unknown);
  Variation variation = variation_of(options, corpus);
  return {std::move(corpus.source),
          std::move(corpus.target),
          BatchStream(std::move(corpus.pairs), options.batch_size(), options.seed,
                      std::move(variation)),
          static_cast<int>(longest_source),
          static_cast<int>(longest_target),
          std::move(corpus.sample),
          std::move(rare),
          std::move(corpus.left_out),
          std::move(origin)};
}

}  // namespace

TrainingData load_training_data(const TrainOptions& options) {
  return options.data.is_task() ? task_data(options) : file_data(options);
}

}  // namespace attune
