#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "attune/autograd/ops/mask.h"
#include "attune/layers/attention/attention_score.h"
#include "attune/layers/attention/head_mixer.h"
#include "attune/layers/attention/locality.h"
#include "attune/layers/attention/memory.h"
#include "attune/layers/attention/normalizer.h"
#include "attune/layers/attention/positional_encoding.h"
#include "attune/layers/linear.h"

namespace attune {

/// The result of attention for one query per sequence, or for T of them.
struct AttentionResult {
  Tensor context;          ///< [B, V]; of T queries [T, B, V]
  Tensor weights;          ///< the alignment, 0 for hidden keys: [B, S], with heads [B, H, S], of T
                           ///< queries [B, H, T, S]; never averaged over heads
  AttentionState next;     ///< the state for the next step
  Tensor penalty;          ///< [B]: what to add to the loss of this step, summed over heads and
                           ///< queries; not defined: nothing
  Tensor log_probability;  ///< [B]: of sampled positions, summed likewise; not defined: none
};

/// The sizes of an Attention with heads: see Attention.
struct AttentionHeads {
  std::int64_t count = 1;        ///< H
  std::int64_t features = 0;     ///< of all heads together, a multiple of H
  std::int64_t query_size = 0;   ///< Q
  std::int64_t key_size = 0;     ///< K
  std::int64_t value_size = 0;   ///< size of the values before their projection
  std::int64_t output_size = 0;  ///< V, size of the context
  bool bias = true;              ///< of all four projections
  std::shared_ptr<const PositionalEncoding> positions = {};  ///< of self-attention; null: none
  std::int64_t layer = 0;            ///< index of the layer in its stack, for `positions`
  std::int64_t key_value_heads = 0;  ///< G, heads of keys and values, which divides H; 0: H
  std::shared_ptr<const HeadMixer> mixer = {};  ///< null: heads are independent
  bool gated = false;                           ///< contexts are multiplied by sigmoid(gate(query))
  double dropout = 0;                           ///< probability to drop a weight, except under Eval
};

/// Options of an Attention whose score is chosen by name.
struct AttentionOptions {
  std::int64_t query_size = 0;  ///< Q
  std::int64_t key_size = 0;    ///< K; 0: Q
  std::int64_t value_size = 0;  ///< V; 0: K; used with several heads only
  std::int64_t hidden = 0;      ///< A, of a score with a hidden layer
  std::int64_t heads = 1;       ///< 1: no projections; several: projections to Q features in all
  std::string normalizer = "softmax";  ///< a name that make_normalizer() accepts
  std::string locality = "global";     ///< a name that make_locality() accepts
};

/// Options of Attention::attend().
struct AttendOptions {
  Mask mask = {};        ///< which keys each query may attend to, within the memory's lengths
  bool weights = false;  ///< return the weights even if they are not needed for the context
};

/// Attention (Bahdanau et al. 2015, sec. 3.1): computes for every query how much each position of
/// the source matters, and returns the weighted sum of the values.
///
///     score         e_s = score(h_s, y)               any AttentionScore
///     mask          hides keys from the query         lengths, any other Mask, and a Locality
///     weights       a = softmax(e)                    or another Normalizer
///     weighted sum  c = sum_s a_s value_s             the context
///
///     Attention attention("additive", {.query_size = 128, .key_size = 256, .hidden = 64});
///     Memory memory = attention.memorize(encoder_states, lengths);
///     AttentionResult found = attention.attend(decoder_state, memory);
///     found = attention.attend(next_decoder_state, memory, found.next);
///
/// With heads (Vaswani et al. 2017, sec. 3.2.2), queries, keys and values first pass through linear
/// layers. Each of the H heads attends as above with its own d = features / H of the results, and
/// the concatenated contexts pass through another linear layer. All heads share the score's
/// parameters. Further options of AttentionHeads:
///
///     key_value_heads  H / G heads share keys and values: grouped queries (Ainslie et al. 2023),
///                      with G = 1 multi-query attention (Shazeer 2019); the memory is smaller
///     mixer            heads affect each other: see head_mixers()
///     gated            context * sigmoid(W query), element by element, before the last linear
///                      layer (Qiu et al. 2025, sec. 2.2, position G1)
///     dropout          of weights; those returned are without dropout
///
/// Parameters: score.*, normalizer.* and locality.*, as in those; with heads also query, key, value
/// and out, each with weight and bias as in Linear, gate.weight [features, Q] if gated, and mixer.*
/// and positions.* if they have parameters. If all keys are hidden from a query, its weights and
/// its context are 0 (with heads, its context is out(0)). Keys and values beyond a length may hold
/// anything, including NaN: they have no influence on any value or gradient, nor has a key on a
/// query that it is hidden from.
class Attention : public Layer {
 public:
  /// Errors: an unknown name; sizes that do not match.
  Attention(std::string_view score, const AttentionOptions& options);
  /// With one head, without projections.
  explicit Attention(std::shared_ptr<AttentionScore> score,
                     std::shared_ptr<Normalizer> normalizer = std::make_shared<SoftmaxNormalizer>(),
                     std::shared_ptr<Locality> locality = nullptr);
  /// With heads. The score takes queries and keys of size features / count.
  /// Errors: features is not a multiple of the number of heads, or that of heads not one of
  /// key_value_heads; a mixer with another score than a dot product or without softmax; dropout
  /// outside [0, 1).
  Attention(std::shared_ptr<AttentionScore> score, std::shared_ptr<Normalizer> normalizer,
            const AttentionHeads& heads, std::shared_ptr<Locality> locality = nullptr);

