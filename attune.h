#pragma once

/// Everything public.
#include "attune/alignment/all.h"
#include "attune/autograd/all.h"
#include "attune/data/all.h"
#include "attune/layers/all.h"
#include "attune/metrics/all.h"
#include "attune/models/all.h"
#include "attune/optim/all.h"
#include "attune/report/all.h"
#include "attune/search/all.h"
#include "attune/train/all.h"
