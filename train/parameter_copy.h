#pragma once

#include <vector>

#include "attune/autograd/array/named_arrays.h"
#include "attune/layers/layer.h"

namespace attune {

/// A copy of a model's parameters and buffers to go back to: the best ones so far, or the last good
/// ones.
class ParameterCopy {
 public:
  explicit ParameterCopy(const Layer& model);

  /// Copies the parameters as they are now, into memory that is used again.
  void take();
  /// True once there is a copy.
  bool taken() const { return !copies_.empty(); }
  /// Sets the parameters to the copy, if there is one.
  void restore();

  /// The copy by the parameters' names; empty if there is none. The arrays share its memory.
  NamedArrays state() const;
  /// Errors, before anything is changed: other names or shapes than the parameters have.
  void load_state(const NamedArrays& state);

 private:
  std::vector<Param> parameters_;
  std::vector<Array> copies_;
};

}  // namespace attune
