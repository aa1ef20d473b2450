#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "attune/autograd/array/family.h"
#include "attune/layers/layer.h"

namespace attune {

/// Base class of layers that normalise the last axis, such as LayerNorm and RMSNorm, for layers
/// that can use either.
class NormLayer : public Layer {
 public:
  /// x [..., features] -> [..., features]
  virtual Tensor operator()(const Tensor& x) const = 0;
};

using NormLayerMaker = std::function<std::shared_ptr<NormLayer>(std::int64_t features)>;

/// The normalising layers that can be chosen by name.
Family<NormLayerMaker>& norm_layers();
/// Makes the normalising layer called `name`. Errors: an unknown name (the message lists the valid
/// ones); `features` below 1.
std::shared_ptr<NormLayer> make_norm_layer(std::string_view name, std::int64_t features);
/// The names that make_norm_layer() accepts.
std::vector<std::string> norm_layer_names();

}  // namespace attune
