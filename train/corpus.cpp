#include "attune/train/corpus.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <unordered_set>
#include <vector>

#include "attune/autograd/array/digest.h"
#include "attune/autograd/array/text.h"
#include "attune/data/lines.h"
#include "attune/data/messages.h"
#include "attune/data/pairs.h"
#include "attune/data/spooled_lines.h"

namespace attune {
namespace {

// One side of the pairs of a file.
class Side {
 public:
  Side(const char* name, const std::string& tokens, int limit, bool truncates)
      : name_(name),
        tokenizer_(tokens_named(tokens)),
        builder_(tokenizer_.kind()),
        limit_(limit),
        truncates_(truncates) {}

  // The number of tokens of a text, which is truncated if the options say so. Errors: BadLine, if
  // it has no tokens, or more than the limit.
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
  void add(const std::string& text) { builder_.add(text); }
  Vocabulary vocabulary() const { return builder_.build(); }

  // "2 sources cut to 5 tokens"; empty if none was cut.
  std::string summary() const {
    if (truncated_ == 0) return "";
    return fmt::format("{} {}{} cut to {} tokens", truncated_, name_, truncated_ == 1 ? "" : "s",
                       limit_);
  }

 private:
  const char* name_;
  Vocabulary tokenizer_;
  VocabularyBuilder builder_;
  int limit_;
  bool truncates_;
  std::int64_t truncated_ = 0;
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

// The pairs that are kept: their texts, and what is counted as they are read.
struct Kept {
  explicit Kept(const DataOptions& data)
      : sources("source", data.source_tokens, data.source_limit(), data.too_long == "truncate"),
        targets("target", data.target_tokens, data.target_limit(), data.too_long == "truncate") {}

  Side sources, targets;
  SpooledLines texts;  // source, target, source and so on
  std::int64_t count = 0;
  std::string left_out = {};
};

// Reports what was left out or cut, and returns it as one text.
std::string report(const Kept& kept, const BadLines& bad, const std::string& name,
                   std::int64_t lines) {
  std::vector<std::string> changes;
  if (bad.count() > 0)
    changes.push_back(
        fmt::format("{} of {} left out: {}", bad.count(), lines_text(lines), bad.summary()));
  for (const Side* side : {&kept.sources, &kept.targets})
    if (!side->summary().empty()) changes.push_back(side->summary());
  for (const std::string& change : changes) warn("{}: {}", name, change);
  return joined(changes, "; ");
}

Kept read_texts(const DataOptions& data) {
  const PairFiles files = data.pairs();
  Kept kept(data);
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
      const int source_length = kept.sources.check(source),
                target_length = kept.targets.check(target);
      filters.check(source, target, source_length, target_length);
    } catch (const BadLine& fault) {
      bad.add(files.place_of(line.number), fault.kind, fault.what());
      continue;
    }
    kept.sources.add(source);
    kept.targets.add(target);
    kept.texts.add(source);
    kept.texts.add(target);
    ++kept.count;
  }
  files.check_not_empty(lines);
  ATTUNE_CHECK(kept.count > 0,
               "no pair of {} is left to learn from: {}; lengths go up to {} {} and {} {}",
               files.name(), bad.summary(), option_name("max_source_length"), data.source_limit(),
               option_name("max_target_length"), data.target_limit());
  kept.left_out = report(kept, bad, files.name(), lines);
  warn_of_columns(files.name(), with_more_columns);
  return kept;
}

}  // namespace

Corpus read_corpus(const DataOptions& options) {
  Kept kept = read_texts(options);
  Vocabulary source = kept.sources.vocabulary(), target = kept.targets.vocabulary();
  PairTableBuilder pairs(std::max(source.size(), target.size()));
  std::string sample, source_text, target_text;
  kept.texts.rewind();
  while (kept.texts.next(source_text) && kept.texts.next(target_text)) {
    if (sample.empty()) sample = source_text;
    pairs.add(source.encode(source_text), target.encode(target_text));
  }
  return {std::move(source), std::move(target), std::move(pairs).build(), std::move(sample),
          std::move(kept.left_out)};
}

}  // namespace attune
