#include "attune/train/training_data.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <unordered_set>

#include "attune/autograd/array/digest.h"
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

  // The number of tokens of a text, which is truncated if the options say so. Errors: BadLine, if it
  // has no tokens, or more than the limit.
  int check(std::string& text) {
    const std::vector<std::string> tokens = tokenizer_.tokenize(text);
    if (tokens.empty())
      throw BadLine(BadLine::Kind::malformed, fmt::format("the {} has no tokens", name_));
    if (std::ssize(tokens) <= limit_) return static_cast<int>(tokens.size());
    if (!truncates_)
      throw BadLine(BadLine::Kind::too_long,
                    fmt::format("the {} has {} tokens, more than the limit of {}", name_,
                                tokens.size(), limit_));
    const char* between = tokenizer_.kind() == Tokens::words ? " " : "";
    text.clear();
    for (int i = 0; i < limit_; ++i)
      text += (i == 0 ? "" : between) + tokens[static_cast<std::size_t>(i)];
    ++truncated_;
    return limit_;
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

// The filters of whole pairs that the options ask for.
class PairFilters {
 public:
  explicit PairFilters(const DataOptions& data)
      : max_ratio_(data.max_ratio), drops_duplicates_(data.drop_duplicates) {}

  // Errors: BadLine, if the pair, of texts with so many tokens, is to be left out.
  void check(const std::string& source, const std::string& target, int source_length,
             int target_length) {
    const auto [shorter, longer] = std::minmax(source_length, target_length);
    if (max_ratio_ && longer > *max_ratio_ * shorter)
      throw BadLine(BadLine::Kind::unlike_lengths,
                    fmt::format("the source has {} tokens and the target {}, one more than {} "
                                "times the other",
                                source_length, target_length, *max_ratio_));
    if (!drops_duplicates_) return;
    const std::uint64_t digest =
        Digest().add(std::uint64_t{source.size()}).add(source).add(target).value();
    if (!seen_.insert(digest).second)
      throw BadLine(BadLine::Kind::repeated, "the same pair is in an earlier line");
  }

 private:
  std::optional<double> max_ratio_;
  bool drops_duplicates_;
  std::unordered_set<std::uint64_t> seen_;  // digests, for which texts are taken as the same
};

TrainingData file_data(const TrainOptions& options) {
  const DataOptions& data = options.data;
  const PairFiles files = data.pairs();
  const std::string name = files.name();
  const bool truncates = data.too_long == "truncate";
  Side sources("source", data.source_tokens, data.source_limit(), truncates);
  Side targets("target", data.target_tokens, data.target_limit(), truncates);
  PairFilters filters(data);
  BadLines bad(files.expected(), "warning",
               data.skip_bad ? BadLines::OnMalformed::skip : BadLines::OnMalformed::stop);

  PairReader reader(files);
  std::int64_t lines = 0, with_more_columns = 0;
  for (PairLine line; reader.next(line); ++lines) {
    if (!line.fault.empty()) {
      bad.add(files.place_of(line.number), BadLine::Kind::malformed, line.fault);
      continue;
    }
    with_more_columns += line.has_more;
    std::string &source = line.source, &target = line.targets.front();
    try {
      const int source_length = sources.check(source), target_length = targets.check(target);
      filters.check(source, target, source_length, target_length);
    } catch (const BadLine& fault) {
      bad.add(files.place_of(line.number), fault.kind, fault.what());
      continue;
    }
    sources.add(std::move(source));
    targets.add(std::move(target));
  }
  files.check_not_empty(lines);
  ATTUNE_CHECK(!sources.texts().empty(),
               "no pair of {} is left to learn from: {}; lengths go up to {} {} and {} {}", name,
               bad.summary(), option_name("max_source_length"), data.source_limit(),
               option_name("max_target_length"), data.target_limit());
  std::vector<std::string> changes;
  if (bad.count() > 0)
    changes.push_back(
        fmt::format("{} of {} left out: {}", bad.count(), lines_text(lines), bad.summary()));
  for (const Side* side : {&sources, &targets})
    if (!side->summary().empty()) changes.push_back(side->summary());
  for (const std::string& change : changes) warn("{}: {}", name, change);
  warn_of_columns(name, with_more_columns);

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
  return options.data.is_task() ? task_data(options) : file_data(options);
}

}  // namespace attune
