#pragma once

#include <memory>
#include <string>

#include "attune/autograd/tensor.h"

namespace attune {

/// A tensor that belongs to a layer: what Layer::param() and Layer::buffer() give. A member of this
/// type may be assigned over; the layer then lists, saves and loads the new tensor:
///
///     struct Scale : Layer {
///       LayerTensor factor = param("factor", {1}, ones());
///     };
///     Scale scale;
///     scale.factor = Tensor::parameter(Array::full({1}, 2));   // scale.parameters()[0] now
///
/// A member of type Tensor does as well where nobody assigns over it.
class LayerTensor : public Tensor {
 public:
  LayerTensor() = default;
  LayerTensor(const LayerTensor&) = default;
  /// Errors: other copies of the layer would go on with the tensor before; a parameter is given
  /// what is none, or a buffer what has a history.
  LayerTensor& operator=(const LayerTensor& other);
  LayerTensor& operator=(const Tensor& other);

 private:
  friend class Layer;
  /// Where a layer keeps the tensor.
  struct Place {
    std::string name;
    Tensor tensor;
    bool is_parameter;  // or a buffer
  };
  explicit LayerTensor(const std::shared_ptr<Place>& place)
      : Tensor(place->tensor), place_(place) {}

  std::shared_ptr<Place> place_;
};

}  // namespace attune
