#include "attune/autograd/array/error.h"

#include <fmt/format.h>

namespace attune::detail {

void throw_error(fmt::string_view text, fmt::format_args args) {
  throw Error(fmt::vformat(text, args));
}

}  // namespace attune::detail
