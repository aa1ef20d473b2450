#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace attune {

/// An alignment of a target with its source: the attention weights of each target token over the
/// source tokens. Functions that take an alignment throw Error as check() does.
struct Alignment {
  std::vector<std::string> source, target;
  std::vector<float> weights;  ///< [T_target, T_source], row-major, each in [0, 1]

  /// The weight of source token `s` for target token `t`, unchecked.
  float weight(int t, int s) const {
    return weights[static_cast<std::size_t>(t) * source.size() + static_cast<std::size_t>(s)];
  }

  /// Errors: the number of weights is not that of the target tokens times that of the source
  /// tokens.
  void check() const;
};

/// The source position of a target token that attends to nothing.
constexpr int kNowhere = -1;

/// The hard alignment of weights [T_target, T_source]: for each target token, the source position
/// with the largest weight, the first in case of a tie. It is kNowhere if the weights of a token
/// sum to less than 0.1, as with normalisers that may attend to nothing. Empty without weights.
/// Errors: the number of weights is not a multiple of `source_length`.
std::vector<int> hard_alignment(std::span<const float> weights, std::size_t source_length);

/// The hard alignment in Moses format: for each target token, a pair `source-target` of positions
/// counted from 0, such as "1-0 0-1". Tokens that attend to nothing are left out. Empty if the
/// source or the target is empty.
std::string to_moses(const Alignment& alignment);

}  // namespace attune
