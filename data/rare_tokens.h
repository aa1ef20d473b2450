#pragma once

#include <cstdint>
#include <vector>

#include "attune/autograd/array/indices.h"
#include "attune/autograd/array/random.h"

namespace attune {

/// Makes a model learn what to do with tokens that are not in its vocabulary: reads rare tokens as
/// `<unk>` at random in training, a token that occurs n times with probability
///
///     alpha / (alpha + n)
///
/// (Kiperwasser and Goldberg 2016, sec. 4, who take alpha = 0.25).
class RareTokens {
 public:
  /// `counts` are the occurrences of each id in the training data; special tokens are never
  /// replaced. Errors: alpha is not above 0.
  RareTokens(const std::vector<std::int64_t>& counts, double alpha);
  /// For models that copy tokens, which can still copy those that are replaced: `copied_as` are the
  /// target ids of each id, or `<unk>`. Ids are replaced by those of an ExtendedVocabulary, which
  /// are read as `<unk>`; those that are no target tokens stay, and so do ids without a count.
  RareTokens(const std::vector<std::int64_t>& counts, double alpha,
             const std::vector<std::int32_t>& copied_as);

  /// `ids` with some of them replaced. Errors: an id has no count.
  Indices replace(const Indices& ids, Generator& random) const;

 private:
  std::vector<double> probability_;        // by id
  std::vector<std::int32_t> replacement_;  // by id; empty: <unk>
};

}  // namespace attune
