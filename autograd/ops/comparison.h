#pragma once

#include "attune/autograd/tensor.h"

/// Comparisons give booleans (DType::boolean) without history; conditions and masks are made of
/// them. All broadcast as NumPy does, and comparisons with NaN are false, but not_equal. Errors of
/// all: shapes do not broadcast; a comparison of booleans, or of different dtypes; logic or a
/// condition of anything but booleans.
namespace attune {

/// a == b. (operator== is left to C++: of two tensors it could be taken for one answer.)
Tensor equal(const Tensor& a, const Tensor& b);
Tensor equal(const Tensor& a, double b);
Tensor not_equal(const Tensor& a, const Tensor& b);
Tensor not_equal(const Tensor& a, double b);
Tensor less(const Tensor& a, const Tensor& b);
Tensor less(const Tensor& a, double b);
Tensor less_equal(const Tensor& a, const Tensor& b);
Tensor less_equal(const Tensor& a, double b);
Tensor greater(const Tensor& a, const Tensor& b);
Tensor greater(const Tensor& a, double b);
Tensor greater_equal(const Tensor& a, const Tensor& b);
Tensor greater_equal(const Tensor& a, double b);

inline Tensor operator<(const Tensor& a, const Tensor& b) { return less(a, b); }
inline Tensor operator<(const Tensor& a, double b) { return less(a, b); }
inline Tensor operator<=(const Tensor& a, const Tensor& b) { return less_equal(a, b); }
inline Tensor operator<=(const Tensor& a, double b) { return less_equal(a, b); }
inline Tensor operator>(const Tensor& a, const Tensor& b) { return greater(a, b); }
inline Tensor operator>(const Tensor& a, double b) { return greater(a, b); }
inline Tensor operator>=(const Tensor& a, const Tensor& b) { return greater_equal(a, b); }
inline Tensor operator>=(const Tensor& a, double b) { return greater_equal(a, b); }

Tensor logical_and(const Tensor& a, const Tensor& b);
Tensor logical_or(const Tensor& a, const Tensor& b);
Tensor logical_not(const Tensor& a);

/// True when some, or every, element of booleans is true; of none, any() is false and all() true.
bool any(const Tensor& condition);
bool all(const Tensor& condition);
/// The same along one axis; with `keep` it stays, as size 1. Errors: no such axis.
Tensor any(const Tensor& condition, int axis, bool keep = false);
Tensor all(const Tensor& condition, int axis, bool keep = false);

/// a where `condition` is true, b elsewhere. Numbers are conditions, too: true where not 0. The
/// condition has no gradient. What is not chosen has the gradient 0, and may be NaN.
Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b);
Tensor where(const Tensor& condition, const Tensor& a, double b);
Tensor where(const Tensor& condition, double a, const Tensor& b);
/// x, but `value` where `mask` is true; the mask broadcasts to x. Errors: it does not.
Tensor masked_fill(const Tensor& x, const Tensor& mask, double value);

}  // namespace attune
