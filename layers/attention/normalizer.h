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

/// The result of a Normalizer.
struct Normalized {
  Tensor weights;  ///< [B, S], 0 for keys that the mask hides
  Tensor penalty;  ///< [B]: a term of this step's loss; not defined if there is none
  /// [B]: the log-probability of the sampled positions, if the normaliser samples; otherwise not
  /// defined.
  Tensor log_probability;
};

/// Base class of normalisers, step 5 of attention: they turn scores into weights, which are usually
/// not negative and add up to 1.
///
/// A new normaliser is a small class in a file of its own, of which only operator() is required,
/// and a row of normalizers().
class Normalizer : public Layer {
 public:
  /// Scores [B, S] -> weights [B, S]. The mask is for one query per row; implementations apply it
  /// with mask_scores(), which adds its bias and sets hidden scores to -infinity. Hidden scores may
  /// hold anything; their weight and their gradient are 0. `state` is that of the previous step; a
  /// normaliser that moves along the source updates its position.
  virtual Normalized operator()(const Tensor& scores, const Mask& mask,
                                AttentionState& state) const = 0;

  /// True for softmax only: attention with dot-product scores and softmax uses a fused kernel.
  virtual bool is_softmax() const { return false; }
  /// Whether the normaliser uses AttentionState::coverage, which is otherwise not computed.
  virtual bool reads_coverage() const { return false; }
  /// Whether the normaliser uses AttentionState::position, which only one of score and normaliser
  /// may.
  virtual bool moves() const { return false; }
  /// The number of scores that it needs for each key. If it is 2, scores are [2, B, S], of two
  /// AttentionScores with parameters of their own.
  virtual int score_count() const { return 1; }

 protected:
  /// A boolean [B, S]: true for keys that scores from mask_scores() do not hide.
  static Tensor visible(const Tensor& masked);
  /// The weights of keys that are visible in `masked`, and 0 for the others, whose gradient goes no
  /// further, whatever it is.
  static Tensor visible_only(const Tensor& weights, const Tensor& masked);
  /// 1 for the largest of each row of scores that are visible, the first of equal ones; a constant.
  static Tensor one_hot(const Tensor& masked);
  /// A parameter with one element for each head, [H], as [B, 1] for the rows of `scores`.
  static Tensor of_rows(const Tensor& parameter, const Tensor& scores);
};

/// a_s = exp(e_s) / sum_j exp(e_j) (Bahdanau et al. 2015, eq. 6). A row whose keys are all hidden
/// is 0. No parameters.
class SoftmaxNormalizer : public Normalizer {
 public:
  Normalized operator()(const Tensor& scores, const Mask& mask,
                        AttentionState& state) const override;
  bool is_softmax() const override { return true; }
};

/// What a normaliser that is chosen by name is made from.
struct NormalizerOptions {
  std::int64_t heads = 1;    ///< H: scores [B H, S] have the heads of a row one after another
  Arguments arguments = {};  ///< options of that normaliser alone
};

using NormalizerMaker = std::function<std::shared_ptr<Normalizer>(const NormalizerOptions&)>;

/// The normalisers that can be chosen by name.
Family<NormalizerMaker>& normalizers();
/// Makes the normaliser called `name`, which may be followed by options of its own, as in
/// "entmax:alpha=1.3"; see Family::make(). Errors: an unknown name (the message lists the valid
/// ones); an unknown option, or a value out of its range.
std::shared_ptr<Normalizer> make_normalizer(std::string_view name,
                                            const NormalizerOptions& options = {});
/// The names that make_normalizer() accepts.
std::vector<std::string> normalizer_names();

}  // namespace attune
