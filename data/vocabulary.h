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

/// How a line is split into tokens: into characters (code points), white space included, or into
/// words, the runs of characters between ASCII white space.
enum class Tokens { chars, words };

/// "chars" or "words".
std::string_view name_of(Tokens kind);

/// The kind of that name. Throws Error that lists the known names.
Tokens tokens_named(std::string_view name);

/// Tokens that a vocabulary does not list, collected over any number of lines.
class UnknownTokens {
 public:
  /// Counts one more of `token`, in constant time.
  void add(const std::string& token);
  /// Each once, in the order of first appearance.
  const std::vector<std::string>& tokens() const { return tokens_; }
  /// How many were added, repeated ones included.
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
  static constexpr int pad = 0;      ///< `<pad>`, fills short sequences of a batch
  static constexpr int start = 1;    ///< `<s>`, what the decoder is given first
  static constexpr int end = 2;      ///< `</s>`, ends a sequence
  static constexpr int unknown = 3;  ///< `<unk>`, stands for every token that is not listed
  static constexpr int specials = 4;

  /// Only the special tokens.
  explicit Vocabulary(Tokens kind);

  /// All tokens of `lines`, the most frequent first, equally frequent ones in the order of their
  /// bytes. Throws Error if a line is not UTF-8.
  static Vocabulary build(Tokens kind, std::span<const std::string> lines);

  Tokens kind() const { return kind_; }
  int size() const { return static_cast<int>(tokens_.size()); }

  /// The token of `id`. Throws Error if `id` is outside of [0, size()).
  const std::string& token(int id) const;

  /// The id of `token`, or `unknown`.
  int id(std::string_view token) const;

  /// `line` cut into tokens. Throws Error if `line` is not UTF-8.
  std::vector<std::string> tokenize(std::string_view line) const;

  /// The ids of the tokens of `line`, without `start` and `end`. Tokens that are not listed become
  /// `unknown` and are added to `unknown_tokens` where it is given. Throws Error if `line` is not
  /// UTF-8.
  std::vector<int> encode(std::string_view line, UnknownTokens* unknown_tokens = nullptr) const;

  /// The tokens of `ids` up to the first `end`, leaving out `pad` and `start`.
  /// Throws Error if an id is outside of [0, size()).
  std::vector<std::string> tokens(std::span<const int> ids) const;

  /// `tokens(ids)` joined: characters by nothing, words by a space.
  std::string decode(std::span<const int> ids) const;

  /// Writes plain UTF-8 text: the kind, then one token a line in the order of ids, so that line n
  /// holds id n - 2. Spaces, line ends, other controls and backslashes are escaped: `\s`, `\t`,
  /// `\n`, `\r`, `\\`, bytes as `\x0B`. The file appears complete or not at all; throws Error
  /// otherwise.
  void save(const std::string& path) const;

  /// Reads what save() wrote. Throws Error that names the file and the line of a fault.
  static Vocabulary load(const std::string& path);

  bool operator==(const Vocabulary& other) const {
    return kind_ == other.kind_ && tokens_ == other.tokens_;
  }

 private:
  void add(std::string token);

  Tokens kind_;
  std::vector<std::string> tokens_;
  std::unordered_map<std::string, int> ids_;  // without the special tokens
};

}  // namespace attune
