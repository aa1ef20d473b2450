#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "attune/data/pairs.h"

namespace attune {

/// A synthetic task: a target that rearranges the letters a ... z of its source.
struct Task {
  std::string_view name;
  std::string_view purpose;  ///< for a program's help

  /// For each target position the source position that its letter came from, which is what an
  /// alignment should find: target[t] = source[true_positions(source)[t]]. Where a letter stands
  /// several times, `sort` keeps their order.
  std::vector<int> (*true_positions)(std::string_view source);

  /// True where a letter may come from any place that holds it: sorting does not tell equal letters
  /// apart, while copying and reversing go by position.
  bool equal_letters_are_one = false;
};

/// Every synthetic task: copy, reverse, sort.
const std::vector<Task>& tasks();

/// The task of that name. Throws Error that lists the known names.
const Task& task_named(std::string_view name);

/// What examples are for. No sequence of three or more letters belongs to two of these, whatever
/// the seeds: a tenth of all, told by a hash of the letters, is kept for `valid` and another for
/// `test`. Of one or two letters there are only 702 sequences; all three share them, since a model
/// that never met a letter on its own has no reason to know what to do with it.
enum class Split { train, valid, test };

/// Makes the examples of a synthetic task out of nothing but numbers: example `index` is the same
/// at every call, in any order, on any machine.
struct SyntheticPairs {
  const Task* task;
  Split split = Split::train;
  std::uint64_t seed = 0;
  int min_length = 1;   ///< letters; at least 1
  int max_length = 20;  ///< letters; lengths are uniform in [min_length, max_length]

  /// Example `index`. Throws Error if the lengths are no range.
  Pair operator[](std::uint64_t index) const;
};

}  // namespace attune
