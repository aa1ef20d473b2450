#pragma once

#include <vector>

#include "attune/layers/layer_norm.h"

namespace attune {

struct StackedOutputsOptions {
  int layers = 1;
  std::int64_t size = 0;    ///< of each layer's states
  bool residual = false;    ///< add the output of the layer below (He et al. 2016; Wu et al. 2016,
                            ///< sec. 3.1)
  bool layer_norm = false;  ///< normalise each output (Ba et al. 2016)
};

/// The outputs y of the layers of a recurrent network, from their states h:
///
///     y_0 = norm_0(h_0),   y_l = norm_l(h_l + y_{l-1})
///
/// Both the sum and the normalisation are optional; without them y_l = h_l. The states that the
/// layers pass on to their next step are always the h_l. (Ba et al. also normalise inside of the
/// cells, sec. 3.1.)
///
/// Parameters: norm0.weight, norm0.bias, ... as in LayerNorm.
class StackedOutputs : public Layer {
 public:
  explicit StackedOutputs(const StackedOutputsOptions& options);
  /// The output of layer `layer`; `below` is that of the layer before, not defined for the first.
  /// Shapes: [..., size].
  Tensor operator()(std::size_t layer, const Tensor& h, const Tensor& below) const;
  /// Whether an output may differ from 0 where the state is 0.
  bool shifts() const { return !norms_.empty(); }

 private:
  bool residual_;
  std::vector<LayerNorm> norms_;  // empty: none
};

}  // namespace attune
