#pragma once

#include <vector>

#include "attune/autograd/array/named_arrays.h"
#include "attune/layers/layer.h"

namespace attune {

/// A copy of a model's parameters and buffers that can be restored, such as the best or the last
/// good ones.
class ParameterCopy {
 public:
  explicit ParameterCopy(const Layer& model);

  /// Copies the current parameters, reusing the memory of the previous copy.
  void take();
  /// Whether there is a copy.
  bool taken() const { return !copies_.empty(); }
  /// Sets the parameters to the copy, if there is one.
  void restore();

  /// The copy by parameter name; empty if there is none. The arrays share memory with it.
  NamedArrays state() const;
  /// Restores a state(). Errors (nothing is changed): names or shapes that differ from the
  /// parameters'.
  void load_state(const NamedArrays& state);

 private:
  std::vector<Param> parameters_;
  std::vector<Array> copies_;
};

}  // namespace attune
