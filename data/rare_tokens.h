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

  /// `ids` with some of them replaced by Vocabulary::unknown. Errors: an id has no count.
  Indices replace(const Indices& ids, Generator& random) const;

 private:
  std::vector<double> probability_;  // by id
};

}  // namespace attune
