#pragma once

#include <variant>

#include "attune/autograd/tensor.h"
#include "attune/data/batch.h"

namespace attune {

/// Sequences of vectors side by side, time-major: the frames of a spectrogram, or the regions of a
/// picture.
struct Frames {
  Tensor features;  ///< [S, B, D]; beyond a length they may hold anything
  Indices lengths;  ///< [B]; not defined: all have S
};

/// What an encoder reads: tokens, as data/ makes them, or frames.
using Source = std::variant<Sources, Frames>;

}  // namespace attune
