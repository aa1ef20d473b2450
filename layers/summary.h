#pragma once

#include <string>

#include "attune/layers/layer.h"

namespace attune {

/// A human-readable table of a layer: each layer with its type, each parameter and buffer with its
/// shape and number of elements, and the totals:
///
///     name         type    shape       numbers
///                  Finder                   32
///     query                [1, 8]            8
///     keys         Linear                   24  frozen
///     keys.weight          [8, 2]           16  frozen
///     keys.bias            [8]               8  frozen
///     32 parameters, of which 8 are trained and 24 frozen
///
/// A layer that is used twice is counted once, under its first name, as in Layer::parameters().
std::string summary(const Layer& layer);

}  // namespace attune
