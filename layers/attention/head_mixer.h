#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "attune/autograd/array/family.h"
#include "attune/autograd/ops/multi_head_attention.h"
#include "attune/layers/layer.h"

namespace attune {

/// Base class of mechanisms in which heads of scaled dot-product attention affect each other. It
/// takes the place of scaled_dot_product_attention() in MultiHeadAttention.
///
/// A new mechanism is a small class in a file of its own, and a row of head_mixers().
class HeadMixer : public Layer {
 public:
  /// Projected queries [T, B, F], keys [S, B, K] and values [S, B, V] -> contexts [T, B, F], and
  /// the weights [B, H, T, S] if requested. options.heads is score_heads(H), and options.mask and
  /// key_heads are for these.
  virtual SequenceAttention operator()(const Tensor& query, const Tensor& key, const Tensor& value,
                                       const DotProductOptions& options, bool weights) const = 0;
  /// The number of heads with scores of their own, for H heads of values.
  virtual std::int64_t score_heads(std::int64_t heads) const { return heads; }
};

/// What a mechanism that is chosen by name is made from.
struct HeadMixerOptions {
  std::int64_t heads = 1;     ///< H
  std::int64_t features = 0;  ///< F, of all heads together
  std::int64_t layer = 0;     ///< index of the layer in its stack
  Arguments arguments = {};   ///< options of that mechanism alone
};

using HeadMixerMaker = std::function<std::shared_ptr<HeadMixer>(const HeadMixerOptions&)>;

/// The mechanisms that can be chosen by name. "none" is that of independent heads, and is made as a
/// null pointer.
Family<HeadMixerMaker>& head_mixers();
/// Makes the mechanism called `name`; see Family::make(). Errors: an unknown name (the message
/// lists the valid ones); an unknown option; sizes that do not match.
std::shared_ptr<HeadMixer> make_head_mixer(std::string_view name, const HeadMixerOptions& options);
/// HeadMixer::score_heads() of the mechanism called `name`, for positions that are made before it.
std::int64_t score_heads(std::string_view name, std::int64_t heads);
/// The names that make_head_mixer() accepts.
std::vector<std::string> head_mixer_names();

}  // namespace attune
