#pragma once

#include "bench/harness/run.h"

/// Each makes a model and random data, and a step that trains on them.
bench::Workload rnnsearch(const bench::RnnSearchSizes& sizes, std::int64_t shards);
bench::Workload transformer(const bench::TransformerSizes& sizes, std::int64_t shards);
bench::Workload scaled_dot_attention(const bench::AttentionSizes& sizes);
bench::Workload chain(const bench::ChainSizes& sizes);
