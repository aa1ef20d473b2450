#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "attune/autograd/backward.h"

namespace attune {

/// What observes one backward pass: hooks, retain_grad(), and the tensors whose gradients grad()
/// returns. Gradients are added up in the same order with and without them, so that they change no
/// bit of any result.
class Observers {
 public:
  Observers() = default;
  Observers(const Observers&) = delete;
  Observers& operator=(const Observers&) = delete;
  /// Undoes want(). After an error, also restores the gradients of earlier passes.
  ~Observers();

  /// Keeps the gradient of a tensor for finish(). Leaves need no call.
  void want(const Tensor& tensor);

  /// Called once for each node that is not a leaf, before the pass.
  void begin(const NodeRef& node) {
    if (node->hooks_ || node->retain_gradient_) begin_observed(node);
  }
  /// Called for each use of a leaf, before the pass.
  void begin_leaf(const NodeRef& leaf) {
    if (leaf->hooks_) begin_hooked(leaf);
  }
  /// Calls the hooks of a node whose gradient is complete.
  void call_hooks(Node& node) {
    if (node.hooks_) call_hooks(node, node.slots_[0], node.hooks_->in_pass);
  }
  /// At the end: calls the hooks of leaves, and moves the gradients that were wanted to
  /// `gradients`.
  void finish(Gradients& gradients);
  /// After finish(): adds the gradients that retain_grad() keeps to those of earlier passes.
  void keep_retained();

 private:
  void begin_observed(const NodeRef& node);
  void begin_hooked(const NodeRef& leaf);
  static std::uint64_t begin_of(const GradientHooks& hooks);
  static void call_hooks(Node& node, GradientSlot& slot, std::uint64_t begin);

  struct Held {
    NodeRef node;
    int output;
    Array gradient;
  };
  struct Wanted {
    NodeRef node;
    int output;
    bool retained;  // by retain_grad()
  };
  std::vector<Held> earlier_;                              // gradients of earlier passes
  std::vector<Wanted> wanted_;                             // by grad()
  std::vector<std::pair<NodeRef, std::uint64_t>> leaves_;  // with hooks, and begin_of(the hooks)
};

}  // namespace attune
