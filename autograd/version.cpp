#include "attune/autograd/version.h"

namespace attune {

std::string_view version() { return ATTUNE_VERSION; }  // from CMakeLists.txt

}  // namespace attune
