#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

#include "attune/autograd/gradients.h"
#include "attune/autograd/kernels/elementwise.h"
#include "attune/autograd/scopes.h"
#include "attune/autograd/tensor.h"

namespace attune {

/// Reverse mode: every node is run once, after all nodes that use its outputs. Gradients are added
/// up in the same order with and without hooks and retain_grad(), which change no bit of any
/// result.
class BackwardPass {
 public:
  explicit BackwardPass(bool retain_graph) : retain_graph_(retain_graph) {}

  // After an error: leaves nothing of this pass in the graph.
  ~BackwardPass() {
    for (const Turn& turn : turns_)
      if (turn.node) {
        turn.node->gathered_ = false;
        turn.node->forget_gradients();
      }
    for (const Wanted& wanted : wanted_) wanted.node->retain_gradient_ = wanted.retained;
    for (Held& earlier : earlier_) {
      GradientSlot& slot = earlier.node->slots_[earlier.output];
      slot.gradient = std::move(earlier.gradient);
      slot.shared = true;
    }
  }

  // Asks for the gradient of a tensor that is not a leaf.
  void want(const Tensor& tensor) {
    const NodeRef& node = tensor.node();
    if (node->is_leaf()) return;
    bool retained = node->retain_gradient_;
    for (const Wanted& known : wanted_) {
      if (known.node.get() != node.get()) continue;
      if (known.output == tensor.output()) return;
      retained = known.retained;
    }
    wanted_.push_back({node, tensor.output(), retained});
    node->retain_gradient_ = true;
  }

  // Adds a tensor to start from, with its gradient.
  void start_from(const Tensor& tensor, Array gradient) {
    roots_.push_back({tensor.node(), tensor.output(), std::move(gradient)});
  }

  Gradients run() {
    for (const Held& root : roots_) visit(root.node);
    gather();
    for (Held& root : roots_) {
      if (!root.node->is_leaf()) root.node->slots_[root.output].mixed = true;
      root.node->add(root.output, std::move(root.gradient), gradients_);
    }
    for (Turn& turn : turns_) {
      Node& current = *turn.node;
      if (current.hooks_) call_hooks(current, current.slots_[0], current.hooks_->in_pass);
      if (reached(current)) current.run(gradients_);
      if (!retain_graph_) {
        keep_inputs(current);
        current.release_saved();
      }
      finish(current);
      turn.node = nullptr;
      turn.owner = NodeRef();
    }
    gradients_.flush();
    for (const auto& [leaf, hooks] : leaves_)
      call_hooks(*leaf.get(), gradients_.slot(*leaf.get(), 0), hooks);
    for (const Wanted& wanted : wanted_) {
      Array& gradient = wanted.node->slots_[wanted.output].gradient;
      if (gradient.defined())
        gradients_.slot(*wanted.node.get(), wanted.output)
            .add(std::exchange(gradient, Array()), /*for_keeps=*/true);
    }
    return std::move(gradients_);
  }

  // After run(): adds the gradients that retain_grad() asked for to those of earlier passes.
  void keep_retained() {
    for (Held& earlier : earlier_) {
      GradientSlot& slot = earlier.node->slots_[earlier.output];
      if (!earlier.gradient.defined()) continue;
      if (slot.gradient.defined()) {
        // A gradient that the user has kept must not change.
        if (!earlier.gradient.unique()) earlier.gradient = earlier.gradient.clone();
        add_in_place(earlier.gradient, slot.gradient);
      }
      slot.gradient = std::move(earlier.gradient);
      slot.shared = false;
    }
    earlier_.clear();
  }

 private:
  // All nodes that the roots were made from, newest first.
  void gather() {
    for (std::size_t next = 0; next < turns_.size(); ++next) {
      Node* node = turns_[next].node;  // visit() may move the list
      for (const Edge& edge : node->inputs()) {
        visit(edge.node);
        if (edge.node && edge.node->has_views_.load(std::memory_order_relaxed) &&
            !edge.node->is_leaf())
          note_use(*node, edge.node->slots_[edge.output]);
      }
    }
    const auto newer = [](const Turn& a, const Turn& b) {
      return a.node->order() > b.node->order();
    };
    if (!std::is_sorted(turns_.begin(), turns_.end(), newer))
      std::sort(turns_.begin(), turns_.end(), newer);
    for (std::size_t i = 0; i < turns_.size(); ++i)
      turns_[i].node->turn_ = static_cast<std::uint32_t>(i);
  }

  // A released node drops its references to its inputs, which are still to be run: the first node
  // to do so hands its reference over to the input's turn.
  void keep_inputs(Node& node) {
    for (std::size_t i = 0; i < node.edges_.size(); ++i) {
      NodeRef& input = node.edges_[static_cast<int>(i)].node;
      if (!input || input->is_leaf()) continue;
      NodeRef& owner = turns_[input->turn_].owner;
      if (!owner) owner = std::move(input);
    }
  }

  void visit(const NodeRef& node) {
    if (!node) return;
    if (node->is_leaf()) return visit_leaf(node);
    if (node->gathered_) return;
    ATTUNE_CHECK(!node->released(),
                 "backward: the graph was freed by an earlier backward() at '{}'; compute the "
                 "result anew, or pass retain_graph = true to the earlier call",
                 node->name());
    node->gathered_ = true;
    if (node->hooks_) node->hooks_->in_pass = begin_of(*node->hooks_);
    turns_.push_back({node.get(), {}});
    if (node->retain_gradient_) put_aside(node);
  }

