#include "attune/autograd/array/named_arrays.h"

#include <cmath>

namespace attune {

double number_in(const NamedArrays& state, std::string_view name) {
  for (const auto& [key, array] : state) {
    if (key != name) continue;
    ATTUNE_CHECK(array.shape() == Shape{}, "load_state: '{}' has the shape {}; expected a number",
                 name, array.shape());
    return array.item();
  }
  fail("load_state: the state has no '{}'", name);
}

std::int64_t count_in(const NamedArrays& state, std::string_view name) {
  const double count = number_in(state, name);
  ATTUNE_CHECK(count >= 0 && count <= 0x1p53 && std::trunc(count) == count,
               "load_state: '{}' is {}; expected a whole number from 0", name, count);
  return static_cast<std::int64_t>(count);
}

}  // namespace attune
