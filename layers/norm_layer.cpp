#include "attune/layers/norm_layer.h"

#include "attune/layers/layer_norm.h"
#include "attune/layers/rms_norm.h"

namespace attune {

Family<NormLayerMaker>& norm_layers() {
  static Family<NormLayerMaker> family(
      "normalisation layer",
      {
          {"layer_norm", "(x - mean) / deviation, times a learned gain, plus a bias",
           "Ba et al. 2016, eq. 3 and 4",
           [](std::int64_t features) { return std::make_shared<LayerNorm>(features); }},
          {"rms_norm", "x / root mean square, times a learned gain",
           "Zhang and Sennrich 2019, eq. 4",
           [](std::int64_t features) { return std::make_shared<RMSNorm>(features); }},
      });
  return family;
}

std::shared_ptr<NormLayer> make_norm_layer(std::string_view name, std::int64_t features) {
  return norm_layers().at(name).make(features);
}

std::vector<std::string> norm_layer_names() { return norm_layers().names(); }

}  // namespace attune
