#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace attune {

/// Where a decoder looked: for every target token, in order, one weight for each source token.
/// Functions of alignments throw Error unless there are as many weights as token pairs.
struct Alignment {
  std::vector<std::string> source, target;
  std::vector<float> weights;  ///< [T_target, T_source], row-major, each in [0, 1]

  /// The weight of source token `s` for target token `t`, unchecked.
  float weight(int t, int s) const {
    return weights[static_cast<std::size_t>(t) * source.size() + static_cast<std::size_t>(s)];
  }

  /// Throws Error unless there are as many weights as token pairs.
  void check() const;

  /// The source position of the heaviest weight for target token `t`, the first of equal ones.
  /// Throws Error if `t` is outside of the target or the source is empty.
  int argmax(int t) const;
};

/// The hard alignment in Moses form: a pair `source-target` of positions from 0 for each target
/// token, by the heaviest weight, such as "1-0 0-1". Empty if either side is.
std::string to_moses(const Alignment& alignment);

}  // namespace attune
