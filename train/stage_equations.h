#pragma once

#include <vector>

#include "attune/models/encoder_decoder_options.h"
#include "attune/train/explanation.h"

namespace attune {

/// The equations of a stage in a model: those of its mechanisms from their families, the others
/// fixed. `keys_are_states` says whether the score uses the encoder's states as they are.
std::vector<Equation> equations_of(AttentionStage stage, const EncoderDecoderOptions& model,
                                   bool keys_are_states);

/// The kind of a model and its mechanisms in a few words.
std::string description_of(const EncoderDecoderOptions& model);

}  // namespace attune
