#pragma once

/// Everything that a differentiable function of one's own needs. With CMake's target attune::attune
/// it runs at the speed of the library's functions, with the program's own flags.
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
/// An operation computes its result, then hands record() its name, the result, its inputs and a
/// lambda that passes gradients on. The parts, in the order in which they are needed:
///
/// - Values. `x.value()` is an Array; `map(name, a, f)`, `map(name, a, b, f)` and
///   `map(name, a, b, c, f)` make a new one element by element, under NumPy's broadcasting. `f` is
///   a generic lambda of numbers, float or double, and is inlined into the loop. `math::` has
///   functions that become vector instructions. Write constants as static_cast<decltype(v)>(...).
/// - Reductions and all that the library has. Arrays go wherever tensors do, without history:
///   `sum(x.value(), 1).value()` is an Array.
/// - Loops of one's own. `dispatch(dtype, [&](auto type) { using T = decltype(type); ... })` for
///   float and double, `data<T>()` and `mutable_data<T>()` for their memory, `parallel_for(n,
///   grain, body)` for threads: the results do not depend on their number if each range writes
///   results of its own. ATTUNE_LOOP before a function with a loop compiles it for the processor
///   that the library was built for.
/// - Errors. `ATTUNE_CHECK(condition, "name: what is wrong; what to do", ...)`.
/// - What backward needs. `Saved` holds a value and notices when it was changed since.
/// - The gradients of results and inputs. `g.dy()` is the result's; `g.needs(i)` says whether input
///   i wants its own; `g.add(i, gradient)` adds to it and sums over broadcast axes.
/// - The proof. `gradcheck(f, inputs)` compares it with finite differences, in float64.
#include "attune/autograd/all.h"
#include "attune/autograd/kernels/elementwise.h"
#include "attune/autograd/kernels/math.h"
