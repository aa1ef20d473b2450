#include "attune/layers/attention/attention_state.h"

#include <vector>

#include "attune/autograd/ops/shaping.h"

namespace attune {
namespace {

// The state's rows for the given rows of the batch: row b has the rows b H ... b H + H - 1.
Indices with_heads(const Indices& rows, std::int64_t heads) {
  std::vector<std::int32_t> all;
  for (const std::int32_t row : rows.to_vector())
    for (std::int64_t head = 0; head < heads; ++head)
      all.push_back(static_cast<std::int32_t>(row * heads + head));
  return Indices(all);
}

}  // namespace

AttentionState AttentionState::select(const Indices& rows) const {
  const Indices all = with_heads(rows, heads);
  const auto selected = [&](const Tensor& x) {
    return x.defined() ? index_select(x, 0, all) : Tensor();
  };
  return {selected(weights), selected(coverage), selected(position), heads, steps};
}

}  // namespace attune
