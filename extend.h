#pragma once

/// Everything needed to define a differentiable function outside the library. In a program that
/// links the CMake target attune::attune, it runs as fast as the library's functions; the program
/// needs no compiler flags of its own, such as -march.
///
///     Tensor swish(const Tensor& x, double beta) {  // Ramachandran et al. 2017
///       Array y = map("swish", x.value(), [beta](auto v) {
///         return v * math::sigmoid(static_cast<decltype(v)>(beta) * v);
///       });
///       return record("swish", std::move(y), {x}, [beta, x = Saved(x)](Grads& g) {
///         g.add(0, map("swish", g.dy(), *x, [beta](auto d, auto v) {
///           const auto b = static_cast<decltype(v)>(beta);
///           const auto s = math::sigmoid(b * v);
///           return d * (s + b * v * s * (1 - s));
///         }));
///       });
///     }
///
/// An operation computes its result, then calls record() with its name, the result, its inputs and
/// a lambda that computes the gradients. The parts, in the order in which they are needed:
///
/// - Values. `x.value()` is an Array; `map(name, a, f)`, `map(name, a, b, f)` and
///   `map(name, a, b, c, f)` compute a new one element by element, with NumPy's broadcasting. `f`
///   is a generic lambda of numbers, float or double, and is inlined into the loop. `math::` has
///   functions that are compiled to vector instructions. Write constants as
///   static_cast<decltype(v)>(...).
/// - Reductions and all other functions of the library. They accept arrays in place of tensors, and
///   then record nothing: `sum(x.value(), 1).value()` is an Array.
/// - Loops. `dispatch(dtype, [&](auto type) { using T = decltype(type); ... })` for
///   float and double, `data<T>()` and `mutable_data<T>()` for their memory, `parallel_for(n,
///   grain, body)` for threads: the results do not depend on the number of threads if no two ranges
///   write to the same element. ATTUNE_LOOP before a function with a loop compiles it for the
///   processor that the library was built for.
/// - Errors. `ATTUNE_CHECK(condition, "name: what is wrong; what to do", ...)`.
/// - Values that backward needs. `Saved` holds a value; reading it is an error if the value was
///   modified in the meantime.
/// - The gradients of results and inputs. `g.dy()` is the gradient of the result; `g.needs(i)` is
///   true if the gradient of input i is needed; `g.add(i, gradient)` adds to it, and sums over
///   broadcast axes.
/// - Tests. `gradcheck(f, inputs)` compares the gradients with finite differences, in float64.
#include "attune/autograd/all.h"
#include "attune/autograd/kernels/elementwise.h"
#include "attune/autograd/kernels/math.h"
