#pragma once

#include <string_view>

namespace attune {

/// The version of the library that the program is linked with, such as "0.1.0".
std::string_view version();

}  // namespace attune
