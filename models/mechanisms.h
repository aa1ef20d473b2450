#pragma once

#include <string>
#include <vector>

namespace attune {

/// A part of attention that can be chosen by name.
struct AttentionMechanism {
  std::string family;   ///< score, normalizer, locality, positions, head_mixer, sequence_mixer or
                        ///< output_layer
  std::string name;     ///< as in flags
  std::string summary;  ///< formula, and the options of its own with their defaults
  std::string source;   ///< paper and equation
};

/// All members of the families that attention and its use are made of, those of the program
/// included.
std::vector<AttentionMechanism> attention_mechanisms();

}  // namespace attune
