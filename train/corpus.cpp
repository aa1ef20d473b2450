#include "attune/train/corpus.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "attune/autograd/array/digest.h"
#include "attune/autograd/array/text.h"
#include "attune/data/extended_vocabulary.h"
#include "attune/data/lines.h"
#include "attune/data/messages.h"
#include "attune/data/pairs.h"
#include "attune/data/spooled_lines.h"

namespace attune {
namespace {

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
      : name_(name),
        options_(vocabulary),
        tokenizer_(are_subwords() ? Tokens::words : options_.kind, options_.form),
        limit_(limit),
        truncates_(truncates) {}

  // The number of tokens of a text, which is truncated if the options say so; of subwords, that of
  // words, which is not limited. Errors: BadLine, if it has no tokens, or more than the limit.
  std::size_t check(std::string& text) {
    std::vector<std::string> tokens = tokenizer_.tokenize(text);
    if (tokens.empty())
      throw BadLine(BadLine::Kind::malformed, fmt::format("the {} has no tokens", name_));
    if (!are_subwords() && cut(tokens)) text = tokenizer_.join(tokens);
    return tokens.size();
  }

  // The ids of a text that was checked. Errors: as check(), of subwords.
  std::vector<int> encode(const Vocabulary& vocabulary, const std::string& text) {
    std::vector<int> ids = vocabulary.encode(text);
    cut(ids);
    return ids;
  }

  bool are_subwords() const { return options_.kind == Tokens::subwords; }
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
  Vocabulary tokenizer_;
  int limit_;
  bool truncates_;
  std::int64_t truncated_ = 0;
};

// The filters of whole pairs that the options ask for.
class PairFilters {
 public:
  explicit PairFilters(const DataOptions& data)
      : max_ratio_(data.max_ratio), drops_duplicates_(data.drop_duplicates) {}

  // Errors: BadLine, if a pair with so many tokens is to be left out.
  void check_lengths(std::size_t source, std::size_t target) const {
    const auto [shorter, longer] = std::minmax(source, target);
    if (max_ratio_ && static_cast<double>(longer) > *max_ratio_ * static_cast<double>(shorter))
      throw BadLine(BadLine::Kind::unlike_lengths,
                    fmt::format("the source has {} tokens and the target {}, one more than {} "
                                "times the other",
                                source, target, *max_ratio_));
  }

