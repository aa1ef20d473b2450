#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <typeinfo>
#include <utility>
#include <vector>

#include "attune/autograd/array/named_arrays.h"
#include "attune/autograd/array/random.h"
#include "attune/autograd/scopes.h"
#include "attune/autograd/spans.h"
#include "attune/autograd/tensor.h"
#include "attune/layers/initializers.h"
#include "attune/layers/layer_tensor.h"

namespace attune {

/// A named parameter or buffer, such as {"encoder.forward.weight_ih", ...}.
struct Param {
  std::string name;
  Tensor value;
};

/// Base class of all layers: holds named parameters, buffers and child layers. What is registered
/// with param(), buffer() and child() can be counted, saved, loaded, frozen and optimised without
/// further code. A layer is a handle: copies share its parameters; clone() makes an independent
/// copy.
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
  /// Replaces the layer. If it is a child, as in `model.out = Linear(3, 4)`, its parent then lists
  /// the new layer's parameters. (Reassigning a shared_ptr to a child does not have this effect.)
  /// Errors: copies of the child or of its parent exist, which would keep using the old layer.
  Layer& operator=(const Layer& other);
  virtual ~Layer() = default;

  /// All parameters: this layer's own, then its children's, with nested names such as "out.weight".
  /// A parameter with several names, for example of a layer that is used twice, is listed once,
  /// under the first.
  std::vector<Param> parameters() const;
  /// All buffers, in the same order.
  std::vector<Param> buffers() const;
  /// The total number of elements of all parameters.
  std::int64_t parameter_count() const;
  /// The name of a layer within this one, such as "decoder.attention"; "" for this layer itself,
  /// and not set if `layer` is no part of it.
  std::optional<std::string> name_of(const Layer& layer) const;
  /// Clears the gradients of all parameters.
  void zero_grad();

  /// Freezes all parameters if `wanted` is false: see Tensor::requires_grad(). Optimizers skip
  /// frozen parameters.
  void requires_grad(bool wanted);
  /// The same for parameters whose names match a glob pattern, in which * matches any characters
  /// and ? a single one: requires_grad("encoder.*", false). Errors: no parameter matches.
  void requires_grad(const std::string& pattern, bool wanted);

  /// Copies each value into the parameter or buffer of the same name. Errors (nothing is changed):
  /// a missing, unknown or repeated name; a different shape.
  void load(const NamedArrays& values);
  /// The values of all parameters and buffers by name; the arrays share memory with the layer.
  NamedArrays values() const;

 protected:
  /// Registers a new parameter of dtype DefaultDType::current(), filled by `initializer`. Errors:
  /// the name is empty, contains a dot or is already used; a size below 1.
  LayerTensor param(const std::string& name, const Shape& shape, const Initializer& initializer);
  /// Registers a new buffer: a tensor that is saved and loaded but not trained, such as a running
  /// mean. Update it in place, `Array mean = mean_.value(); mean.assign(...)`, but not from several
  /// shards of a batch at once. Errors: as param().
  LayerTensor buffer(const std::string& name, const Shape& shape, const Initializer& initializer);
  /// Registers `layer` as a child, which prefixes the names of its parameters with `name` and a
  /// dot, and returns it. Errors: the name is empty, contains a dot or is already used.
  template <typename L>
  L child(const std::string& name, L layer) {
    add_child(name, layer);
    return layer;
  }
  /// The same for a layer held by pointer.
  template <typename L>
  std::shared_ptr<L> child(const std::string& name, std::shared_ptr<L> layer) {
    add_child(name, *layer);
    return layer;
  }
  /// That of the parameters; without any, DefaultDType::current().
  DType dtype() const;

 private:
  template <typename L, typename... Arguments>
  friend L clone(const L& layer, Arguments&&... arguments);
  friend std::string summary(const Layer& layer);
  friend class LayerScope;

  struct Place;
  /// The tensors and children of a layer.
  struct Registry {
    struct Child {
      std::string name;
      const std::type_info* type;
      std::shared_ptr<Place> place;
    };
    std::vector<std::shared_ptr<LayerTensor::Place>> tensors;
    std::vector<Child> children;
  };
  /// Shared by a child and its parent. Assigning to the child replaces the registry in here, so the
  /// parent always finds the current one.
  struct Place {
    std::shared_ptr<Registry> registry = std::make_shared<Registry>();
    bool is_child = false;
    std::string name;  // given by the first parent
    std::weak_ptr<Place> parent;
    std::atomic<const char*> path{nullptr};  // permanent; nullptr until it is needed

    const char* get_path();
    void become_child(const std::string& new_name, const std::shared_ptr<Place>& new_parent);
    void forget_path();
  };

  enum class Kind { parameters, buffers, both };
  std::vector<Param> collect(Kind kind) const;
  void check_name(const std::string& name) const;
  LayerTensor add_tensor(const char* what, const std::string& name, const Shape& shape,
                         const Initializer& initializer);
  void add_child(const std::string& name, const Layer& layer);
  void become_copy_of(const Layer& other);

  std::shared_ptr<Place> place_;
};

/// The call of a layer, for the lifetime of the object. Operations within it carry the path of the
/// layer, such as "decoder.layer0", which Profiler and to_dot() show. Every function of a layer
/// that calls operations begins with it; without it, they carry the path of the layer that calls
/// this one. A layer that is no child has no path.
///
///     Tensor operator()(const Tensor& x) const {
///       const LayerScope scope(*this);
///       return out_(tanh(hidden_(x)));
///     }
class LayerScope : public LayerPathScope {
 public:
  [[nodiscard]] explicit LayerScope(const Layer& layer)
      : LayerPathScope(layer.place_->get_path()) {}
};

/// An independent copy of `layer`, with its own parameters and buffers of the same values, and the
/// same parameters frozen. The copy is constructed from `arguments`, those that `layer` was
/// constructed with, so this works for any type. generator() is not advanced.
///
///     const Linear twin = clone(linear, 3, 4);
///     const Finder other = clone(finder);             // a type without constructor arguments
///
/// State other than parameters, buffers and children is as the constructor leaves it.
/// Errors: the arguments result in different parameters.
template <typename L, typename... Arguments>
L clone(const L& layer, Arguments&&... arguments) {
  const GeneratorScope draws{Generator()};
  const DefaultDType dtype(layer.Layer::dtype());
  L copy(std::forward<Arguments>(arguments)...);
  copy.become_copy_of(layer);
  return copy;
}

}  // namespace attune
