#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "attune/autograd/array/named_arrays.h"
#include "attune/autograd/tensor.h"
#include "attune/layers/initializers.h"

namespace attune {

/// A named parameter, such as {"encoder.forward.weight_ih", ...}.
struct Param {
  std::string name;
  Tensor value;
};

/// The base of every layer: named parameters and named children. Counting, saving, loading and
/// optimising follow from param() and child(). A layer is a handle: copies share the parameters.
///
///     class Perceptron : public Layer {
///      public:
///       Perceptron(int in, int hidden, int out)
///           : hidden_(child("hidden", Linear(in, hidden))),
///             out_(child("out", Linear(hidden, out))) {}
///       Tensor operator()(const Tensor& x) const { return out_(tanh(hidden_(x))); }
///
///      private:
///       Linear hidden_, out_;
///     };
class Layer {
 public:
  Layer() : registry_(std::make_shared<Registry>()) {}
  virtual ~Layer() = default;

  /// All parameters, this layer's first and then its children's, with nested names. One that is
  /// reached by several names, such as that of a layer used twice, comes once, by the first.
  std::vector<Param> parameters() const;
  /// How many numbers they hold.
  std::int64_t parameter_count() const;
  void zero_grad();
  /// Sets every parameter to the value of its name. Errors, before anything is changed: a name that
  /// is missing or unknown, a shape that differs.
  void load(const NamedArrays& values);
  /// The values by name; they share memory with the parameters.
  NamedArrays values() const;

 protected:
  /// Makes a parameter of DefaultDType::current(). Errors: the name is taken or has a dot.
  Tensor param(const std::string& name, const Shape& shape, const Initializer& initializer);
  /// Takes in a layer's parameters under `name`, and gives the layer back.
  template <typename L>
  L child(const std::string& name, L layer) {
    add_child(name, layer);
    return layer;
  }
  /// The same for a layer behind a pointer.
  template <typename L>
  std::shared_ptr<L> child(const std::string& name, std::shared_ptr<L> layer) {
    add_child(name, *layer);
    return layer;
  }

 private:
  struct Registry {
    std::vector<Param> params;
    std::vector<std::pair<std::string, std::shared_ptr<Registry>>> children;
  };
  void check_name(const std::string& name) const;
  void add_child(const std::string& name, const Layer& layer);

  std::shared_ptr<Registry> registry_;
};

}  // namespace attune
