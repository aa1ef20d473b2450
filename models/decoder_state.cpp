#include "attune/models/decoder_state.h"

#include "attune/autograd/ops/shaping.h"

namespace attune {
namespace {

template <typename T>
std::vector<T> select_each(const std::vector<T>& all, const Indices& rows) {
  std::vector<T> selected;
  for (const T& one : all) selected.push_back(one.select(rows));
  return selected;
}

// The origin of the given rows; see DecoderState::origin.
Indices select_origin(const Indices& origin, const Indices& rows) {
  return origin.defined() ? select_lengths(origin, rows) : rows;
}

// Whether all rows of a batch have the origins that they had before.
bool is_same(const Indices& origin, const Indices& before) {
  if (!before.defined()) return false;
  return origin.to_vector() == before.to_vector();
}

}  // namespace

DecoderState DecoderState::select(const Indices& rows) const {
  const Indices of_rows = select_origin(origin, rows);
  const bool is_shared = is_same(of_rows, origin);
  DecoderState selected{.layers = {},
                        .source = is_shared ? source : select_each(source, rows),
                        .seen = select_each(seen, rows),
                        .origin = of_rows,
                        .output = is_shared ? output : output.select(rows),
                        .combined = combined.defined() ? index_select(combined, 0, rows) : Tensor(),
                        .attention = attention.select(rows),
                        .position = position,
                        .weights = weights,
                        .logits = logits};
  for (const RecurrentState& layer : layers)
    selected.layers.push_back({index_select(layer.h, 0, rows),
                               layer.c.defined() ? index_select(layer.c, 0, rows) : Tensor()});
  return selected;
}

}  // namespace attune
