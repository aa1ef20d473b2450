#pragma once

/// Layers: named parameters and the functions that use them.
#include "attune/layers/activation.h"
#include "attune/layers/attention.h"
#include "attune/layers/attention_score.h"
#include "attune/layers/dropout.h"
#include "attune/layers/embedding.h"
#include "attune/layers/feed_forward.h"
#include "attune/layers/initializers.h"
#include "attune/layers/layer.h"
#include "attune/layers/layer_norm.h"
#include "attune/layers/linear.h"
#include "attune/layers/multi_head_attention.h"
#include "attune/layers/positions.h"
#include "attune/layers/recurrent.h"
#include "attune/layers/recurrent_cell.h"
#include "attune/layers/softmax.h"
