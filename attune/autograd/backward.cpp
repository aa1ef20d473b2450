#include <algorithm>
#include <vector>

#include "attune/autograd/affine_gradients.h"
#include "attune/autograd/kernels/elementwise.h"
#include "attune/autograd/scopes.h"
#include "attune/autograd/tensor.h"

namespace attune {

/// Reverse mode: every node is run once, after all that use its outputs.
class BackwardPass {
 public:
  explicit BackwardPass(bool retain_graph) : retain_graph_(retain_graph) {}
  ~BackwardPass() {
    for (const NodeRef& node : nodes_)
      if (node) finish(*node.get());
  }

  void run(const NodeRef& root, int output, Array gradient) {
    gather(root);
    root->add(output, std::move(gradient));
    for (NodeRef& node : nodes_) {
      Node& current = *node.get();
      call_hooks(current);
      if (!current.is_leaf()) {
        if (reached(current)) current.run(affine_);
        if (!retain_graph_) current.release_saved();
      }
      finish(current);
      node = NodeRef();
    }
    affine_.flush();
  }

 private:
  // All nodes that the root was made from, newest first. Leaves need no turn, unless a hook waits
  // for their whole gradient.
  void gather(const NodeRef& root) {
    const auto visit = [this](const NodeRef& node) {
      if (!node || (node->is_leaf() ? !first_visit(*node.get()) : node->gathered_)) return;
      ATTUNE_CHECK(!node->released(),
                   "backward: the graph was freed by an earlier backward() at '{}'; compute the "
                   "result anew, or pass retain_graph = true to the earlier call",
                   node->name());
      if (!node->is_leaf()) node->gathered_ = true;
      nodes_.push_back(node);
      if (node->is_leaf() || node->retain_gradient_) put_aside(*node.get());
    };
    visit(root);
    for (std::size_t next = 0; next < nodes_.size(); ++next) {
      Node* node = nodes_[next].get();  // visit() may move the list
      for (const Edge& edge : node->inputs()) visit(edge.node);
    }
    const auto newer = [](const NodeRef& a, const NodeRef& b) { return a->order() > b->order(); };
    if (!std::is_sorted(nodes_.begin(), nodes_.end(), newer))
      std::sort(nodes_.begin(), nodes_.end(), newer);
  }

  // True once for a leaf whose hooks are to be called. Nothing is noted in the leaf itself: passes
  // on other threads may share it.
  bool first_visit(const Node& leaf) {
    if (leaf.hooks_.empty() || std::count(leaves_.begin(), leaves_.end(), &leaf) > 0) return false;
    leaves_.push_back(&leaf);
    return true;
  }

  // Hooks and inputs see this pass's gradient alone: what earlier passes left is put back
  // afterwards.
  void put_aside(Node& node) {
    for (int k = 0; k < node.outputs(); ++k)
      if (Array gradient = node.gradient(k); gradient.defined())
        earlier_.push_back({&node, k, std::move(gradient)});
    node.forget_gradients();
  }

  static bool reached(Node& node) {
    for (int k = 0; k < node.outputs(); ++k)
      if (node.gradient(k).defined()) return true;
    return false;
  }

  static void call_hooks(Node& node) {
    if (node.hooks_.empty() || !node.gradient().defined()) return;
    for (const GradientHook& hook : node.hooks_) {
      Array changed = hook(node.gradient());
      ATTUNE_CHECK(
          changed.defined() && changed.shape() == node.shape(0) && changed.dtype() == node.dtype(0),
          "gradient hook of '{}': it returned {} {}; expected {} {}", node.name(),
          changed.defined() ? name_of(changed.dtype()) : "no array, shape", changed.shape(),
          name_of(node.dtype(0)), node.shape(0));
      node.forget_gradients();
      node.add(0, std::move(changed));
    }
  }

  void finish(Node& node) {
    if (!node.is_leaf()) node.gathered_ = false;
    if (!node.is_leaf() && !node.retain_gradient_) return node.forget_gradients();
    for (const Earlier& earlier : earlier_) {
      if (earlier.node != &node) continue;
      // In memory of its own: this pass's gradient may be that of an input too.
      Node::Slot& slot = node.slot(earlier.output);
      Array total = earlier.gradient.clone();
      if (slot.gradient.defined()) add_in_place(total, slot.gradient);
      slot.gradient = std::move(total);
      slot.shared = false;
    }
  }

  bool retain_graph_;
  AffineGradients affine_;
  std::vector<NodeRef> nodes_;
  std::vector<const Node*> leaves_;  // with hooks
  struct Earlier {
    Node* node;
    int output;
    Array gradient;
  };
  std::vector<Earlier> earlier_;
};

void Tensor::backward(bool retain_graph) const {
  ATTUNE_CHECK(elements() == 1,
               "backward: the tensor of shape {} is not one number; reduce it with sum() or "
               "mean(), or pass the gradient to start from",
               shape());
  backward(Array::full(shape(), 1, dtype()), retain_graph);
}

void Tensor::backward(const Array& gradient, bool retain_graph) const {
  ATTUNE_CHECK(node_,
               "backward: the tensor of shape {} has no history; was it made from parameters, and "
               "outside NoGrad?",
               shape());
  ATTUNE_CHECK(gradient.shape() == shape() && gradient.dtype() == dtype(),
               "backward: the gradient is {} {}, the tensor {} {}; they must be alike",
               name_of(gradient.dtype()), gradient.shape(), name_of(dtype()), shape());
  const NoGrad no_grad;
  BackwardPass(retain_graph).run(node_, output_, gradient);
}

}  // namespace attune
