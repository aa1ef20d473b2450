#pragma once

#include <memory>
#include <string>

#include "attune/autograd/tensor.h"

namespace attune {

/// A parameter or buffer of a layer, as returned by Layer::param() and Layer::buffer(). Assignment
/// to a member of this type replaces the tensor that the layer lists, saves and loads:
///
///     struct Scale : Layer {
///       LayerTensor factor = param("factor", {1}, ones());
///     };
///     Scale scale;
///     scale.factor = Tensor::parameter(Array::full({1}, 2));   // scale.parameters()[0] now
///
/// A member that is never reassigned can be a plain Tensor instead.
class LayerTensor : public Tensor {
 public:
  LayerTensor() = default;
  LayerTensor(const LayerTensor&) = default;
  /// Errors: the layer has been copied, and the copies would keep the old tensor; a parameter is
  /// assigned a tensor that is not a parameter; a buffer is assigned a tensor that has a history.
  LayerTensor& operator=(const LayerTensor& other);
  LayerTensor& operator=(const Tensor& other);

 private:
  friend class Layer;
  /// The layer's entry for the tensor.
  struct Place {
    std::string name;
    Tensor tensor;
    bool is_parameter;  // otherwise a buffer
  };
  explicit LayerTensor(const std::shared_ptr<Place>& place)
      : Tensor(place->tensor), place_(place) {}

  std::shared_ptr<Place> place_;
};

}  // namespace attune
