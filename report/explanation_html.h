#pragma once

#include <string>

#include "attune/train/explanation.h"

namespace attune {

/// An explanation as a page: one file of HTML without references to others and without a script,
/// with all numbers, in the look of the report. Vectors are drawn, and written out on demand.
///
///     write_file_atomically("explanation.html", explanation_html(explain(options, "attention")));
std::string explanation_html(const Explanation& explanation);

}  // namespace attune
