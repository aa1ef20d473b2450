#pragma once

#include "attune/extend.h"

namespace extension {

using namespace attune;

/// x sigmoid(gate), where x and gate broadcast: a gated linear unit (Dauphin et al. 2017).
inline Tensor gated(const Tensor& x, const Tensor& gate) {
  Array y =
      map("gated", x.value(), gate.value(), [](auto v, auto u) { return v * math::sigmoid(u); });
  return record("gated", std::move(y), {x, gate}, [x = Saved(x), gate = Saved(gate)](Grads& g) {
    if (g.needs(0))
      g.add(0, map("gated", g.dy(), *gate, [](auto d, auto u) { return d * math::sigmoid(u); }));
    if (g.needs(1))
      g.add(1, map("gated", g.dy(), *x, *gate, [](auto d, auto v, auto u) {
              const auto s = math::sigmoid(u);
              return d * v * s * (1 - s);
            }));
  });
}

}  // namespace extension
