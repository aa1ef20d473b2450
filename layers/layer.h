#pragma once

#include <memory>
#include <string>
#include <typeinfo>
#include <utility>
#include <vector>

#include "attune/autograd/array/named_arrays.h"
#include "attune/autograd/array/random.h"
#include "attune/autograd/scopes.h"
#include "attune/autograd/tensor.h"
#include "attune/layers/initializers.h"
#include "attune/layers/layer_tensor.h"

namespace attune {

/// A named parameter or buffer, such as {"encoder.forward.weight_ih", ...}.
struct Param {
  std::string name;
  Tensor value;
};

/// The base of every layer: named parameters, named buffers and named children. Counting, saving,
/// loading, freezing and optimising follow from param(), buffer() and child(). A layer is a handle:
/// copies share the parameters; clone() makes a layer with parameters of its own.
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
  Layer() : place_(std::make_shared<Place>()) {}
  Layer(const Layer&) = default;
  /// A child may be assigned over, as in `model.out = Linear(3, 4)`: its layer then lists the new
  /// one's parameters. (Behind a pointer it may not: the layer would not see it.) Errors: copies of
  /// the child, or of the layer that it is part of, would go on with the one before.
  Layer& operator=(const Layer& other);
  virtual ~Layer() = default;

  /// All parameters, this layer's first and then its children's, with nested names. One that is
  /// reached by several names, such as that of a layer used twice, comes once, by the first.
  std::vector<Param> parameters() const;
  /// All buffers, in the same order.
  std::vector<Param> buffers() const;
  /// How many numbers the parameters hold.
  std::int64_t parameter_count() const;
  void zero_grad();

  /// requires_grad(false) freezes all parameters: see Tensor::requires_grad(). Optimizers leave
  /// them as they are.
  void requires_grad(bool wanted);
  /// The same for parameters whose names match a pattern, in which * stands for any characters and
  /// ? for one: requires_grad("encoder.*", false). Errors: no parameter matches.
  void requires_grad(const std::string& pattern, bool wanted);

  /// Sets every parameter and buffer to the value of its name. Errors, before anything is changed:
  /// a name that is missing or unknown, a shape that differs.
  void load(const NamedArrays& values);
  /// The values of parameters and buffers by name; they share memory with these.
  NamedArrays values() const;

 protected:
  /// Makes a parameter of DefaultDType::current(). Errors: the name is taken or has a dot.
  LayerTensor param(const std::string& name, const Shape& shape, const Initializer& initializer);
  /// Makes a buffer, a tensor that is saved and loaded but not trained, such as a running mean. Its
  /// user changes it in place: `Array mean = mean_.value(); mean.assign(...)`, not in several
  /// shards of a batch at once. Errors: as param().
  LayerTensor buffer(const std::string& name, const Shape& shape, const Initializer& initializer);
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
  template <typename L, typename... Arguments>
  friend L clone(const L& layer, Arguments&&... arguments);
  friend std::string summary(const Layer& layer);

  struct Place;
  /// What a layer is made of.
  struct Registry {
    struct Child {
      std::string name;
      const std::type_info* type;
      std::shared_ptr<Place> place;
    };
    std::vector<std::shared_ptr<LayerTensor::Place>> tensors;
    std::vector<Child> children;
  };
  /// Where a layer finds its child, whatever the child is assigned.
  struct Place {
    std::shared_ptr<Registry> registry = std::make_shared<Registry>();
    bool is_child = false;
  };

  enum class Kind { parameters, buffers, both };
  std::vector<Param> collect(Kind kind) const;
  void check_name(const std::string& name) const;
  LayerTensor add_tensor(const char* what, const std::string& name, const Shape& shape,
                         const Initializer& initializer);
  void add_child(const std::string& name, const Layer& layer);
  DType dtype() const;
  void become_copy_of(const Layer& other);

  std::shared_ptr<Place> place_;
};

/// A layer like `layer`, with parameters and buffers of its own that hold the same values and are
/// frozen alike. It is made anew with the arguments that `layer` was made with, whatever struct it
/// is, and draws no random number:
///
///     const Linear twin = clone(linear, 3, 4);
///     const Finder other = clone(finder);             // a struct that takes no arguments
///
/// What a struct keeps beside param(), buffer() and child() is as its constructor leaves it.
/// Errors: the arguments make other parameters.
template <typename L, typename... Arguments>
L clone(const L& layer, Arguments&&... arguments) {
  const GeneratorScope draws{Generator()};
  const DefaultDType dtype(layer.Layer::dtype());
  L copy(std::forward<Arguments>(arguments)...);
  copy.become_copy_of(layer);
  return copy;
}

}  // namespace attune
