#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "attune/autograd/array/family.h"
#include "attune/data/pairs.h"

namespace attune {

/// A synthetic task: a target that rearranges the letters a ... z of its source.
struct Task {
  /// The true alignment: for each target position the source position that its letter comes from,
  /// target[t] = source[true_positions(source)[t]]. `sort` keeps equal letters in order.
  std::function<std::vector<int>(std::string_view source)> true_positions;

  /// True if a target letter may come from any source position with that letter: sorting does not
  /// distinguish equal letters, while copying and reversing go by position.
  bool equal_letters_are_one = false;
};

using TaskMaker = std::function<Task()>;

/// The tasks that can be chosen by name: copy, reverse, sort.
Family<TaskMaker>& tasks();
/// The task of that name. Errors: an unknown name; the message lists the known ones.
Task make_task(std::string_view name);
/// The names that make_task() accepts.
std::vector<std::string> task_names();

/// The splits of the data. No sequence of three or more letters is in two of them, for any seeds:
/// by a hash of the letters, a tenth of all sequences is reserved for `valid` and a tenth for
/// `test`. The 702 sequences of one or two letters are in all three, since a model that never saw a
/// letter alone cannot be expected to handle it.
enum class Split { train, valid, test };

/// Generates the examples of a synthetic task: example `index` is the same at every call, in any
/// order, on any machine.
struct SyntheticPairs {
  Task task;
  Split split = Split::train;
  std::uint64_t seed = 0;
  int min_length = 1;   ///< letters; at least 1
  int max_length = 20;  ///< letters; lengths are uniform in [min_length, max_length]

  /// Example `index`. Errors: not 1 <= min_length <= max_length.
  Pair operator[](std::uint64_t index) const;
};

}  // namespace attune
