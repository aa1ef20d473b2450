#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "attune/autograd/array/arguments.h"
#include "attune/autograd/array/family.h"
#include "attune/data/pairs.h"

namespace attune {

/// A synthetic task: sources, what they are to become, and where each letter of a target comes
/// from. Without further functions, sources are random words of the letters a ... z, and targets
/// rearrange them.
struct Task {
  /// The true alignment: for each target position the source position that its letter comes from,
  /// -1 if it comes from none. `sort` keeps equal letters in order. Not set: letters of targets do
  /// not come from single positions.
  std::function<std::vector<int>(std::string_view source)> true_positions;

  /// True if a target letter may come from any source position with that letter: sorting does not
  /// distinguish equal letters, while copying and reversing go by position.
  bool equal_letters_are_one = false;

  /// The target of a source. Not set: target[t] = source[true_positions(source)[t]].
  std::function<std::string(std::string_view source)> target = {};

  /// Draws a source of at most `length` letters; below(n) is a random number in [0, n). Not set:
  /// `length` random letters.
  std::function<std::string(int length, const std::function<int(int)>& below)> draw = {};

  std::string symbols = "abcdefghijklmnopqrstuvwxyz";  ///< the letters of sources and targets
  int min_length = 1, max_length = std::numeric_limits<int>::max();  ///< of sources
  int expansion = 1;  ///< a target has at most so many times the letters of its source
};

/// The options of a task, which follow its name: "repeat:times=3".
struct TaskOptions {
  Arguments arguments = {};
};

using TaskMaker = std::function<Task(const TaskOptions&)>;

/// The tasks that can be chosen by name, such as copy, reverse and sort.
Family<TaskMaker>& tasks();
/// The task of that name, which may have options. Errors: an unknown name (the message lists the
/// known ones), or an option that the task does not have.
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
  int min_length = 1;   ///< letters of a source; at least 1, and that of the task counts if larger
  int max_length = 20;  ///< letters; lengths are uniform in [min_length, max_length]

  /// Example `index`. Errors: not 1 <= min_length <= max_length; sources of the task are always
  /// longer or shorter than max_length.
  Pair operator[](std::uint64_t index) const;
};

}  // namespace attune
