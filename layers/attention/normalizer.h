#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "attune/autograd/array/family.h"
#include "attune/autograd/ops/mask.h"
#include "attune/layers/attention/attention_state.h"
#include "attune/layers/layer.h"

namespace attune {

/// What a Normalizer makes of scores.
struct Normalized {
  Tensor weights;  ///< [B, S], 0 where the mask hides a key
  Tensor penalty;  ///< [B]: what the loss of this step gets on top; not defined: nothing
  /// [B]: of the positions that were drawn, where a mechanism draws; not defined: it does not.
  Tensor log_probability;
};

/// Step five of attention: what share of it does each position get? Most normalisers give weights
/// that are not negative and add up to 1.
///
/// A new one is one file with a small class, of which only operator() is required, and a row of
/// normalizers().
class Normalizer : public Layer {
 public:
  /// The weights of scores [B, S]. The mask is that of one query for each row: what it hides may
  /// hold anything, gets the weight 0 and no gradient. mask_scores() applies it: it adds what the
  /// mask adds, and makes -infinity of what the mask hides. `state` is that of the step before; a
  /// mechanism that moves along the source sets its position.
  virtual Normalized operator()(const Tensor& scores, const Mask& mask,
                                AttentionState& state) const = 0;

  /// True for the softmax alone, which has a fused kernel together with dot products.
  virtual bool is_softmax() const { return false; }
  /// True for one that reads AttentionState::coverage, which is kept only then.
  virtual bool reads_coverage() const { return false; }
};

/// a_s = exp(e_s) / sum_j exp(e_j) (Bahdanau et al. 2015, eq. 6). A row that may look nowhere gets
/// 0. No parameters.
class SoftmaxNormalizer : public Normalizer {
 public:
  Normalized operator()(const Tensor& scores, const Mask& mask,
                        AttentionState& state) const override;
  bool is_softmax() const override { return true; }
};

using NormalizerMaker = std::function<std::shared_ptr<Normalizer>()>;

/// The normalisers that can be chosen by name.
Family<NormalizerMaker>& normalizers();
/// A normaliser by name. Errors: an unknown name; the message lists the known ones.
std::shared_ptr<Normalizer> make_normalizer(std::string_view name);
/// The names that make_normalizer() knows.
std::vector<std::string> normalizer_names();

}  // namespace attune
