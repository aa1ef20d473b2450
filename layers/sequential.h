#pragma once

#include <concepts>
#include <cstddef>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "attune/layers/layer.h"

namespace attune {

/// Applies its parts in order: y = f_n(... f_1(f_0(x))). A part is a layer, or any function from a
/// tensor to a tensor, such as an Activation.
///
///     Sequential network(Linear(784, 64), relu, Dropout(0.1), Linear(64, 10));
///     network.append(Softmax());
///
/// Shapes: those of the parts; the output of each part is the input of the next.
/// Parameters: 0.weight, 0.bias, 3.weight, ...: prefixed with the index of the part.
class Sequential : public Layer {
 public:
  template <typename... Parts>
  explicit Sequential(Parts... parts) {
    (append(std::move(parts)), ...);
  }

  /// Appends a layer or a function.
  template <typename Part>
  void append(Part part) {
    static_assert(std::is_invocable_r_v<Tensor, const Part&, const Tensor&>,
                  "a part of a Sequential is called with a tensor and gives one");
    if constexpr (std::derived_from<Part, Layer>)
      parts_.emplace_back(child(std::to_string(parts_.size()), std::move(part)));
    else
      parts_.emplace_back(std::move(part));
  }

  Tensor operator()(const Tensor& x) const {
    const LayerScope scope(*this);
    Tensor y = x;
    for (const auto& part : parts_) y = part(y);
    return y;
  }
  std::size_t size() const { return parts_.size(); }

 private:
  std::vector<std::function<Tensor(const Tensor&)>> parts_;
};

}  // namespace attune
