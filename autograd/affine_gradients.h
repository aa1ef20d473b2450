#pragma once

#include <vector>

#include "attune/autograd/backward.h"

namespace attune {

/// The gradients of weights W [out, in] and biases b [out] of affine maps of rows, y = x W^T + b:
///
///   dW += dy^T x,  db += the sum of dy's rows
///
/// A decoder multiplies a few rows at every step by the same weights. Each such product alone would
/// read and write all of dW for little work, so the rows of several steps are collected and
/// multiplied at once, when there are enough of them or when the backward pass ends.
///
/// A row of x whose dy is 0 has no influence, whatever it holds.
class AffineGradients {
 public:
  struct Target {
    Edge weight, bias;          ///< either may be empty
    std::int64_t first_column;  ///< of the columns of W that x was multiplied by
  };

  /// Adds the gradients from dy [..., out] and x [..., in]; those of leaves possibly later, in
  /// flush().
  void add(const Target& target, const Array& dy, const Array& x, Gradients& leaves);
  /// Adds the gradients of all collected rows.
  void flush(Gradients& leaves);

 private:
  struct Waiting {
    Target target;
    Array dy, x;  // the arrays given first; larger buffers once more rows join them
    std::int64_t rows;
    const char* layer_path = current_layer_path();
    bool joined = false;

    void join(std::int64_t more, const Array& more_dy, const Array& more_x, Gradients& leaves);
  };

  std::vector<Waiting> waiting_;
};

}  // namespace attune
