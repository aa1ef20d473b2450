#pragma once

#include <memory>
#include <string_view>

#include "attune/autograd/array/indices.h"
#include "attune/layers/attention_score.h"

namespace attune {

/// What attention keeps of a source: looked at once, asked at every step.
struct Memory {
  Tensor keys;      ///< [S, B, ...], as memorize() leaves them
  Tensor values;    ///< [S, B, V]
  Indices lengths;  ///< [B]; not defined: all have S positions
};

/// What attention finds for one query of each sequence.
struct AttentionResult {
  Tensor context;  ///< [B, V]
  Tensor weights;  ///< [B, S], the alignment: each row adds up to 1, with 0 beyond its length
};

/// Attention: for every step of the output, decide how much each part of the input matters, and
/// look at the weighted sum (Bahdanau et al. 2015, sec. 3.1).
///
///     score         e_s = score(h_s, y)             any AttentionScore
///     mask          only s < length take part
///     softmax       a_s = exp(e_s) / sum_j exp(e_j)
///     weighted sum  c = sum_s a_s value_s           the context
///
///     Attention attention("additive", 128, 256, 64);
///     Memory memory = attention.memorize(encoder_states, lengths);
///     auto [context, weights] = attention.attend(decoder_state, memory);
///
/// Parameters: score.weight, ... as in the AttentionScore. A source of length 0 has weights and
/// context 0. Keys and values beyond a length may hold anything, NaN included: they have no
/// influence on any value or gradient.
class Attention : public Layer {
 public:
  explicit Attention(std::shared_ptr<AttentionScore> score);
  /// With the score of that name; see make_score().
  Attention(std::string_view score, std::int64_t query_size, std::int64_t key_size,
            std::int64_t hidden);

  /// Takes in a source whose keys are also its values: keys [S, B, K]. Its padding becomes 0.
  /// Errors: lengths are not one for each sequence, or outside [0, S].
  Memory memorize(const Tensor& keys, const Indices& lengths = {}) const;
  /// The same with values [S, B, V] of their own.
  Memory memorize(const Tensor& keys, const Tensor& values, const Indices& lengths = {}) const;

  /// Asks with one query for each sequence: query [B, Q]. Errors: sizes that do not fit.
  AttentionResult attend(const Tensor& query, const Memory& memory) const;

 private:
  std::shared_ptr<AttentionScore> score_;
};

}  // namespace attune
