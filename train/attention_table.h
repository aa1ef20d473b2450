#pragma once

#include <string>

namespace attune {

/// All mechanisms of attention as text: a line each with name, formula and paper, below the option
/// that chooses it.
std::string attention_table();

/// The same as a JSON array of objects with family, name, summary and source.
std::string attention_json();

}  // namespace attune