  /// Projects a source whose keys are also its values, keys [S, B, K], for use by attend(). Padding
  /// becomes 0. Errors: lengths are not one for each sequence, or outside [0, S].
  Memory memorize(const Tensor& keys, const Indices& lengths = {}) const;
  /// The same with separate values [S, B, V]. Errors: also if keys and values differ in S or B.
  Memory memorize(const Tensor& keys, const Tensor& values, const Indices& lengths = {}) const;
  /// A memory extended by the positions `more` [N, B, K]. Only these are projected, which makes
  /// decoding step by step efficient. `memory` may be empty. Errors: it has lengths.
  Memory append(const Memory& memory, const Tensor& more) const;

  /// Attends with one query per sequence, query [B, Q], or with T in order, query [T, B, Q].
  /// Several queries or heads with dot products and softmax use scaled_dot_product_attention(),
  /// which returns weights on request only. While there is a StageRecorder, scores are stored.
  /// Errors: sizes that do not match; an empty memory; as Mask::check().
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
    std::optional<Linear> gate;
  };

  static Attention by_name(std::string_view score, const AttentionOptions& options,
                           std::int64_t query_size, std::int64_t key_size,
                           const AttentionHeads* heads);
  static Attention of_heads(std::string_view score, const AttentionOptions& options);
  bool is_dot_product() const;
  bool can_share_rows() const;
  bool is_fused(const Tensor& query) const;
  std::int64_t score_heads() const;
  Tensor rows_of_heads(const Tensor& keys) const;
  Shape scores_shape(const Memory& memory, std::int64_t queries) const;
  Memory project(const Tensor& keys, const Tensor& values, const Indices& lengths,
                 std::int64_t first) const;
  AttentionResult attend_with_positions(const Tensor& query, const Memory& memory,
                                        const AttentionState& state,
                                        const AttendOptions& options) const;
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
  std::shared_ptr<Locality> locality_;  // null: none
  std::optional<Projections> projections_;
  std::int64_t heads_ = 1, key_heads_ = 1;
  std::shared_ptr<const HeadMixer> mixer_;  // null: heads are independent
  double dropout_ = 0;
  std::shared_ptr<const PositionalEncoding> positions_;  // null: none
  std::int64_t layer_ = 0;
};

}  // namespace attune