  // Errors: BadLine, if the pair came before and is to be left out.
  void check_is_new(const std::string& source, const std::string& target) {
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

// Reads the pairs of files twice: the texts, and then the tokens.
class CorpusReader {
 public:
  CorpusReader(const DataOptions& data, bool copies_tokens)
      : data_(data),
        copies_tokens_(copies_tokens),
        files_(data.pairs()),
        sources_("source", vocabulary_options(data, data.source_tokens), data.source_limit(),
                 data.too_long == "truncate"),
        targets_("target", vocabulary_options(data, data.target_tokens), data.target_limit(),
                 data.too_long == "truncate"),
        filters_(data),
        bad_(files_.expected(), "warning",
             data.skip_bad ? BadLines::OnMalformed::skip : BadLines::OnMalformed::stop) {}

  Corpus read() {
    VocabularyBuilder source(sources_.options()), target(targets_.options());
    read_texts(source, data_.joint_vocabulary ? source : target);
    Vocabulary first = source.build();
    Vocabulary second = data_.joint_vocabulary ? first : target.build();
    return encode(std::move(first), std::move(second));
  }

 private:
  void read_texts(VocabularyBuilder& source_tokens, VocabularyBuilder& target_tokens);
  Corpus encode(Vocabulary source, Vocabulary target);
  Example ids_of(const Vocabulary& source, const Vocabulary& target, const std::string& source_text,
                 const std::string& target_text);
  void check_some_left(std::int64_t count) const;
  std::string report() const;

  const DataOptions& data_;
  bool copies_tokens_;
  PairFiles files_;
  Side sources_, targets_;
  PairFilters filters_;
  BadLines bad_;
  SpooledLines texts_;  // of each pair that is kept: its line's number, source and target
  std::int64_t lines_ = 0, with_more_columns_ = 0;
};

// Keeps the texts that pass the filters, and counts their tokens. The lengths of subwords are not
// known yet.
void CorpusReader::read_texts(VocabularyBuilder& source_tokens, VocabularyBuilder& target_tokens) {
  PairReader reader(files_);
  std::int64_t kept = 0;
  for (PairLine line; reader.next(line); ++lines_) {
    if (!line.fault.empty()) {
      bad_.add(files_.place_of(line.number), BadLine::Kind::malformed, line.fault);
      continue;
    }
    with_more_columns_ += line.has_more;
    std::string &source = line.source, &target = line.targets.front();
    try {
      const std::size_t source_length = sources_.check(source),
                        target_length = targets_.check(target);
      if (!sources_.are_subwords() && !targets_.are_subwords())
        filters_.check_lengths(source_length, target_length);
      filters_.check_is_new(source, target);
    } catch (const BadLine& fault) {
      bad_.add(files_.place_of(line.number), fault.kind, fault.what());
      continue;
    }
    source_tokens.add(source);
    target_tokens.add(target);
    for (const std::string& text : {std::to_string(line.number), source, target}) texts_.add(text);
    ++kept;
  }
  files_.check_not_empty(lines_);
  check_some_left(kept);
}

// The ids of a pair. Errors: as Side::encode().
Example CorpusReader::ids_of(const Vocabulary& source, const Vocabulary& target,
                             const std::string& source_text, const std::string& target_text) {
  if (!copies_tokens_)
    return {sources_.encode(source, source_text), targets_.encode(target, target_text)};
  std::vector<std::string> tokens = source.tokenize(source_text);
  sources_.cut(tokens);
  const ExtendedVocabulary words(source, target, tokens);
  std::vector<int> ids = words.encode_target(target_text);
  targets_.cut(ids);
  return {words.source(), std::move(ids)};
}

Corpus CorpusReader::encode(Vocabulary source, Vocabulary target) {
  // Of copied tokens, ids are below this sum; see ExtendedVocabulary.
  const int below = copies_tokens_ ? source.size() + target.size() + data_.source_limit()
                                   : std::max(source.size(), target.size());
  PairTableBuilder pairs(below);
  std::int64_t kept = 0;
  std::string sample, number, source_text, target_text;
  texts_.rewind();
  while (texts_.next(number) && texts_.next(source_text) && texts_.next(target_text)) {
    try {
      const Example ids = ids_of(source, target, source_text, target_text);
      filters_.check_lengths(ids.source.size(), ids.target.size());
      pairs.add(ids.source, ids.target);
    } catch (const BadLine& fault) {
      bad_.add(files_.place_of(std::stoll(number)), fault.kind, fault.what());
      continue;
    }
    if (++kept == 1) sample = source_text;
  }
  check_some_left(kept);
  return {std::move(source), std::move(target), std::move(pairs).build(), std::move(sample),
          report()};
}

void CorpusReader::check_some_left(std::int64_t count) const {
  ATTUNE_CHECK(count > 0,
               "no pair of {} is left to learn from: {}; lengths go up to {} {} and {} {}",
               files_.name(), bad_.summary(), option_name("max_source_length"),
               data_.source_limit(), option_name("max_target_length"), data_.target_limit());
}

// Reports what was left out or cut, and returns it as one text.
std::string CorpusReader::report() const {
  std::vector<std::string> changes;
  if (bad_.count() > 0)
    changes.push_back(
        fmt::format("{} of {} left out: {}", bad_.count(), lines_text(lines_), bad_.summary()));
  for (const Side* side : {&sources_, &targets_})
    if (!side->summary().empty()) changes.push_back(side->summary());
  for (const std::string& change : changes) warn("{}: {}", files_.name(), change);
  warn_of_columns(files_.name(), with_more_columns_);
  return joined(changes, "; ");
}

}  // namespace

Corpus read_corpus(const TrainOptions& options) {
  return CorpusReader(options.data, copies_tokens(options.model)).read();
}

}  // namespace attune
