#pragma once

#include "attune/autograd/array/indices.h"
#include "attune/autograd/tensor.h"

/// Operations of positional encodings in attention; see layers/attention/positional_encoding.h.
namespace attune {

struct RotaryOptions {
  std::int64_t heads = 1;  ///< H
  std::int64_t first = 0;  ///< the position of x[0]
  double base = 10000;     ///< the wavelengths are from 2 pi to almost 2 pi base
};

/// Rotates each pair of features of each head by an angle proportional to the position (Su et al.
/// 2021, eq. 14, 15 and 34). With d features of a head and position p = first + t,
///
///     y[2i]     = x[2i] cos(p f_i) - x[2i + 1] sin(p f_i)        f_i = base^(-2i / d)
///     y[2i + 1] = x[2i] sin(p f_i) + x[2i + 1] cos(p f_i)
///
/// so that the dot product of two rotated vectors depends on the difference of their positions, not
/// on the positions themselves. Pairs are adjacent features, as in the paper; many programs pair
/// feature i with i + d / 2 instead, which is the same up to the order of features. The last
/// feature of an odd d is not rotated.
/// Shapes: x [T, B, H d] -> [T, B, H d].
/// Errors: x is not [T, B, H d]; `first` is negative; `base` is not above 0.
Tensor rotary(const Tensor& x, const RotaryOptions& options = {});

/// For each query t and key s, the entry of a bucket: y[..., t, s] = x[..., t, buckets[t, s]], or
/// x[..., 0, buckets[t, s]] if all queries have the same entries.
/// Shapes: x [..., T, N] or [..., 1, N], buckets [T, S] -> [..., T, S].
/// Errors: shapes do not fit; a bucket outside [0, N).
Tensor from_buckets(const Tensor& x, const Indices& buckets);

/// The sum over the keys of each bucket: y[..., t, n] = sum of weights[..., t, s] over the keys s
/// with buckets[t, s] = n. The adjoint of from_buckets().
/// Shapes: weights [..., T, S], buckets [T, S] -> [..., T, N], N = `count`.
/// Errors: shapes do not fit; a bucket outside [0, N).
Tensor into_buckets(const Tensor& weights, const Indices& buckets, std::int64_t count);

}  // namespace attune
