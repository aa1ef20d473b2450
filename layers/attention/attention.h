#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "attune/autograd/ops/mask.h"
#include "attune/layers/attention/attention_score.h"
#include "attune/layers/attention/memory.h"
#include "attune/layers/attention/normalizer.h"
#include "attune/layers/linear.h"

namespace attune {

/// What attention finds for one query of each sequence, or for T of them.
struct AttentionResult {
  Tensor context;       ///< [B, V]; of T queries [T, B, V]
  Tensor weights;       ///< the alignment, 0 for keys that a query does not see: [B, S], with
                        ///< heads [B, H, S], of T queries [B, H, T, S]; never averaged over heads
  AttentionState next;  ///< for the step that follows
  Tensor penalty;       ///< [B]: what the loss of this step gets on top, summed over heads and
                        ///< queries; not defined: nothing
  Tensor log_probability;  ///< [B]: of what was drawn, summed likewise; not defined: nothing was
};

/// The heads of an Attention that projects: see Attention.
struct AttentionHeads {
  std::int64_t count = 1;        ///< H
  std::int64_t features = 0;     ///< of all heads together, a multiple of H
  std::int64_t query_size = 0;   ///< Q
  std::int64_t key_size = 0;     ///< K
  std::int64_t value_size = 0;   ///< what values are made from
  std::int64_t output_size = 0;  ///< V, of the context
  bool bias = true;              ///< of all four projections
};

/// What to make an Attention from by name.
struct AttentionOptions {
  std::int64_t query_size = 0;  ///< Q
  std::int64_t key_size = 0;    ///< K; 0: Q
  std::int64_t value_size = 0;  ///< V; 0: K; counts with several heads only
  std::int64_t hidden = 0;      ///< A, of a score that is a network
  std::int64_t heads = 1;       ///< several heads share Q features out and project; one does not
  std::string normalizer = "softmax";  ///< a name that make_normalizer() knows
};

/// How to ask: see Attention::attend().
struct AttendOptions {
  Mask mask = {};        ///< which keys each query sees, of those within the memory's lengths
  bool weights = false;  ///< give the weights, even where finding the context does without them
};

/// Attention: for every step of the output, decide how much each part of the input matters, and
/// look at the weighted sum (Bahdanau et al. 2015, sec. 3.1).
///
///     score         e_s = score(h_s, y)               any AttentionScore
///     mask          only keys that the query sees     lengths, and any other Mask
///     weights       a = softmax(e)                    or another Normalizer
///     weighted sum  c = sum_s a_s value_s             the context
///
///     Attention attention("additive", {.query_size = 128, .key_size = 256, .hidden = 64});
///     Memory memory = attention.memorize(encoder_states, lengths);
///     AttentionResult found = attention.attend(decoder_state, memory);
///     found = attention.attend(next_decoder_state, memory, found.next);
///
/// With heads (Vaswani et al. 2017, sec. 3.2.2) queries, keys and values go through linear maps, H
/// heads do the above side by side, each with its own d = features / H of what comes of it, and
/// what they find goes through one more map. The heads share the score's parameters.
///
/// Parameters: score. ... and normalizer. ... as in those, with heads also query, key, value and
/// out, each with weight and bias as in Linear. A query that sees no key has weights and context 0
/// (with heads out(0)). Keys and values beyond a length may hold anything, NaN included: they have
/// no influence on any value or gradient, nor has a key on a query that does not see it.
class Attention : public Layer {
 public:
  /// Errors: an unknown name; sizes that do not fit.
  Attention(std::string_view score, const AttentionOptions& options);
  /// Of one head that does not project.
  explicit Attention(
      std::shared_ptr<AttentionScore> score,
      std::shared_ptr<Normalizer> normalizer = std::make_shared<SoftmaxNormalizer>());
  /// Of heads. The score takes queries and keys of size features / count.
  /// Errors: features are no multiple of the heads.
  Attention(std::shared_ptr<AttentionScore> score, std::shared_ptr<Normalizer> normalizer,
            const AttentionHeads& heads);

  /// Takes in a source whose keys are also its values: keys [S, B, K]. Its padding becomes 0.
  /// Errors: lengths are not one for each sequence, or outside [0, S].
  Memory memorize(const Tensor& keys, const Indices& lengths = {}) const;
  /// The same with values [S, B, V] of their own.
  Memory memorize(const Tensor& keys, const Tensor& values, const Indices& lengths = {}) const;
  /// A memory without lengths, and `more` positions [N, B, K] behind it: in decoding the new
  /// position is projected and the earlier ones are not again. An empty memory is a beginning.
  Memory append(const Memory& memory, const Tensor& more) const;

  /// Asks with one query for each sequence, query [B, Q], or with T, one after the other, query [T,
  /// B, Q]. Dot products with softmax of many queries or heads are found by
  /// scaled_dot_product_attention(), in which weights come on request only.
  /// Errors: sizes that do not fit; an empty memory; those of Mask::check().
  AttentionResult attend(const Tensor& query, const Memory& memory, const AttentionState& state,
                         const AttendOptions& options = {}) const;
  AttentionResult attend(const Tensor& query, const Memory& memory,
                         const AttendOptions& options = {}) const {
    return attend(query, memory, AttentionState{}, options);
  }

  std::int64_t heads() const { return heads_; }

 private:
  struct Projections {
    Linear query, key, value, out;
  };

  static Attention of_heads(std::string_view score, const AttentionOptions& options);
  bool is_fused(const Tensor& query) const;
  Shape scores_shape(const Memory& memory, std::int64_t queries) const;
  AttentionResult attend_projected(const Tensor& query, const Memory& memory,
                                   const AttentionState& state, const AttendOptions& options) const;
  AttentionResult attend_fused(const Tensor& query, const Memory& memory, const Mask& mask,
                               const AttentionState& state, bool weights) const;
  AttentionResult attend_once(const Tensor& query, const Memory& memory, const Mask& mask,
                              const AttentionState& state) const;
  AttentionResult attend_each(const Tensor& query, const Memory& memory, const Mask& mask,
                              const AttentionState& state) const;

  std::shared_ptr<AttentionScore> score_;
  std::shared_ptr<Normalizer> normalizer_;
  std::optional<Projections> projections_;
  std::int64_t heads_ = 1;
};

}  // namespace attune
