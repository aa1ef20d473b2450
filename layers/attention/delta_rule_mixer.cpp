#include "attune/layers/attention/delta_rule_mixer.h"

#include <vector>

#include "attune/autograd/ops/activations.h"
#include "attune/autograd/ops/arithmetic.h"
#include "attune/autograd/ops/linear_attention.h"
#include "attune/autograd/ops/normalization.h"
#include "attune/autograd/ops/reductions.h"
#include "attune/autograd/ops/shaping.h"

namespace attune {
namespace {

// DPFP of the last axis, divided by its sum.
Tensor normalized_dpfp(const Tensor& x, std::int64_t nu) {
  const Tensor r = relu(concat({x, -x}, -1));
  const std::int64_t n = r.shape().last();
  std::vector<Tensor> products;
  for (std::int64_t j = 1; j <= nu; ++j)
    products.push_back(r * concat({slice(r, -1, n - j, n), slice(r, -1, 0, n - j)}, -1));
  const Tensor g = concat(products, -1);
  return g / (sum(g, -1, /*keep=*/true) + 1e-6);
}

}  // namespace

DeltaRuleMixer::DeltaRuleMixer(const DeltaRuleMixerOptions& options)
    : options_(options),
      query_(child("query", Linear(options.features, options.features, /*bias=*/false))),
      key_(child("key", Linear(options.features, options.features, /*bias=*/false))),
      value_(child("value", Linear(options.features, options.features, /*bias=*/false))),
      out_(child("out", Linear(options.features, options.features, /*bias=*/false))),
      beta_(child("beta", Linear(options.features, options.heads, /*bias=*/false))) {
  const std::int64_t twice = 2 * options.features / options.heads;
  ATTUNE_CHECK(options.nu >= 1 && options.nu < twice,
               "delta_rule: nu is {}; expected 1 to {}, less than twice the features of a head",
               options.nu, twice - 1);
}

Tensor DeltaRuleMixer::feature_map(const Tensor& x) const {
  const std::int64_t size = x.size(2) / options_.heads;
  const Tensor heads = reshape(x, {x.size(0), x.size(1), options_.heads, size});
  const Tensor features = options_.keys == DeltaKeys::l2 ? l2_normalize(silu(heads))
                                                         : normalized_dpfp(heads, options_.nu);
  return reshape(features, {x.size(0), x.size(1), options_.heads * features.size(3)});
}

Mixed DeltaRuleMixer::operator()(const Tensor& x, const MixerState& state) const {
  const LayerScope scope(*this);
  const StateResult found =
      delta_rule(feature_map(query_(x)), feature_map(key_(x)), value_(x), sigmoid(beta_(x)),
                 {.heads = options_.heads, .log_decay = {}, .state = state.memory});
  return {out_(found.output), {found.state, {}, state.positions + x.size(0)}};
}

std::shared_ptr<SequenceMixer> make_delta_rule_mixer(const SequenceMixerOptions& options) {
  const std::string keys = options.arguments.text("keys", "l2");
  ATTUNE_CHECK(keys == "l2" || keys == "dpfp", "delta_rule: keys is '{}'; expected l2 or dpfp",
               keys);
  return std::make_shared<DeltaRuleMixer>(
      DeltaRuleMixerOptions{.features = options.features,
                            .heads = options.heads,
                            .keys = keys == "l2" ? DeltaKeys::l2 : DeltaKeys::dpfp,
                            .nu = options.arguments.whole("nu", 1)});
}

}  // namespace attune
