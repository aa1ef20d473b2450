#pragma once

/// A training and all that is around its loop: steps, run folder, configuration, validation, state,
/// checkpoints, logs, signals, progress.
#include "attune/train/checkpoint.h"
#include "attune/train/counters.h"
#include "attune/train/file_lock.h"
#include "attune/train/metrics_log.h"
#include "attune/train/parameter_copy.h"
#include "attune/train/progress.h"
#include "attune/train/questions.h"
#include "attune/train/run.h"
#include "attune/train/run_config.h"
#include "attune/train/run_folder.h"
#include "attune/train/safetensors.h"
#include "attune/train/stop_signal.h"
#include "attune/train/train_options.h"
#include "attune/train/train_step.h"
#include "attune/train/training.h"
#include "attune/train/training_data.h"
#include "attune/train/training_logs.h"
#include "attune/train/training_state.h"
#include "attune/train/training_summary.h"
#include "attune/train/validation.h"
