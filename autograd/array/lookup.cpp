#include "attune/autograd/array/lookup.h"

#include "attune/autograd/array/error.h"
#include "attune/autograd/array/text.h"

namespace attune::detail {

void unknown_name(const char* what, std::string_view name, const std::vector<std::string>& known) {
  fail("{}: '{}' is unknown; known are {}", what, name, joined(known));
}

}  // namespace attune::detail
