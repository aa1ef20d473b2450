#include "attune/layers/attention/cosine_score.h"

#include <cmath>

#include "attune/autograd/ops/arithmetic.h"
#include "attune/autograd/ops/attention.h"
#include "attune/autograd/ops/reductions.h"

namespace attune {
namespace {

// x / |x| over the last axis. The square of a length has a least value, below which nothing is
// divided by: a vector of 0, as in cleared padding, stays 0 and has a finite gradient.
Tensor unit(const Tensor& x) {
  constexpr double kLeast = 1e-12;
  return x * pow(sum(square(x), -1, /*keep=*/true) + kLeast, -0.5);
}

}  // namespace

CosineScore::CosineScore(const CosineScoreOptions& options) {
  ATTUNE_CHECK(options.query_size == options.key_size,
               "cosine score: queries have {} features but keys {}; a cosine needs equal sizes, "
               "the general score does not",
               options.query_size, options.key_size);
  ATTUNE_CHECK(options.sharpness > 0, "cosine score: a sharpness of {}; expected above 0",
               options.sharpness);
  log_sharpness_ = param("log_sharpness", {1}, constant(std::log(options.sharpness)));
}

Tensor CosineScore::project_keys(const Tensor& keys) const { return unit(keys); }

Tensor CosineScore::project_query(const Tensor& query) const {
  return unit(query) * exp(log_sharpness_);
}

Tensor CosineScore::operator()(const Tensor& query, const Tensor& projected_keys,
                               AttentionState&) const {
  return dot_score(project_query(query), projected_keys);
}

}  // namespace attune
