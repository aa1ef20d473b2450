#pragma once

/// Outputs of a model: greedy search, and how well they match their references.
#include "attune/search/greedy_search.h"
#include "attune/search/metrics.h"
