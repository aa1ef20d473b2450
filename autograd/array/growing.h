#pragma once

#include "attune/autograd/array/array.h"

/// Arrays that grow along their leading axis, as std::vector does: with memory for further rows
/// behind the last one.
namespace attune {

/// An uninitialised array with room for further rows. Errors: as Array's constructor.
Array array_with_room(const Shape& shape, DType dtype);

/// Whether the array has room for at least one further row that no other array has taken.
bool has_room(const Array& x);

/// The rows of `x` and then those of `more`, which must have the same dtype and the same other
/// axes. Takes amortised time proportional to `more`: if x has room, `more` is written into it and
/// the result shares the memory of x, which keeps its shape and its values; otherwise both are
/// copied to an array with room. Of several arrays that share memory, the first one to grow takes
/// the room, and the others are copied. Thread-safe.
Array grown(const Array& x, const Array& more);

}  // namespace attune
