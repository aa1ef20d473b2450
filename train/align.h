#pragma once

#include <optional>
#include <string>
#include <vector>

#include "attune/alignment/heat_map.h"
#include "attune/autograd/array/threads.h"
#include "attune/search/search.h"
#include "attune/train/fields.h"

namespace attune {

/// Options of align().
struct AlignOptions {
  std::string run = {};                       ///< the run folder
  std::string target = {};                    ///< empty: the model's own output
  bool heads = false;                         ///< every head apart
  std::optional<int> layer = {};              ///< with `heads`: of this layer only, from 1
  std::optional<int> max_source_length = {};  ///< default: that of the training
  std::optional<int> max_output_length = {};  ///< see RunConfig::max_output_length()
  SearchOptions search = {};                  ///< beam and penalties
  int threads = attune::threads();
};

std::vector<Field> fields(AlignOptions& options);

/// A figure of the alignment that a trained model gives to a source and its target: the last
/// layer's attention weights, averaged over heads, or those of every head, layer by layer. Warns on
/// standard error of unknown tokens, and of an output that was cut off.
/// Errors: as load_run() and encode_source(); options out of range; the model has no attention, or
/// no such layer; a target without tokens.
AlignmentFigure align(const AlignOptions& options, const std::string& source);

}  // namespace attune
