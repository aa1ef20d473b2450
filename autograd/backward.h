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
///     const Array* dw = gradients.find(w);     // nullptr: the loss does not depend on w
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

  /// The gradient of a parameter, or of another tensor that grad() was asked for; nullptr if none
  /// arrived.
  const Array* find(const Tensor& tensor) const;
  /// The same. Errors: none arrived.
  const Array& at(const Tensor& tensor) const;
  /// How many there are.
  std::size_t size() const;

  /// Adds another pass's gradients to these, each to that of the same parameter.
  void add(Gradients other);
  /// Adds each to the grad() of its parameter, as Tensor::backward() does, and forgets them.
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
  // Moves the gradient of `tensor` here, if there is one.
  void move_from(Gradients& other, const Tensor& tensor);
  // Adds the gradients that are still in affine_.
  void flush();

  std::deque<Entry> entries_;  // in order of first use; addresses stay
  std::unordered_map<std::uintptr_t, Entry*> by_key_;
  std::unique_ptr<AffineGradients> affine_;  // weights' gradients, collected over several rows
};

/// Differentiates `loss` with respect to every leaf it was made from, as Tensor::backward() does,
/// and returns the gradients instead of adding them to the parameters.
/// Errors: as there; nothing has changed then.
Gradients backward(const Tensor& loss, bool retain_graph = false);
/// The same from `gradient`, of the tensor's shape: the vector-Jacobian product.
Gradients backward(const Tensor& tensor, const Array& gradient, bool retain_graph = false);

/// The gradients of the sum of all elements of `outputs` with respect to `inputs`, which may be
/// parameters or tensors computed from them; grad() of any tensor stays as it is. An input that no
/// output depends on has none. Gradients have no history of their own: a loss that is made from
/// them, such as a penalty on their norm, is a constant to backward(). Errors: an output or input
/// without history; as Tensor::backward().
Gradients grad(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
               bool retain_graph = false);

}  // namespace attune
