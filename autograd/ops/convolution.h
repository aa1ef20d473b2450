#pragma once

#include "attune/autograd/tensor.h"

/// Convolution along the time axis of sequences [T, B, C].
namespace attune {

struct ConvolutionOptions {
  std::int64_t left = 0;   ///< zeros before the sequence
  std::int64_t right = 0;  ///< and after it
  std::int64_t stride = 1;
};

/// Windows of `width` steps, as rows for a product: y_t holds x_{t stride - left} ... of width
/// steps, channel by channel, with zeros outside of the sequence. Shapes: x [T, B, C] -> [T', B, C
/// width], T' = (T + left + right - width) / stride + 1, rounded down. Errors: x has another rank;
/// a width, padding or stride out of range; the padded sequence is shorter than a window.
Tensor unfold(const Tensor& x, std::int64_t width, const ConvolutionOptions& options = {});

/// One-dimensional convolution (in fact cross-correlation, as in PyTorch's conv1d, with time as the
/// leading axis):
///
///     y_{t, b, o} = bias_o + sum_c sum_k weight_{o, c, k} x_{t stride + k - left, b, c}
///
/// Shapes: x [T, B, C], weight [O, C, width], bias [O] or not defined -> [T', B, O]. Errors: as
/// unfold(); sizes that do not match.
Tensor conv1d(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
              const ConvolutionOptions& options = {});

/// conv1d() of each channel with itself alone, as with PyTorch's groups = C:
///
///     y_{t, b, c} = bias_c + sum_k weight_{c, k} x_{t stride + k - left, b, c}
///
/// Shapes: x [T, B, C], weight [C, width], bias [C] or not defined -> [T', B, C]. Errors: as
/// unfold(); sizes that do not match.
Tensor depthwise_conv1d(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
                        const ConvolutionOptions& options = {});

}  // namespace attune
