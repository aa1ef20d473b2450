#pragma once

/// Decoding and its evaluation: greedy search, beam search, sampling, forced decoding, and metrics
/// against references.
#include "attune/search/forced_decoding.h"
#include "attune/search/greedy_search.h"
#include "attune/search/metrics.h"
#include "attune/search/penalties.h"
#include "attune/search/search.h"
