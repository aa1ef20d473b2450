#pragma once

#include <string>
#include <vector>

#include "attune/data/pairs.h"

namespace attune {

/// Options of report_html().
struct ReportOptions {
  std::vector<std::string> runs = {};  ///< run folders; several are compared side by side
  int beam = 1;  ///< above 1: also the `beam` best outputs for each recorded source, with scores
  PairFiles data = {};  ///< if there are any, also what the runs write for the sources of pairs
  std::string metrics = "bleu:effective_order=true,chrf";  ///< of these outputs, as texts
};

/// A page that shows trainings: their options, loss and measures over the steps, and the attention
/// that was recorded (see TrainingRecorder), from step to step, for all layers and heads. It is one
/// file of HTML without references to others, so it opens offline. Weights have 256 levels.
///
///     write_file_atomically("report.html", report_html({.runs = {"runs/reverse"}}));
///
/// Errors: no run; `beam` is below 1; as load_run() and load_recording(); a line of metrics.jsonl
/// is damaged; as tested_sentences_json().
std::string report_html(const ReportOptions& options);

}  // namespace attune
