#pragma once

#include <vector>

#include "attune/autograd/gradients.h"

namespace attune {

/// The gradients of weights W [out, in] and biases b [out] of maps of rows, y = x W^T + b:
///
///   dW += dy^T x,  db += the sum of dy's rows
///
/// A decoder maps few rows at every step with the same weights. Each such product alone would read
/// and write all of dW for little work, so the rows of several steps are put below each other, and
/// multiplied as one when there are enough of them, or when the backward pass ends.
///
/// A row of x whose dy is 0 takes no part, whatever it holds.
class AffineGradients {
 public:
  struct Target {
    Edge weight, bias;          ///< either may lead nowhere
    std::int64_t first_column;  ///< of the columns of W that x was multiplied by
  };

  /// dy [..., out] and x [..., in]. Rows may wait if the gradients' users look at them only after
  /// the pass.
  void add(const Target& target, const Array& dy, const Array& x, Gradients& leaves);
  /// Adds what waits.
  void flush(Gradients& leaves);

 private:
  struct Waiting {
    Target target;
    Array dy, x;  // the first rows themselves, and room for many when others join them
    std::int64_t rows;
    bool joined = false;

    void join(std::int64_t more, const Array& more_dy, const Array& more_x, Gradients& leaves);
  };

  std::vector<Waiting> waiting_;
};

}  // namespace attune
