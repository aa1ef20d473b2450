#pragma once

/// What a training needs around its loop: state, checkpoints, logs, signals, progress.
#include "attune/train/checkpoint.h"
#include "attune/train/counters.h"
#include "attune/train/file_lock.h"
#include "attune/train/metrics_log.h"
#include "attune/train/parameter_copy.h"
#include "attune/train/progress.h"
#include "attune/train/safetensors.h"
#include "attune/train/stop_signal.h"
#include "attune/train/training_state.h"
