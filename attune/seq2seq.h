#pragma once

/// Sequence to sequence: text in and out, the encoder-decoder with attention, search, alignments.
#include "attune/seq2seq/alignment.h"
#include "attune/seq2seq/batch.h"
#include "attune/seq2seq/batch_stream.h"
#include "attune/seq2seq/decoder.h"
#include "attune/seq2seq/encoder.h"
#include "attune/seq2seq/encoder_decoder.h"
#include "attune/seq2seq/encoder_decoder_options.h"
#include "attune/seq2seq/greedy_search.h"
#include "attune/seq2seq/metrics.h"
#include "attune/seq2seq/pairs.h"
#include "attune/seq2seq/seq2seq_model.h"
#include "attune/seq2seq/transformer.h"
#include "attune/seq2seq/utf8.h"
#include "attune/seq2seq/vocabulary.h"
