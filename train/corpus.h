#pragma once

#include <string>

#include "attune/data/pair_table.h"
#include "attune/data/vocabulary.h"
#include "attune/train/train_options.h"

namespace attune {

/// The pairs of files, encoded.
struct Corpus {
  Vocabulary source, target;
  PairTable pairs;
  std::string sample;         ///< the text of the first source
  std::string left_out = {};  ///< a description of what was left out or cut; empty: nothing
};

/// Reads the pairs of options.data.pairs() twice: once for the vocabularies, while the texts are
/// copied to a temporary file, and once to encode them. Pairs that are left out or cut are reported
/// and counted on standard error. Ids are those of an ExtendedVocabulary if the model copies
/// tokens. Errors: as PairReader::next(); a malformed line (the message gives its number), unless
/// such lines are skipped; no pairs are left.
Corpus read_corpus(const TrainOptions& options);

}  // namespace attune
