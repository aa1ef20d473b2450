#include "attune/layers/embedding.h"

#include "attune/autograd/ops/embedding.h"

namespace attune {

Embedding::Embedding(std::int64_t vocabulary, std::int64_t features, const Initializer& initializer)
    : weight_(param("weight", {vocabulary, features}, initializer)) {}

Tensor Embedding::operator()(const Indices& ids) const { return embedding(weight_, ids); }

}  // namespace attune
