#pragma once

#include <variant>

#include "attune/autograd/tensor.h"
#include "attune/data/batch.h"

namespace attune {

/// A batch of sequences of vectors, time-major, such as the frames of a spectrogram or the regions
/// of a picture.
struct Frames {
  Tensor features;  ///< [S, B, D]; ignored beyond a sequence's length
  Indices lengths;  ///< [B]; not defined: all have S
};

/// The input of an encoder: tokens, as from make_sources(), or frames.
using Source = std::variant<Sources, Frames>;

}  // namespace attune
