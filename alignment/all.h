#pragma once

/// Alignments of source and target tokens, and heat maps of them.
#include "attune/alignment/alignment.h"
#include "attune/alignment/heat_map.h"
