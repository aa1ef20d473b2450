#pragma once

#include "attune/autograd/ops/embedding.h"
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
            const Initializer& initializer = normal())
      : weight_(param("weight", {vocabulary, features}, initializer)) {}
  Tensor operator()(const Indices& ids) const {
    const LayerScope scope(*this);
    return embedding(weight_, ids);
  }

  std::int64_t vocabulary() const { return weight_.size(0); }
  std::int64_t features() const { return weight_.size(1); }
  const Tensor& weight() const { return weight_; }

 private:
  Tensor weight_;
};

}  // namespace attune
