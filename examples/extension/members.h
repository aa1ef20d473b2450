#pragma once

#include "convolutional_encoder.h"
#include "l2_score.h"
#include "lion.h"
#include "minimal_gated_cell.h"
#include "swap_task.h"

namespace extension {

/// Adds these members to their families: name, formula or summary, source, maker.
inline void add_members() {
  cells().add({"mgu", "a GRU with one gate", "Zhou et al. 2016", make_mgu});
  attention_scores().add({"l2", "-|h - y|^2 / sqrt(K)", "Kim et al. 2021", make_l2_score});
  encoders().add({"conv", "windows of three", "Gehring et al. 2017", make_convolutional_encoder});
  optimizers().add({"lion", "steps of one size", "Chen et al. 2023, algorithm 2", make_lion});
  tasks().add({"swap", "write neighbours in exchanged order", "", make_swap_task});
}

}  // namespace extension
