#pragma once

/// Everything public.
#include "attune/autograd.h"
#include "attune/layers.h"
#include "attune/optim.h"
#include "attune/seq2seq.h"
#include "attune/train.h"
#include "attune/version.h"
