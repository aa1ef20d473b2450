#pragma once

#include <cstddef>
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

  /// The source position with the largest weight for target token `t`, the first in case of a tie.
  /// Errors: `t` is out of range; the source is empty.
  int argmax(int t) const;
};

/// The hard alignment in Moses format: for each target token, a pair `source-target` of positions
/// counted from 0, with the source position of the largest weight, such as "1-0 0-1". Empty if the
/// source or the target is empty.
std::string to_moses(const Alignment& alignment);

}  // namespace attune
