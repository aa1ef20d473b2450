#include "attune/layers/attention/memory.h"

#include <numeric>
#include <vector>

#include "attune/autograd/ops/shaping.h"

namespace attune {

Memory Memory::select(const Indices& queries) const {
  if (!keys.defined()) return {};
  if (rows.defined()) return {keys, values, lengths, select_lengths(rows, queries)};
  return {index_select(keys, 1, queries), index_select(values, 1, queries),
          select_lengths(lengths, queries)};
}

Memory Memory::shared() const {
  if (!keys.defined() || rows.defined()) return *this;
  std::vector<std::int32_t> own(static_cast<std::size_t>(keys.size(1)));
  std::iota(own.begin(), own.end(), 0);
  return {keys, values, lengths, Indices(own)};
}

Memory Memory::copied() const {
  return rows.defined() ? Memory{keys, values, lengths}.select(rows) : *this;
}

Indices Memory::query_lengths() const {
  return rows.defined() ? select_lengths(lengths, rows) : lengths;
}

Indices select_lengths(const Indices& lengths, const Indices& rows) {
  if (!lengths.defined()) return {};
  std::vector<std::int32_t> selected;
  for (const std::int32_t row : rows.to_vector()) selected.push_back(lengths.at(row));
  return Indices(selected);
}

}  // namespace attune
