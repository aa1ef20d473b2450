#pragma once

#include "bench/harness/run.h"

/// Each creates its model, if any, and random data, and returns the step to measure.
bench::Workload rnnsearch(const bench::RnnSearchSizes& sizes, std::int64_t shards);
bench::Workload transformer(const bench::TransformerSizes& sizes, std::int64_t shards);
bench::Workload language_model(const bench::TransformerSizes& sizes, std::int64_t shards);
bench::Workload scaled_dot_attention(const bench::AttentionSizes& sizes, std::int64_t window);
bench::Workload chain(const bench::ChainSizes& sizes);
