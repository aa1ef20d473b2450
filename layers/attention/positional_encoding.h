#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "attune/autograd/array/family.h"
#include "attune/autograd/array/indices.h"
#include "attune/layers/layer.h"

namespace attune {

/// The self-attention that a PositionalEncoding is used in. Key s is at position s, and query t at
/// position first + t: in decoding, queries are the newest positions only.
struct AttentionPlace {
  std::int64_t heads = 1;    ///< H
  std::int64_t queries = 0;  ///< T
  std::int64_t keys = 0;     ///< S
  std::int64_t layer = 0;    ///< index of the layer in its stack

  std::int64_t first() const { return keys - queries; }
};

/// Base class of positional encodings, without which attention does not depend on the order of
/// positions. An encoding overrides one or several of the functions below, which by default do
/// nothing:
///
///     x = encoding(embeddings)                        adds to the embeddings
///     q = encoding.rotate(q), k = encoding.rotate(k)  changes queries and keys, in each layer
///     scores += encoding.bias(q)                      adds to the scaled scores, in each layer
///     context += encoding.values(weights)             adds to the contexts, in each layer
///
/// The last three are for self-attention only: between target and source there is no distance. A
/// model makes one encoding for its encoder and one for its decoder, whose layers share it.
///
/// A new encoding is a small class in a file of its own, and a row of positional_encodings().
class PositionalEncoding : public Layer {
 public:
  /// x [T, B, features] -> [T, B, features]. Position t of x is position first + t of the sequence,
  /// since in decoding x is the newest position only. Errors: as check().
  virtual Tensor operator()(const Tensor& x, std::int64_t first = 0) const;

  /// Queries or keys [T, B, H d] -> [T, B, H d]. The first one is at position `first`. Keys are
  /// stored as this function returns them.
  virtual Tensor rotate(const Tensor& x, std::int64_t heads, std::int64_t first) const;
  /// The bias of the scores of (rotated) queries [T, B, H d], which is broadcast to [B, H, T, S].
  /// Called only if has_bias().
  virtual Tensor bias(const Tensor& query, const AttentionPlace& place) const;
  virtual bool has_bias() const { return false; }
  /// What is added to the contexts, [T, B, H d], given the weights [B, H, T, S]. Called only if
  /// has_values().
  virtual Tensor values(const Tensor& weights, const AttentionPlace& place) const;
  virtual bool has_values() const { return false; }
  /// True if any of the last three functions does something, so that the encoding needs queries,
  /// keys and scores: a SequenceMixer has none.
  virtual bool acts_in_attention() const { return false; }

 protected:
  /// Errors: x is not [T, B, features]; `first` is below 0. Messages start with `layer`.
  static void check(const char* layer, const Tensor& x, std::int64_t features, std::int64_t first);
};

/// For each query and key, f(s - first - t), where s - first - t is the distance of key s from
/// query t, negative for earlier keys: [T, S].
Indices by_distance(const AttentionPlace& place,
                    const std::function<std::int64_t(std::int64_t distance)>& f);

/// What a positional encoding that is chosen by name is made from.
struct PositionalEncodingOptions {
  std::int64_t features = 0;  ///< size of embeddings, and of queries and keys of all heads
  std::int64_t heads = 1;     ///< H
  std::int64_t layers = 1;    ///< of the stack
  bool bidirectional = true;  ///< queries also attend to later keys, as in an encoder
  Arguments arguments = {};   ///< options of that encoding alone
};

using PositionalEncodingMaker =
    std::function<std::shared_ptr<PositionalEncoding>(const PositionalEncodingOptions&)>;

/// The positional encodings that can be chosen by name.
Family<PositionalEncodingMaker>& positional_encodings();
/// Makes the positional encoding called `name`, which may be followed by options of its own, as in
/// "t5:buckets=32,furthest=128"; see Family::make(). Errors: an unknown name (the message lists the
/// valid ones); an unknown option, or a value out of its range; `features` below 1.
std::shared_ptr<PositionalEncoding> make_positional_encoding(
    std::string_view name, const PositionalEncodingOptions& options);
/// The names that make_positional_encoding() accepts.
std::vector<std::string> positional_encoding_names();

}  // namespace attune
