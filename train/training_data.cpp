#include "attune/train/training_data.h"

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <span>
#include <utility>
#include <vector>

#include "attune/autograd/array/text.h"
#include "attune/data/lines.h"
#include "attune/data/messages.h"

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

VocabularyOptions vocabulary_options(const DataOptions& data, const std::string& tokens) {
  VocabularyOptions options{.kind = tokens_named(tokens), .form = data.form()};
  options.min_count = static_cast<std::size_t>(data.min_count);
  if (data.max_vocabulary) options.max_tokens = static_cast<std::size_t>(*data.max_vocabulary);
  options.subwords = {data.subword_model, data.vocabulary.value_or(SubwordOptions().size)};
  return options;
}

// One side of the pairs of a file. Subwords are only known, and counted, when all texts are.
class Side {
 public:
  Side(const char* name, const VocabularyOptions& vocabulary, int limit, bool truncates)
      : name_(name), options_(vocabulary), limit_(limit), truncates_(truncates) {}

  // Checks a text, and truncates it if the options say so. Errors: BadLine, if it has no tokens, or
  // more than the limit.
  void check(std::string& text) {
    const bool are_subwords = options_.kind == Tokens::subwords;
    const Vocabulary tokenizer(are_subwords ? Tokens::words : options_.kind, options_.form);
    std::vector<std::string> tokens = tokenizer.tokenize(text);
    if (tokens.empty())
      throw BadLine(BadLine::Kind::malformed, fmt::format("the {} has no tokens", name_));
    if (are_subwords) return;
    if (cut(tokens)) text = tokenizer.join(tokens);
  }

  // The ids of a text that was checked. Errors: as check(), of subwords.
  std::vector<int> encode(const Vocabulary& vocabulary, const std::string& text) {
    std::vector<int> ids = vocabulary.encode(text);
    cut(ids);
    return ids;
  }

  const VocabularyOptions& options() const { return options_; }

  // "2 sources cut to 5 tokens"; empty if none was cut.
  std::string summary() const {
    if (truncated_ == 0) return "";
    return fmt::format("{} {}{} cut to {} tokens", truncated_, name_, truncated_ == 1 ? "" : "s",
                       limit_);
  }

  // Whether there were more tokens than the limit. Errors: BadLine, if they must not be truncated.
  template <typename Token>
  bool cut(std::vector<Token>& tokens) {
    if (std::ssize(tokens) <= limit_) return false;
    if (!truncates_)
      throw BadLine(BadLine::Kind::too_long,
                    fmt::format("the {} has {} tokens, more than the limit of {}", name_,
                                tokens.size(), limit_));
    tokens.resize(static_cast<std::size_t>(limit_));
    ++truncated_;
    return true;
  }

 private:
  const char* name_;
  VocabularyOptions options_;
  int limit_;
  bool truncates_;
  std::int64_t truncated_ = 0;
};

// The vocabularies of both sides.
std::pair<Vocabulary, Vocabulary> vocabularies_of(std::span<const PairLine> lines,
                                                  const Side& sources, const Side& targets,
                                                  bool joint) {
  VocabularyBuilder source(sources.options()), target(targets.options());
  for (const PairLine& line : lines) {
    source.add(line.pair.source);
    (joint ? source : target).add(line.pair.target);
  }
  Vocabulary first = source.build();
  return {first, joint ? first : target.build()};
}

// A pair for a model that copies tokens. Errors: as Side::encode().
Example with_own_tokens(const Pair& pair, Side& sources, Side& targets, const Vocabulary& source,
                        const Vocabulary& target) {
  std::vector<std::string> tokens = source.tokenize(pair.source);
  sources.cut(tokens);
  const ExtendedVocabulary words(source, target, tokens);
  std::vector<int> ids = words.encode_target(pair.target);
  targets.cut(ids);
  return {words.source(), std::move(ids)};
}

TrainingData file_data(const TrainOptions& options) {
  const DataOptions& data = options.data;
  const bool truncates = data.too_long == "truncate";
  Side sources("source", vocabulary_options(data, data.source_tokens), data.source_limit(),
               truncates);
  Side targets("target", vocabulary_options(data, data.target_tokens), data.target_limit(),
               truncates);
  BadLines bad(data.file, "warning",
               data.skip_bad ? BadLines::OnMalformed::skip : BadLines::OnMalformed::stop);

  TextInput input(data.file);
  PairReader reader(input.stream(), name_of_input(data.file));
  std::vector<PairLine> kept;
  std::int64_t lines = 0, with_more_columns = 0;
  for (PairLine line; reader.next(line); ++lines) {
    if (!line.fault.empty()) {
      bad.add(line.number, BadLine::Kind::malformed, line.fault);
      continue;
    }
    with_more_columns += line.has_more;
    try {
      sources.check(line.pair.source);
      targets.check(line.pair.target);
      kept.push_back(std::move(line));
    } catch (const BadLine& fault) {
      bad.add(line.number, fault.kind, fault.what());
    }
  }
  ATTUNE_CHECK(lines > 0, "{} is empty; expected a pair a line: source TAB target",
               name_of_input(data.file));
  const auto check_some_left = [&](std::size_t left) {
    ATTUNE_CHECK(left > 0,
                 "no pair of {} is left to learn from: {}; lengths go up to {} {} and {} {}",
                 name_of_input(data.file), bad.summary(), option_name("max_source_length"),
                 data.source_limit(), option_name("max_target_length"), data.target_limit());
  };
  check_some_left(kept.size());
  auto [source, target] = vocabularies_of(kept, sources, targets, data.joint_vocabulary);
  const bool copies =
      options.model.decoder_name() == "recurrent" && copies_tokens(options.model.output_layer);
  std::vector<Example> examples;
  std::size_t longest_source = 0, longest_target = 0;
  for (const PairLine& line : kept) {
    try {
      examples.push_back(copies ? with_own_tokens(line.pair, sources, targets, source, target)
                                : Example{sources.encode(source, line.pair.source),
                                          targets.encode(target, line.pair.target)});
    } catch (const BadLine& fault) {
      bad.add(line.number, fault.kind, fault.what());
      continue;
    }
    longest_source = std::max(longest_source, examples.back().source.size());
    longest_target = std::max(longest_target, examples.back().target.size());
  }
  check_some_left(examples.size());

  std::vector<std::string> changes;
  if (bad.count() > 0)
    changes.push_back(
        fmt::format("{} of {} left out: {}", bad.count(), lines_text(lines), bad.summary()));
  for (const Side* side : {&sources, &targets})
    if (!side->summary().empty()) changes.push_back(side->summary());
  for (const std::string& change : changes) warn("{}: {}", name_of_input(data.file), change);
  warn_of_columns(data.file, with_more_columns);

  std::optional<RareTokens> rare;
  if (data.rare_as_unknown > 0) {
    std::vector<std::int64_t> counts(static_cast<std::size_t>(source.size()));
    for (const Example& example : examples)
      for (const int id : example.source)
        if (id < source.size()) ++counts[static_cast<std::size_t>(id)];
    if (copies)
      rare.emplace(counts, data.rare_as_unknown, source.ids_in(target));
    else
      rare.emplace(counts, data.rare_as_unknown);
  }
  return {std::move(source),
          std::move(target),
          BatchStream(std::move(examples), options.batch_size(), options.seed),
          static_cast<int>(longest_source),
          static_cast<int>(longest_target),
          kept.front().pair.source,
          std::move(rare),
          joined(changes, "; ")};
}

}  // namespace

TrainingData load_training_data(const TrainOptions& options) {
  return options.data.file.empty() ? task_data(options) : file_data(options);
}

}  // namespace attune
