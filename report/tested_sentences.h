#pragma once

#include <string>

#include "attune/report/report.h"
#include "attune/train/run.h"

namespace attune {

/// What a run writes for the sources of options.data, as a JSON object for the page of a report:
/// for each source its tokens, output, references and scores, and the weights of attention with 256
/// levels. Errors: as read_questions() and make_text_metrics().
std::string tested_sentences_json(const Run& run, const ReportOptions& options);

}  // namespace attune
