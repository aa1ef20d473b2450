#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "attune/autograd/array/family.h"
#include "attune/models/encoder.h"

namespace attune {

/// What an output layer computes the next token's distribution from: one step of a decoder, or all
/// steps, with T as the leading axis. Members that the layer does not read may be undefined.
struct OutputInput {
  Tensor combined = {};  ///< [..., B, C]: the decoder's state and the context
  Tensor state = {};     ///< [..., B, H]: s_t, the state alone
  Tensor previous = {};  ///< [..., B, E]: the embedding of the previous token
  Tensor weights = {};   ///< [..., B, S]: of attention; the mean over the heads
};

/// The members of OutputInput, besides `combined`, that an output layer reads.
struct OutputReads {
  bool state = false, previous = false, weights = false;
};

/// The target tokens that the tokens of a batch of sources are copied as. Those from V on are
/// tokens of one source that the target vocabulary does not have; see ExtendedVocabulary.
struct CopiedTokens {
  Indices ids;                ///< [B, S]
  Indices vocabulary;         ///< [B]: V and the number of such tokens of each source
  std::int64_t size() const;  ///< the largest of these

  /// The given rows of the batch, in this order. Errors: a row out of range.
  CopiedTokens select(const Indices& rows) const;
};

/// What an output layer computes once from the source. What it does not need is not defined.
struct OutputSource {
  Tensor logits = {};        ///< [B, S, V]
  CopiedTokens tokens = {};  ///< what the source's tokens are copied as

  /// The given rows of the batch, in this order. Errors: a row out of range.
  OutputSource select(const Indices& rows) const;
};

/// Base class of the last layer of a recurrent decoder: the scores of all target tokens, whose
/// softmax is the distribution of the next token.
///
/// A new output layer is a class that implements some of the functions below, in a file of its own,
/// and a row of output_layers().
class OutputLayer : public Layer {
 public:
  /// Logits [..., B, V], or [..., B, N] with N = CopiedTokens::size() if the layer copies tokens.
  virtual Tensor operator()(const OutputInput& input, const OutputSource& source) const = 0;
  virtual OutputReads reads() const { return {}; }
  /// For layers that copy tokens: the probability that the token of each source position is copied,
  /// [..., B, S]. Not defined: the layer does not copy.
  virtual Tensor copies(const OutputInput&) const { return {}; }
  /// For layers that copy tokens: source_vocabulary(). 0: the layer does not copy.
  virtual std::int64_t copied_vocabulary() const { return 0; }
  /// Errors: there is nothing in the source that the layer needs.
  virtual OutputSource read(const Encoded& encoded) const;
};

/// What an output layer is made from.
struct OutputLayerOptions {
  std::int64_t combined = 0;     ///< C
  std::int64_t state = 0;        ///< H
  std::int64_t embedding = 0;    ///< E
  std::int64_t source_size = 0;  ///< D of the encoder's states
  std::int64_t vocabulary = 0;   ///< V
  /// For layers that copy source tokens: the id of each of them among the target tokens. Empty: the
  /// ids are the same.
  std::vector<std::int32_t> copied_as = {};
  Arguments arguments = {};  ///< options of that layer alone
};

/// The least probability that an output layer gives to a token, so that all logits are finite.
inline constexpr double kLeastProbability = 1e-30;

/// The number of source tokens that `copied_as` has ids for.
std::int64_t source_vocabulary(const OutputLayerOptions& options);
/// The tokens of a source as target tokens. A source token that `copied_as` maps to `<unk>` is one
/// that the target vocabulary does not have; source ids from the size of `copied_as` on are as in
/// ExtendedVocabulary. Errors: the source has no tokens, or one that is not among these; messages
/// start with `layer`.
CopiedTokens tokens_to_copy(const char* layer, const Encoded& encoded,
                            const OutputLayerOptions& options);
/// The probability of each target token if the source token is copied that attention selects:
/// p_y = the sum of the weights of all positions s with token y. Shapes: weights [..., B, S] ->
/// [..., B, tokens.size()].
Tensor copy_distribution(const Tensor& weights, const CopiedTokens& tokens);

using OutputLayerMaker = std::function<std::shared_ptr<OutputLayer>(const OutputLayerOptions&)>;

/// The output layers that can be chosen by name.
Family<OutputLayerMaker>& output_layers();
/// Makes the output layer called `name`, which may be followed by options of its own; see
/// Family::make(). Errors: an unknown name (the message lists the valid ones); a size below 1.
std::shared_ptr<OutputLayer> make_output_layer(std::string_view name,
                                               const OutputLayerOptions& options);
/// Whether the output layer called `name` copies tokens. Errors: as make_output_layer().
bool copies_tokens(std::string_view name);
/// The names that make_output_layer() accepts.
std::vector<std::string> output_layer_names();

}  // namespace attune
