#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace attune {

/// How a line is split into tokens: characters (code points), including white space, or words, the
/// runs of characters between ASCII white space.
enum class Tokens { chars, words };

/// "chars" or "words".
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

/// A two-way map between tokens and ids 0 ... size() - 1. The first four ids are special; text
/// never maps to `pad`, `start` or `end`, even where it spells out their names.
class Vocabulary {
 public:
  static constexpr int pad = 0;      ///< `<pad>`, fills the shorter sequences of a batch
  static constexpr int start = 1;    ///< `<s>`, the decoder's first input
  static constexpr int end = 2;      ///< `</s>`, ends a sequence
  static constexpr int unknown = 3;  ///< `<unk>`, stands for every token not in the vocabulary
  static constexpr int specials = 4;

  /// A vocabulary of the special tokens only.
  explicit Vocabulary(Tokens kind);

  /// A vocabulary of all tokens that occur at least `min_count` times in `lines`, the most frequent
  /// first, ties in byte order. Errors: a line is not UTF-8.
  static Vocabulary build(Tokens kind, std::span<const std::string> lines,
                          std::size_t min_count = 1);

  Tokens kind() const { return kind_; }
  int size() const { return static_cast<int>(tokens_.size()); }

  /// The token of `id`. Errors: `id` is outside [0, size()).
  const std::string& token(int id) const;

  /// The id of `token`, or `unknown`.
  int id(std::string_view token) const;

  /// For each token of this vocabulary its id in another, or `unknown`; special tokens stay the
  /// same.
  std::vector<std::int32_t> ids_in(const Vocabulary& other) const;

  /// Splits `line` into tokens. Errors: `line` is not UTF-8.
  std::vector<std::string> tokenize(std::string_view line) const;

  /// The ids of the tokens of `line`, without `start` and `end`. Tokens that are not in the
  /// vocabulary become `unknown` and are added to `unknown_tokens` unless it is null.
  /// Errors: `line` is not UTF-8.
  std::vector<int> encode(std::string_view line, UnknownTokens* unknown_tokens = nullptr) const;

  /// The tokens of `ids` up to the first `end`, without `pad` and `start`.
  /// Errors: an id is outside [0, size()).
  std::vector<std::string> tokens(std::span<const int> ids) const;

  /// tokens(ids) joined into a line, words with spaces between them. Errors: as tokens().
  std::string decode(std::span<const int> ids) const;

  /// Writes plain UTF-8 text: the kind, then one token per line in the order of ids, so that line n
  /// holds id n - 2. Spaces, line ends, other controls and backslashes are escaped: `\s`, `\t`,
  /// `\n`, `\r`, `\\`, bytes as `\x0B`. The file is written completely or not at all.
  /// Errors: it cannot be written.
  void save(const std::string& path) const;

  /// Reads a file written by save(). Errors: the file cannot be read or is malformed (the message
  /// gives file and line).
  static Vocabulary load(const std::string& path);

  bool operator==(const Vocabulary& other) const {
    return kind_ == other.kind_ && tokens_ == other.tokens_;
  }

 private:
  friend class VocabularyBuilder;
  void add(std::string token);

  Tokens kind_;
  std::vector<std::string> tokens_;
  std::unordered_map<std::string, int> ids_;  // without the special tokens
};

/// Makes the vocabulary of lines that come one at a time, in memory for the different tokens only.
class VocabularyBuilder {
 public:
  explicit VocabularyBuilder(Tokens kind) : kind_(kind) {}
  /// Counts the tokens of `line`. Errors: it is not UTF-8.
  void add(std::string_view line);
  /// The same as Vocabulary::build() of all lines.
  Vocabulary build(std::size_t min_count = 1) const;

 private:
  Tokens kind_;
  std::unordered_map<std::string, std::size_t> counts_;
};

}  // namespace attune
