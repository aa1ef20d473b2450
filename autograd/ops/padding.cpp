#include "attune/autograd/ops/padding.h"

#include <algorithm>
#include <utility>

#include "attune/autograd/kernels/padding.h"

namespace attune {

using namespace kernels;

Tensor mask_padding(Tensor x, const Indices& lengths) {
  if (!lengths.defined()) return x;
  ATTUNE_CHECK(x.rank() >= 2, "mask_padding: x must be [T, B, ...], time first; got {}", x.shape());
  const std::int64_t steps = x.size(0), batch = x.size(1);
  check_lengths("mask_padding", lengths, steps, batch);
  if (std::all_of(lengths.data(), lengths.data() + batch, [=](auto n) { return n == steps; }))
    return x;
  const bool temporary = x.value().unique();  // its memory is not shared
  return record("mask_padding", clear_padding(std::as_const(x).value(), lengths, temporary), {x},
                [lengths](Grads& g) { g.add(0, clear_padding(g.dy(), lengths)); });
}

}  // namespace attune
