#pragma once

#include <string>
#include <vector>

#include "options.h"

namespace seq2seq {

/// The options of a training that was begun with the flags `recorded` and goes on with `given`:
/// where to write, threads and checkpoints follow the latter. Errors, which name the flag: one that
/// contradicts the recorded ones, since the result would be neither training's.
TrainOptions options_for_resuming(const TrainOptions& given,
                                  const std::vector<std::string>& recorded);

}  // namespace seq2seq
