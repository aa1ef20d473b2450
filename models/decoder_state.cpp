#include "attune/models/decoder_state.h"

#include "attune/autograd/ops/shaping.h"

namespace attune {
namespace {

std::vector<Memory> select_each(const std::vector<Memory>& memories, const Indices& rows) {
  std::vector<Memory> selected;
  for (const Memory& memory : memories) selected.push_back(memory.select(rows));
  return selected;
}

}  // namespace

DecoderState DecoderState::select(const Indices& rows) const {
  DecoderState selected{.layers = {},
                        .source = select_each(source, rows),
                        .seen = select_each(seen, rows),
                        .attention = attention.select(rows),
                        .position = position};
  for (const RecurrentState& layer : layers)
    selected.layers.push_back({index_select(layer.h, 0, rows),
                               layer.c.defined() ? index_select(layer.c, 0, rows) : Tensor()});
  return selected;
}

}  // namespace attune
