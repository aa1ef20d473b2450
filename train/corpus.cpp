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

VocabularyOptions vocabulary_options(const DataOptions& data, const std::string& tokens) {
  VocabularyOptions options{.kind = tokens_named(tokens), .form = data.form()};
  options.min_count = static_cast<std::size_t>(data.min_count);
  if (data.max_vocabulary) options.max_tokens = static_cast<std::size_t>(*data.max_vocabulary);
  options.subwords = {data.subword_model, data.vocabulary.value_or(SubwordOptions().size)};
  return options;
}

// One side of the pairs. The subwords of a text are only known when all texts have been read.
class Side {
 public:
  Side(const char* name, Tokens kind, const TextForm& form, int limit, bool truncates)
      : name_(name),
        are_subwords_(kind == Tokens::subwords),
        tokenizer_(are_subwords_ ? Tokens::words : kind, form),
        limit_(limit),
        truncates_(truncates) {}

  bool are_subwords() const { return are_subwords_; }

  // The number of tokens of a text, or of its words if tokens are subwords. It is truncated if the
  // options say so. Errors: BadLine, if it has no tokens, or more than the limit.
  int check(std::string& text) {
    std::vector<std::string> tokens = tokenizer_.tokenize(text);
    if (tokens.empty())
      throw BadLine(BadLine::Kind::malformed, fmt::format("the {} has no tokens", name_));
    if (!are_subwords_ && cut(tokens)) text = tokenizer_.join(tokens);
    return static_cast<int>(tokens.size());
  }

  // The ids of a text that was checked. Errors: BadLine, if it has more subwords than the limit.
  std::vector<int> encode(const Vocabulary& vocabulary, const std::string& text) {
    std::vector<int> ids = vocabulary.encode(text);
    cut(ids);
    return ids;
  }

  // "2 sources cut to 5 tokens"; empty if none was cut.
  std::string summary() const {
    if (truncated_ == 0) return "";
    return fmt::format("{} {}{} cut to {} tokens", truncated_, name_, truncated_ == 1 ? "" : "s",
                       limit_);
  }

 private:
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

  const char* name_;
  bool are_subwords_;
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

  // Errors: BadLine, if a pair whose sides have so many tokens is to be left out.
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

// Reads the pairs of files, first as texts and then as ids.
class CorpusReader {
 public:
  explicit CorpusReader(const DataOptions& data);
  Corpus read();

 private:
  void read_texts();
  void keep(PairLine& line);
  PairTable encode(const Vocabulary& source, const Vocabulary& target);
  void check_some_left(std::int64_t count) const;
  std::string left_out() const;

  const DataOptions& data_;
  PairFiles files_;
  Side sources_, targets_;
  PairFilters filters_;
  VocabularyBuilder source_builder_, target_builder_;
  BadLines bad_;
  SpooledLines texts_;  // for each pair that is kept: number of its line, source, target
  std::int64_t lines_ = 0, kept_ = 0;
  std::string sample_;
};

CorpusReader::CorpusReader(const DataOptions& data)
    : data_(data),
      files_(data.pairs()),
      sources_("source", tokens_named(data.source_tokens), data.form(), data.source_limit(),
               data.too_long == "truncate"),
      targets_("target", tokens_named(data.target_tokens), data.form(), data.target_limit(),
               data.too_long == "truncate"),
      filters_(data),
      source_builder_(vocabulary_options(data, data.source_tokens)),
      target_builder_(vocabulary_options(data, data.target_tokens)),
      bad_(files_.expected(), "warning",
           data.skip_bad ? BadLines::OnMalformed::skip : BadLines::OnMalformed::stop) {}

void CorpusReader::check_some_left(std::int64_t count) const {
  ATTUNE_CHECK(count > 0,
               "no pair of {} is left to learn from: {}; lengths go up to {} {} and {} {}",
               files_.name(), bad_.summary(), option_name("max_source_length"),
               data_.source_limit(), option_name("max_target_length"), data_.target_limit());
}

// Keeps the texts of a pair. Errors: BadLine, if it cannot be used or is filtered.
void CorpusReader::keep(PairLine& line) {
  std::string &source = line.source, &target = line.targets.front();
  const int source_length = sources_.check(source), target_length = targets_.check(target);
  if (!sources_.are_subwords() && !targets_.are_subwords())
    filters_.check_lengths(static_cast<std::size_t>(source_length),
                           static_cast<std::size_t>(target_length));
  filters_.check_is_new(source, target);
  source_builder_.add(source);
  (data_.joint_vocabulary ? source_builder_ : target_builder_).add(target);
  for (const std::string& text : {std::to_string(line.number), source, target}) texts_.add(text);
  ++kept_;
}

void CorpusReader::read_texts() {
  PairReader reader(files_);
  std::int64_t with_more_columns = 0;
  for (PairLine line; reader.next(line); ++lines_) {
    if (!line.fault.empty()) {
      bad_.add(files_.place_of(line.number), BadLine::Kind::malformed, line.fault);
      continue;
    }
    with_more_columns += line.has_more;
    try {
      keep(line);
    } catch (const BadLine& fault) {
      bad_.add(files_.place_of(line.number), fault.kind, fault.what());
    }
  }
  files_.check_not_empty(lines_);
  check_some_left(kept_);
  warn_of_columns(files_.name(), with_more_columns);
}

PairTable CorpusReader::encode(const Vocabulary& source, const Vocabulary& target) {
  PairTableBuilder pairs(std::max(source.size(), target.size()));
  std::int64_t count = 0;
  texts_.rewind();
  for (std::string number, source_text, target_text;
       texts_.next(number) && texts_.next(source_text) && texts_.next(target_text);) {
    try {
      const std::vector<int> source_ids = sources_.encode(source, source_text),
                             target_ids = targets_.encode(target, target_text);
      filters_.check_lengths(source_ids.size(), target_ids.size());
      pairs.add(source_ids, target_ids);
    } catch (const BadLine& fault) {
      bad_.add(files_.place_of(std::stoll(number)), fault.kind, fault.what());
      continue;
    }
    if (++count == 1) sample_ = source_text;
  }
  check_some_left(count);
  return std::move(pairs).build();
}

// Reports what was left out or cut, and returns it as one text.
std::string CorpusReader::left_out() const {
  std::vector<std::string> changes;
  if (bad_.count() > 0)
    changes.push_back(
        fmt::format("{} of {} left out: {}", bad_.count(), lines_text(lines_), bad_.summary()));
  for (const Side* side : {&sources_, &targets_})
    if (!side->summary().empty()) changes.push_back(side->summary());
  for (const std::string& change : changes) warn("{}: {}", files_.name(), change);
  return joined(changes, "; ");
}

Corpus CorpusReader::read() {
  read_texts();
  Vocabulary source = source_builder_.build();
  Vocabulary target = data_.joint_vocabulary ? source : target_builder_.build();
  PairTable pairs = encode(source, target);
  return {std::move(source), std::move(target), std::move(pairs), std::move(sample_), left_out()};
}

}  // namespace

Corpus read_corpus(const DataOptions& options) { return CorpusReader(options).read(); }

}  // namespace attune
