#pragma once

#include <vector>

#include "attune/layers/attention/attention_state.h"
#include "attune/layers/attention/memory.h"
#include "attune/layers/recurrent_cell.h"
#include "attune/layers/transformer_decoder.h"
#include "attune/models/output_layer.h"

namespace attune {

/// The state that a decoder passes from step to step. Each kind of decoder uses the members that it
/// needs. The batch of every tensor in it has one row per target.
struct DecoderState {
  std::vector<RecurrentState> layers;  ///< of the recurrent layers, from the first to the last
  std::vector<Memory> source;          ///< keys and values of the source, for each layer with
                                       ///< attention to it
  std::vector<SeenPositions> seen;     ///< the target so far, for each layer of a Transformer
  Indices origin;       ///< [B]: the row of the batch of sources that each target belongs to; not
                        ///< defined: target b belongs to source b
  OutputSource output;  ///< of a recurrent decoder's output layer
  Tensor combined;  ///< [B, C]: of the previous step of a recurrent decoder; see OutputInput. Not
                    ///< defined without input feeding
  AttentionState attention;   ///< of a recurrent decoder's attention to the source
  std::int64_t position = 0;  ///< the number of tokens processed so far
  bool weights = true;  ///< whether predict() should return attention weights that it does not need
  bool logits = true;   ///< whether predict() should compute the logits of all rows; if not, it may
                        ///< leave them to its caller

  /// s_{t-1}, the attention query: the state of the top recurrent layer.
  const Tensor& query() const { return layers.back().h; }

  /// The state of the given rows, in this order. A row may be selected more than once, as in a beam
  /// search: the copies then continue independently. Keys and values of the source are shared, not
  /// copied, if each row keeps its source. Errors: a row out of range.
  DecoderState select(const Indices& rows) const;
};

}  // namespace attune
