#pragma once

#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "attune/autograd/tensor.h"

namespace attune {

/// The tensors to optimise, with optional names. Constructed from a list of tensors, or of structs
/// with a `name` and a `value`, such as Layer::parameters(). A tensor that is listed several times,
/// such as a weight that two layers share, is included once, under its first name:
///
///     const Parameters parameters = model.parameters();
///     Adam optimizer(parameters);
class Parameters {
 public:
  struct Item {
    std::string name;
    Tensor value;
  };

  Parameters() = default;
  Parameters(std::initializer_list<Tensor> tensors) {
    for (const Tensor& tensor : tensors) add("", tensor);
  }
  Parameters(const std::vector<Tensor>& tensors) {  // NOLINT(google-explicit-constructor)
    for (const Tensor& tensor : tensors) add("", tensor);
  }
  template <typename Named>
  requires requires(const Named& named) {
    { named.name } -> std::convertible_to<std::string>;
    { named.value } -> std::convertible_to<Tensor>;
  }
  Parameters(const std::vector<Named>& list) {  // NOLINT(google-explicit-constructor)
    for (const Named& named : list) add(named.name, named.value);
  }

  std::size_t size() const { return items_.size(); }
  auto begin() const { return items_.begin(); }
  auto end() const { return items_.end(); }

 private:
  void add(std::string name, const Tensor& tensor) {
    if (!tensor.node() || nodes_.insert(tensor.node().get()).second)
      items_.push_back({std::move(name), tensor});
  }

  std::vector<Item> items_;
  std::unordered_set<const Node*> nodes_;
};

}  // namespace attune
