#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "attune/autograd/array/random.h"
#include "attune/data/vocabulary.h"

namespace attune {

/// Cuts words into other pieces of a BPE vocabulary each time (BPE-dropout, Provilkov et al. 2020,
/// sec. 3.2). Words are put together again from their characters, but before each merge every
/// candidate is left out with a fixed probability, so a model sees each word in many forms, and
/// learns what its parts mean. With probability 0 the pieces are those of the vocabulary.
class SubwordDropout {
 public:
  /// Errors: the vocabulary has no subwords; the probability is outside [0, 1).
  SubwordDropout(const Vocabulary& vocabulary, double probability);

  /// Other pieces of the text that `ids` stand for. Unknown pieces, and those with a character that
  /// the vocabulary does not have, stay.
  std::vector<int> operator()(const std::vector<int>& ids, Generator& random) const;

 private:
  void join(std::vector<int>& word, Generator& random) const;

  double probability_;
  std::vector<bool> begins_word_;                  // by id
  std::vector<std::vector<int>> characters_;       // by id: the pieces of each character, or the id
  std::unordered_map<std::uint64_t, int> joined_;  // the piece that two pieces make together
};

}  // namespace attune
