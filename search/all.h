#pragma once

/// Decoding and its evaluation: greedy search, and metrics against references.
#include "attune/search/greedy_search.h"
#include "attune/search/metrics.h"
