#pragma once

/// Where a decoder looked: the type, its measures, its drawing.
#include "attune/alignment/alignment.h"
#include "attune/alignment/heat_map.h"
