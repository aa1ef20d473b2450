#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "attune/autograd/array/random.h"
#include "attune/data/subwords.h"
#include "attune/data/text_form.h"

namespace attune {

/// How a line is split into tokens: characters (code points), including white space; words, the
/// runs of characters between ASCII white space; or subwords, the pieces of a SubwordModel.
enum class Tokens { chars, words, subwords };

/// "chars", "words" or "subwords".
std::string_view name_of(Tokens kind);

/// The kind called `name`. Errors: an unknown name (the message lists the valid ones).
Tokens tokens_named(std::string_view name);

/// Collects the tokens of any number of lines that are not in a vocabulary.
class UnknownTokens {
 public:
  /// Counts an occurrence of `token`, in constant time.
  void add(const std::string& token);
  /// The distinct tokens, in order of first appearance.
  const std::vector<std::string>& tokens() const { return tokens_; }
  /// The number of occurrences of all tokens.
  std::int64_t occurrences() const { return occurrences_; }

 private:
  std::vector<std::string> tokens_;
  std::unordered_set<std::string> seen_;
  std::int64_t occurrences_ = 0;
};

/// How a vocabulary is made of text.
struct VocabularyOptions {
  Tokens kind = Tokens::chars;
  TextForm form = {};         ///< of every line, before it is split
  std::size_t min_count = 1;  ///< chars and words: leave out tokens that occur fewer times
  /// chars and words: keep the most frequent tokens only, so many besides the special ones.
  std::optional<std::size_t> max_tokens = {};
  SubwordOptions subwords = {};
};

/// A two-way map between tokens and ids 0 ... size() - 1. The first four ids are special; text
/// never maps to `pad`, `start` or `end`, even where it spells out their names.
class Vocabulary {
 public:
  static constexpr int pad = 0;      ///< `<pad>`, fills the shorter sequences of a batch
  static constexpr int start = 1;    ///< `<s>`, the decoder's first input
  static constexpr int end = 2;      ///< `</s>`, ends a sequence
  static constexpr int unknown = 3;  ///< `<unk>`, stands for every token not in the vocabulary
  static constexpr int specials = 4;

  /// A vocabulary of the special tokens only. Errors: the kind is subwords, which need a model.
  explicit Vocabulary(Tokens kind, TextForm form = {});

  /// A vocabulary of the pieces of a subword model.
  explicit Vocabulary(SubwordModel subwords, TextForm form = {});

  /// A vocabulary of the tokens in `lines`, the most frequent first, ties in byte order; see
  /// VocabularyBuilder. Errors: a line is not UTF-8; see SubwordModel::train().
  static Vocabulary build(const VocabularyOptions& options, std::span<const std::string> lines);
  static Vocabulary build(Tokens kind, std::span<const std::string> lines);

  Tokens kind() const { return kind_; }
  const TextForm& form() const { return form_; }
  /// The model of subwords; null for other kinds.
  const SubwordModel* subwords() const { return subwords_ ? &*subwords_ : nullptr; }
  int size() const { return static_cast<int>(tokens_.size()); }

  /// The token of `id`. Errors: `id` is outside [0, size()).
  const std::string& token(int id) const;

  /// The id of `token`, or `unknown`.
  int id(std::string_view token) const;

  /// For each token of this vocabulary its id in another, or `unknown`; special tokens stay the
  /// same.
  std::vector<std::int32_t> ids_in(const Vocabulary& other) const;

  /// Splits `line`, in the form(), into tokens. Errors: `line` is not UTF-8.
  std::vector<std::string> tokenize(std::string_view line) const;

  /// The ids of the tokens of `line`, without `start` and `end`. Tokens that are not in the
  /// vocabulary become `unknown` and are added to `unknown_tokens` unless it is null.
  /// Errors: `line` is not UTF-8.
  std::vector<int> encode(std::string_view line, UnknownTokens* unknown_tokens = nullptr) const;

  /// The tokens of `ids` up to the first `end`, without `pad` and `start`.
  /// Errors: an id is outside [0, size()).
  std::vector<std::string> tokens(std::span<const int> ids) const;

  /// tokens(ids) joined into a line: words with spaces between them, subwords with the spaces that
  /// they stand for. Errors: as tokens().
  std::string decode(std::span<const int> ids) const;
  std::string join(std::span<const std::string> tokens) const;  ///< the same of tokens

  /// Writes plain UTF-8 text: the kind and the form, such as "words lowercase nfc", then one token
  /// per line in the order of ids, so that line n holds id n - 2. Spaces, line ends, other controls
  /// and backslashes are escaped: `\s`, `\t`, `\n`, `\r`, `\\`, bytes as `\x0B`. Below the first
  /// line of subwords is SentencePiece's file as it is. The file is written completely or not at
  /// all. Errors: it cannot be written.
  void save(const std::string& path) const;

  /// Reads a file written by save(). Errors: the file cannot be read or is malformed (the message
  /// gives file and line).
  static Vocabulary load(const std::string& path);

  bool operator==(const Vocabulary& other) const;

 private:
  friend class VocabularyBuilder;
  void add(std::string token);
  std::vector<std::string> split(std::string_view line) const;  // a line in the form()

  Tokens kind_;
  TextForm form_;
  std::optional<SubwordModel> subwords_;
  std::vector<std::string> tokens_;
  std::unordered_map<std::string, int> ids_;  // without the special tokens
};

/// Makes a vocabulary of any number of lines, of which it keeps no more than it needs:
///
///     VocabularyBuilder builder({.kind = Tokens::words, .min_count = 2});
///     while (reader.next(line)) builder.add(line);
///     const Vocabulary words = builder.build();
class VocabularyBuilder {
 public:
  explicit VocabularyBuilder(const VocabularyOptions& options);

  /// Counts the tokens of `line`. A subword model learns from kSubwordLines lines at most, which
  /// are drawn from all lines with equal probability. Errors: `line` is not UTF-8.
  void add(std::string_view line);

  /// The vocabulary of all lines so far. Errors: see SubwordModel::train().
  Vocabulary build() const;

  static constexpr std::size_t kSubwordLines = 500'000;

 private:
  VocabularyOptions options_;
  Vocabulary tokenizer_;  // of chars or words
  std::unordered_map<std::string, std::size_t> counts_;
  std::vector<std::string> lines_;  // for subwords
  std::uint64_t seen_ = 0;          // the number of lines
  Generator random_;                // which of them to keep
};

}  // namespace attune
