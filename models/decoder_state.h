#pragma once

#include <vector>

#include "attune/layers/attention/attention_state.h"
#include "attune/layers/attention/memory.h"
#include "attune/layers/recurrent_cell.h"

namespace attune {

/// What a decoder carries from step to step. Each kind of decoder fills what it has; all of it has
/// a row for each target that is being written.
struct DecoderState {
  std::vector<RecurrentState> layers;  ///< of recurrent layers, the first one's first
  std::vector<Memory> source;          ///< what attention keeps of the source, for each layer that
                                       ///< looks at it
  std::vector<Memory> seen;   ///< keys and values of the target so far, for each layer of a
                              ///< Transformer
  AttentionState attention;   ///< of a recurrent decoder's attention to the source
  std::int64_t position = 0;  ///< how many tokens it was told

  /// s_{t-1}, the state that asks: the top recurrent layer's.
  const Tensor& query() const { return layers.back().h; }

  /// The state of these rows, in this order; a row may come several times, as in a search. They go
  /// on as if they were alone. Errors: a row that there is not.
  DecoderState select(const Indices& rows) const;
};

}  // namespace attune
