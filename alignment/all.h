#pragma once

/// Alignments of source and target tokens, measures of them, heat maps, and an aligner of words by
/// statistics.
#include "attune/alignment/alignment.h"
#include "attune/alignment/heat_map.h"
#include "attune/alignment/measures.h"
#include "attune/alignment/pieces.h"
#include "attune/alignment/reference_alignment.h"
#include "attune/alignment/symmetrization.h"
#include "attune/alignment/word_aligner.h"
