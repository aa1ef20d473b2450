#pragma once

#include <optional>
#include <vector>

#include "attune/layers/attention/positional_encoding.h"
#include "attune/layers/dropout.h"
#include "attune/layers/embedding.h"
#include "attune/layers/linear.h"
#include "attune/models/encoder.h"

namespace attune {

struct ConvolutionalEncoderOptions {
  std::int64_t vocabulary = 0;  ///< number of source tokens; 0: sources are frames
  std::int64_t input = 32;      ///< size E of a token's embedding, or of a frame
  std::int64_t size = 128;      ///< D
  int layers = 1;
  std::int64_t width = 3;  ///< positions in a window
  double dropout = 0;      ///< of the embeddings, and of each layer's input
};

/// A stack of gated convolutions (Gehring et al. 2017, "Convolutional Sequence to Sequence
/// Learning", sec. 3.1 and 3.2):
///
///     e_s   = dropout(embedding(x_s) + p_s)         p: sinusoidal; or the frame for embedding(x_s)
///     h^0_s = W e_s + b
///     h^l_s = sqrt(1/2) (h^{l-1}_s + u * sigmoid(v)),   [u ; v] = W_l window_s + b_l
///
/// where window_s holds dropout(h^{l-1}) at the `width` positions around s, and zeros outside of
/// the source. A state depends on layers * (width - 1) / 2 positions on each side. The paper learns
/// p, and adds the embeddings to the values of attention, which is left out here.
///
/// Parameters: embedding.weight (of tokens), input.weight and input.bias (W, b), layer0.weight,
/// layer0.bias, ... (W_l, b_l).
/// Errors: sizes, layers or width below 1; a dropout outside [0, 1); tokens where frames are
/// expected, or the reverse.
class ConvolutionalEncoder : public Encoder {
 public:
  explicit ConvolutionalEncoder(const ConvolutionalEncoderOptions& options);
  Encoded operator()(const Source& source) const override;
  std::int64_t state_size() const override { return size_; }

 private:
  Tensor convolved(const Linear& layer, const Tensor& h, const Indices& lengths) const;

  std::int64_t size_, width_;
  std::optional<Embedding> embedding_;
  std::shared_ptr<PositionalEncoding> positions_;
  Dropout dropout_;
  Linear input_;
  std::vector<Linear> layers_;
};

}  // namespace attune
