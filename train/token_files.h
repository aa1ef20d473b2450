#pragma once

#include <optional>
#include <string>
#include <vector>

#include "attune/train/corpus.h"

namespace attune {

/// What the corpus of a training depends on: the path, size and time of change of each file of
/// pairs, and each option that decides about pairs and vocabularies. Errors: a file is not a plain
/// one, such as standard input.
std::vector<std::string> token_key(const TrainOptions& options);

/// A folder that keeps the corpus of a training: pairs.tokens, which later trainings on the same
/// data map into memory, source.vocab and target.vocab.
///
/// pairs.tokens has a header of eight numbers of eight bytes: "attune-t", version, digest of all
/// that follows, bytes an id, pairs, ids, bytes of text, 0. Then come offsets and ids of the
/// PairTable, filled up to eight bytes, and a JSON object with the key, the digests of the
/// vocabularies' files and the texts of the Corpus. Numbers are those of the machine.
class TokenFiles {
 public:
  TokenFiles(std::string folder, std::vector<std::string> key)
      : folder_(std::move(folder)), key_(std::move(key)) {}

  /// The corpus; nullopt if there is none in the folder, or one of another key, or if a file is
  /// damaged, of which the last two are told on standard error.
  std::optional<Corpus> load() const;
  /// Keeps a corpus, unless `key`, the key after it was read, differs from that before. Returns
  /// false if it cannot be kept, after a warning.
  bool save(const Corpus& corpus, const std::vector<std::string>& key) const;

 private:
  std::string file(const char* name) const { return folder_ + "/" + name; }
  std::string vocabulary_digest(const char* name) const;

  std::string folder_;
  std::vector<std::string> key_;
};

}  // namespace attune
