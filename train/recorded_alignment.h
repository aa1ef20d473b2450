#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "attune/alignment/heat_map.h"

namespace attune {

/// A figure of how an alignment emerged in a training: a panel for each of `steps`, or for all that
/// were recorded if there are none, with the attention weights of pair `example`, from 1, of the
/// recording in the run folder (see TrainingRecorder): those of the last layer, averaged over its
/// heads, without the row of `</s>`.
///
///     write_file_atomically("emergence.svg", to_svg(recorded_alignment("runs/demo", {1, 100})));
///
/// Errors: as load_run() and load_recording(); nothing was recorded; there is no such step or
/// example.
AlignmentFigure recorded_alignment(const std::string& run, const std::vector<std::int64_t>& steps,
                                   std::int64_t example = 1);

}  // namespace attune
