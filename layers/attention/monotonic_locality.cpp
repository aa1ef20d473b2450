#include "attune/layers/attention/monotonic_locality.h"

namespace attune {

MonotonicLocality::MonotonicLocality(std::int64_t window) : window_(window) {
  ATTUNE_CHECK(window >= 0, "local_m: a window of {} keys to each side; expected at least 0",
               window);
}

Neighbourhood MonotonicLocality::operator()(const Tensor&, const Indices&, std::int64_t,
                                            const AttentionState& state) const {
  return {.mask = Mask::window(window_, window_, state.steps)};
}

std::shared_ptr<Locality> make_monotonic_locality(const LocalityOptions& options) {
  return std::make_shared<MonotonicLocality>(options.arguments.whole("window", 10, 0));
}

}  // namespace attune
