#include "attune/layers/attention/memory.h"

#include <vector>

#include "attune/autograd/ops/shaping.h"

namespace attune {

Memory Memory::select(const Indices& rows) const {
  if (!keys.defined()) return {};
  return {index_select(keys, 1, rows), index_select(values, 1, rows),
          select_lengths(lengths, rows)};
}

Indices select_lengths(const Indices& lengths, const Indices& rows) {
  if (!lengths.defined()) return {};
  std::vector<std::int32_t> selected;
  for (const std::int32_t row : rows.to_vector()) selected.push_back(lengths.at(row));
  return Indices(selected);
}

}  // namespace attune
