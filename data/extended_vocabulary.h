#pragma once

#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "attune/data/vocabulary.h"

namespace attune {

/// The vocabularies of sources and targets, extended by the tokens of one source that they do not
/// have, so that a model can copy these (See et al. 2017, sec. 2.2):
///
///     ExtendedVocabulary words(source, target, "the aardvark sleeps");
///     const Example example{words.source(), words.encode_target("aardvark sleeps")};
///     fmt::print("{}\n", words.decode_target(found.tokens));
///
/// Target ids from V on, the size of the target vocabulary, are the distinct tokens of the source
/// that are not in it, in their order. Source ids from the size of the source vocabulary on are
/// tokens that are not in that: the rest of the id is the target id that the token is copied as. A
/// decoder that copies maps all these ids, and reads `<unk>` where a network needs an id; other
/// models do not know them. It refers to both vocabularies.
class ExtendedVocabulary {
 public:
  /// Without a source: there are no further tokens.
  ExtendedVocabulary(const Vocabulary& source, const Vocabulary& target);
  /// Extended by the tokens of a source.
  ExtendedVocabulary(const Vocabulary& source, const Vocabulary& target,
                     std::span<const std::string> tokens);
  /// Extended by the tokens of `line`. Errors: it is not UTF-8.
  ExtendedVocabulary(const Vocabulary& source, const Vocabulary& target, std::string_view line);

  /// The ids of the source.
  const std::vector<int>& source() const { return ids_; }
  /// The ids of a target. Tokens that neither the vocabulary nor the source has are `<unk>`, and
  /// are added to `unknown` unless it is null. Errors: `target` is not UTF-8.
  std::vector<int> encode_target(std::string_view target, UnknownTokens* unknown = nullptr) const;

  /// The token of an id of the source, or of a target. `<unk>` if the source does not have it.
  const std::string& source_token(int id) const;
  const std::string& target_token(int id) const;
  /// The text of a target's ids, up to the first `</s>`.
  std::string decode_target(std::span<const int> ids) const;

 private:
  int target_id(const std::string& token) const;

  const Vocabulary &source_, &target_;
  std::vector<int> ids_;
  std::vector<std::string> own_;                 // target ids V, V + 1, ...
  std::unordered_map<std::string, int> places_;  // of these tokens
};

}  // namespace attune