  // Views are known not to overlap as long as each lies before or after all earlier ones.
  void note_use(const Node& user, GradientSlot& used) {
    if (!user.is_view_) used.mixed = true;
    if (used.mixed) return;
    const auto [first, last] = user.viewed();
    if (first == last) {  // an empty view; another one may be the whole, which adds in another way
      used.mixed = true;
      return;
    }
    const auto [found, is_new] = viewed_.try_emplace(&used, first, last);
    auto& [low, high] = found->second;
    if (is_new) return;
    used.mixed = last > low && first < high;
    low = std::min(low, first);
    high = std::max(high, last);
  }

  // Nothing is written to the leaf itself: passes on other threads may use it too.
  void visit_leaf(const NodeRef& leaf) {
    if (!leaf->hooks_) return;
    for (const auto& known : leaves_)
      if (known.first.get() == leaf.get()) return;
    leaves_.emplace_back(leaf, begin_of(*leaf->hooks_));
  }

  // A pass adds up its own gradients first: those of earlier passes are put aside, and added at the
  // end.
  void put_aside(const NodeRef& node) {
    for (int k = 0; k < node->outputs(); ++k) {
      GradientSlot& slot = node->slots_[k];
      earlier_.push_back({node, k, std::exchange(slot.gradient, Array())});
    }
  }

  static bool reached(Node& node) {
    for (int k = 0; k < node.outputs(); ++k)
      if (node.gradient(k).defined()) return true;
    return false;
  }

  // Hooks of smaller numbers are there when the pass begins; 0: none are.
  static std::uint64_t begin_of(const GradientHooks& hooks) {
    return hooks.list.empty() ? 0 : hooks.next;
  }

  // Those that were there when the pass began. A hook may add another, or remove one.
  static void call_hooks(Node& node, GradientSlot& slot, std::uint64_t begin) {
    if (begin == 0 || !slot.gradient.defined()) return;
    std::vector<GradientHook> hooks;
    for (const GradientHooks::Hook& hook : node.hooks_->list)
      if (hook.number < begin) hooks.push_back(hook.call);
    for (const GradientHook& hook : hooks) {
      slot.make_own();  // the hook may change it in place
      Array changed = hook(slot.gradient);
      ATTUNE_CHECK(
          changed.defined() && changed.shape() == node.shape(0) && changed.dtype() == node.dtype(0),
          "gradient hook of '{}': it returned {} {}; expected {} {}", node.name(),
          changed.defined() ? name_of(changed.dtype()) : "no array, shape", changed.shape(),
          name_of(node.dtype(0)), node.shape(0));
      slot.gradient.reset();
      slot.add(std::move(changed), /*for_keeps=*/node.is_leaf());
    }
  }

  void finish(Node& node) {
    node.gathered_ = false;
    if (!node.retain_gradient_) return node.forget_gradients();
    for (int k = 0; k < node.outputs(); ++k) node.slots_[k].make_own();  // an input may have it
  }

  bool retain_graph_;
  Gradients gradients_;
  struct Turn {
    Node* node;
    NodeRef owner;  // keeps the node alive if nothing else does
  };
  std::vector<Turn> turns_;                                // newest first
  std::vector<std::pair<NodeRef, std::uint64_t>> leaves_;  // those with hooks, and begin_of() them
  struct Held {
    NodeRef node;
    int output;
    Array gradient;
  };
  std::vector<Held> roots_, earlier_;
  struct Wanted {
    NodeRef node;
    int output;
    bool retained;  // by retain_grad()
  };
  std::vector<Wanted> wanted_;  // by grad()
  // For each output that only views use so far, the range that encloses all of them.
  std::unordered_map<const GradientSlot*, std::pair<std::int64_t, std::int64_t>> viewed_;
};

namespace {

void check_history(const Tensor& tensor) {
  ATTUNE_CHECK(tensor.requires_grad(),
               "backward: the tensor of shape {} has no history; was it made from parameters that "
               "are not frozen, and outside NoGrad? (Gradients have no history of their own)",
               tensor.shape());
}

}  // namespace

Gradients backward(const Tensor& loss, bool retain_graph) {
  ATTUNE_CHECK(loss.elements() == 1,
               "backward: the tensor of shape {} is not one number; reduce it with sum() or "
               "mean(), or pass the gradient to start from",
               loss.shape());
  return backward(loss, Array::full(loss.shape(), 1, loss.dtype()), retain_graph);
}

Gradients backward(const Tensor& tensor, const Array& gradient, bool retain_graph) {
  check_history(tensor);
  ATTUNE_CHECK(gradient.shape() == tensor.shape() && gradient.dtype() == tensor.dtype(),
               "backward: the gradient is {} {}, the tensor {} {}; they must be alike",
               name_of(gradient.dtype()), gradient.shape(), name_of(tensor.dtype()),
               tensor.shape());
  const NoGrad no_grad;
  BackwardPass pass(retain_graph);
  pass.start_from(tensor, gradient);
  Gradients gradients = pass.run();
  pass.keep_retained();
  return gradients;
}

Gradients grad(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
               bool retain_graph) {
  const NoGrad no_grad;
  BackwardPass pass(retain_graph);
  for (const Tensor& input : inputs) {
    ATTUNE_CHECK(input.requires_grad(),
                 "grad: the input of shape {} is a constant; only parameters and what is made from "
                 "them have gradients",
                 input.shape());
    pass.want(input);
  }
  for (const Tensor& output : outputs) {
    check_history(output);
    pass.start_from(output, Array::full(output.shape(), 1, output.dtype()));
  }
  Gradients all = pass.run(), asked;
  for (const Tensor& input : inputs) asked.move_from(all, input);
  return asked;
}

void Tensor::backward(bool retain_graph) const {
  attune::backward(*this, retain_graph).add_to_parameters();
}

void Tensor::backward(const Array& gradient, bool retain_graph) const {
  attune::backward(*this, gradient, retain_graph).add_to_parameters();
}

}  // namespace attune
