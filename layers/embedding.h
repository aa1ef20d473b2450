#pragma once

#include "attune/autograd/array/indices.h"
#include "attune/layers/layer.h"

namespace attune {

/// A vector for each token of a vocabulary: y = weight[id].
///
/// Shapes: ids [...] -> y [..., features].
/// Parameters: weight [vocabulary, features], normal with mean 0 and deviation 1 unless another
/// initializer is given.
/// Errors: a size below 1; an id outside [0, vocabulary).
class Embedding : public Layer {
 public:
  Embedding(std::int64_t vocabulary, std::int64_t features,
            const Initializer& initializer = normal());
  Tensor operator()(const Indices& ids) const;

  std::int64_t vocabulary() const { return weight_.size(0); }
  std::int64_t features() const { return weight_.size(1); }
  const Tensor& weight() const { return weight_; }

 private:
  Tensor weight_;
};

}  // namespace attune
