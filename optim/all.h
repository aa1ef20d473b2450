#pragma once

/// Optimizers, gradient clipping and learning-rate schedules.
#include "attune/optim/adagrad.h"
#include "attune/optim/adam.h"
#include "attune/optim/clip.h"
#include "attune/optim/make_optimizer.h"
#include "attune/optim/make_schedule.h"
#include "attune/optim/optimizer.h"
#include "attune/optim/parameters.h"
#include "attune/optim/reduce_on_plateau.h"
#include "attune/optim/rmsprop.h"
#include "attune/optim/schedule.h"
#include "attune/optim/sgd.h"
