#include "attune/train/training_data.h"

#include <algorithm>
#include <cstddef>
#include <cstdio>

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
          BatchStream(example, options.batch, options.seed),
          data.limit(),
          data.limit() * pairs.task.expansion,
          fits ? word : pairs[0].source};
}

// One side of the pairs of a file.
class Side {
 public:
  Side(const char* name, const std::string& tokens, int limit, bool truncates)
      : name_(name), tokenizer_(tokens_named(tokens)), limit_(limit), truncates_(truncates) {}

  // Checks a text, and truncates it if the options say so. Errors: BadLine, if it has no tokens, or
  // more than the limit.
  void check(std::string& text) {
    const std::vector<std::string> tokens = tokenizer_.tokenize(text);
    if (tokens.empty())
      throw BadLine(BadLine::Kind::malformed, fmt::format("the {} has no tokens", name_));
    if (std::ssize(tokens) <= limit_) return;
    if (!truncates_)
      throw BadLine(BadLine::Kind::too_long,
                    fmt::format("the {} has {} tokens, more than the limit of {}", name_,
                                tokens.size(), limit_));
    const char* between = tokenizer_.kind() == Tokens::words ? " " : "";
    text.clear();
    for (int i = 0; i < limit_; ++i)
      text += (i == 0 ? "" : between) + tokens[static_cast<std::size_t>(i)];
    ++truncated_;
  }
  void add(std::string text) { texts_.push_back(std::move(text)); }

  Vocabulary vocabulary() const { return Vocabulary::build(tokenizer_.kind(), texts_); }
  const std::vector<std::string>& texts() const { return texts_; }

  // "2 sources cut to 5 tokens"; empty if none was cut.
  std::string summary() const {
    if (truncated_ == 0) return "";
    return fmt::format("{} {}{} cut to {} tokens", truncated_, name_, truncated_ == 1 ? "" : "s",
                       limit_);
  }

 private:
  const char* name_;
  Vocabulary tokenizer_;
  int limit_;
  bool truncates_;
  std::int64_t truncated_ = 0;
  std::vector<std::string> texts_;
};

TrainingData file_data(const TrainOptions& options) {
  const DataOptions& data = options.data;
  const bool truncates = data.too_long == "truncate";
  Side sources("source", data.source_tokens, data.source_limit(), truncates);
  Side targets("target", data.target_tokens, data.target_limit(), truncates);
  BadLines bad(data.file, "warning",
               data.skip_bad ? BadLines::OnMalformed::skip : BadLines::OnMalformed::stop);

  TextInput input(data.file);
  PairReader reader(input.stream(), name_of_input(data.file));
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
    } catch (const BadLine& fault) {
      bad.add(line.number, fault.kind, fault.what());
      continue;
    }
    sources.add(std::move(line.pair.source));
    targets.add(std::move(line.pair.target));
  }
  ATTUNE_CHECK(lines > 0, "{} is empty; expected a pair a line: source TAB target",
               name_of_input(data.file));
  ATTUNE_CHECK(!sources.texts().empty(),
               "no pair of {} is left to learn from: {}; lengths go up to {} {} and {} {}",
               name_of_input(data.file), bad.summary(), option_name("max_source_length"),
               data.source_limit(), option_name("max_target_length"), data.target_limit());
  std::vector<std::string> changes;
  if (bad.count() > 0)
    changes.push_back(
        fmt::format("{} of {} left out: {}", bad.count(), lines_text(lines), bad.summary()));
  for (const Side* side : {&sources, &targets})
    if (!side->summary().empty()) changes.push_back(side->summary());
  for (const std::string& change : changes) warn("{}: {}", name_of_input(data.file), change);
  warn_of_columns(data.file, with_more_columns);

  Vocabulary source = sources.vocabulary(), target = targets.vocabulary();
  std::vector<Example> examples;
  std::size_t longest_source = 0, longest_target = 0;
  for (std::size_t i = 0; i < sources.texts().size(); ++i) {
    examples.push_back({source.encode(sources.texts()[i]), target.encode(targets.texts()[i])});
    longest_source = std::max(longest_source, examples.back().source.size());
    longest_target = std::max(longest_target, examples.back().target.size());
  }
  return {std::move(source),
          std::move(target),
          BatchStream(std::move(examples), options.batch, options.seed),
          static_cast<int>(longest_source),
          static_cast<int>(longest_target),
          sources.texts().front(),
          joined(changes, "; ")};
}

}  // namespace

TrainingData load_training_data(const TrainOptions& options) {
  return options.data.file.empty() ? task_data(options) : file_data(options);
}

}  // namespace attune
