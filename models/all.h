#pragma once

/// Encoders, decoders, and the models that join them.
#include "attune/models/decoder.h"
#include "attune/models/encoder.h"
#include "attune/models/encoder_decoder.h"
#include "attune/models/encoder_decoder_options.h"
#include "attune/models/seq2seq_model.h"
#include "attune/models/transformer.h"
