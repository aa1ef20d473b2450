#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

#include "attune/autograd/tensor.h"

namespace attune {

class AffineGradients;

/// The gradients of one backward pass: a value, indexed by parameter.
///
///     Gradients gradients = backward(loss);
///     const Array* dw = gradients.find(w);     // nullptr if the loss does not depend on w
///     gradients.add_to_parameters();           // the last two steps of loss.backward()
///
/// A pass writes only to its own graph and its Gradients, so several graphs over the same
/// parameters can be differentiated at the same time, each on its own thread.
class Gradients {
 public:
  Gradients();
  Gradients(Gradients&& other) noexcept;
  Gradients& operator=(Gradients&& other) noexcept;
  ~Gradients();

  /// The gradient of a parameter, or of another tensor that was passed to grad() as an input;
  /// nullptr if there is none.
  const Array* find(const Tensor& tensor) const;
  /// The same. Errors: there is none.
  const Array& at(const Tensor& tensor) const;
  /// The number of gradients.
  std::size_t size() const;

  /// Adds the gradients of another pass, parameter by parameter.
  void add(Gradients other);
  /// Adds each gradient to the grad() of its parameter, as Tensor::backward() does. None are left
  /// here.
  void add_to_parameters();

 private:
  friend class Node;
  friend class BackwardPass;
  friend class Observers;
  friend class Grads;
  friend Gradients grad(const std::vector<Tensor>&, const std::vector<Tensor>&, bool);

  struct Entry {
    NodeRef node;
    int output;
    GradientSlot slot;
  };
  static std::uintptr_t key(const Node& node, int output);
  GradientSlot& slot(Node& node, int output);
  // Moves the gradient of `tensor` from `other` to these, if there is one.
  void move_from(Gradients& other, const Tensor& tensor);
  // Adds the gradients that are still collected in affine_.
  void flush();

  std::deque<Entry> entries_;  // in order of first use; their addresses do not change
  std::unordered_map<std::uintptr_t, Entry*> by_key_;
  std::unique_ptr<AffineGradients> affine_;  // of weights, collected over several products
};

/// Differentiates `loss` with respect to every leaf that it was computed from and returns the
/// gradients, instead of adding them to the parameters' grad() as Tensor::backward() does.
/// Errors: as Tensor::backward(), which leave all gradients unchanged.
Gradients backward(const Tensor& loss, bool retain_graph = false);
/// The same for a tensor of any shape: the vector-Jacobian product with `gradient`. Errors: its
/// shape or dtype is not the tensor's; as above.
Gradients backward(const Tensor& tensor, const Array& gradient, bool retain_graph = false);

/// The gradients of the sum of all elements of `outputs` with respect to `inputs`, which may be
/// parameters or tensors computed from them. Does not change Tensor::grad() of any of them. An
/// input that no output depends on has no gradient. There are no second derivatives: a loss
/// computed from these gradients, such as a penalty on their norm, is a constant for backward().
/// Errors: an output or input that does not require a gradient; as Tensor::backward().
Gradients grad(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
               bool retain_graph = false);

}  // namespace attune
