#pragma once

/// Alignments of source and target tokens, measures of them, and heat maps.
#include "attune/alignment/alignment.h"
#include "attune/alignment/heat_map.h"
#include "attune/alignment/measures.h"
#include "attune/alignment/reference_alignment.h"
