#pragma once

/// Encoders, decoders and sequence-to-sequence models.
#include "attune/models/decoder.h"
#include "attune/models/decoder_state.h"
#include "attune/models/encoder.h"
#include "attune/models/encoder_decoder_options.h"
#include "attune/models/policy_loss.h"
#include "attune/models/recurrent_decoder.h"
#include "attune/models/recurrent_encoder.h"
#include "attune/models/seq2seq.h"
#include "attune/models/source.h"
#include "attune/models/transformer_decoder_model.h"
#include "attune/models/transformer_encoder_model.h"
