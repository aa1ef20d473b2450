#pragma once

#include "attune/autograd/tensor.h"

/// Comparisons, logic and selection. Comparisons and logical functions return booleans
/// (DType::boolean) and are not differentiable. All functions broadcast as in NumPy. Comparisons
/// with NaN are false, except for not_equal.
/// Errors (all functions): shapes do not broadcast. Comparisons: operands are boolean, or their
/// dtypes differ. logical_*, any, all: an operand is not boolean.
namespace attune {

/// a == b, element by element. (There is no operator==, which would suggest a single result.)
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

/// True if any, or all, of the elements are true. Of no elements, any() is false and all() is true.
bool any(const Tensor& condition);
bool all(const Tensor& condition);
/// The same along one axis, which is removed, or kept with size 1 if `keep`. Errors: no such axis.
Tensor any(const Tensor& condition, int axis, bool keep = false);
Tensor all(const Tensor& condition, int axis, bool keep = false);

/// a where `condition` is true, b elsewhere. A condition of numbers is true where they are not 0,
/// and gets no gradient. Elements that are not chosen get gradient 0, and may be NaN.
/// Errors: a and b differ in dtype.
Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b);
Tensor where(const Tensor& condition, const Tensor& a, double b);
Tensor where(const Tensor& condition, double a, const Tensor& b);
/// `value` where `mask` is true, x elsewhere. Errors: the mask does not broadcast to x's shape, or
/// is not boolean.
Tensor masked_fill(const Tensor& x, const Tensor& mask, double value);

}  // namespace attune
