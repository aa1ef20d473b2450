#pragma once

/// Metrics of texts by name, such as BLEU, with confidence intervals and paired tests.
#include "attune/metrics/bootstrap.h"
#include "attune/metrics/perplexity.h"
#include "attune/metrics/text_metric.h"
#include "attune/metrics/text_scores.h"
#include "attune/metrics/tokenizer.h"
