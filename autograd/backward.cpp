#include "attune/autograd/backward.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

#include "attune/autograd/affine_gradients.h"
#include "attune/autograd/observers.h"
#include "attune/autograd/scopes.h"

namespace attune {

Gradients::Gradients() = default;
Gradients::Gradients(Gradients&& other) noexcept = default;
Gradients& Gradients::operator=(Gradients&& other) noexcept = default;
Gradients::~Gradients() = default;

// Unique, since the size of a node in bytes exceeds the number of its outputs.
std::uintptr_t Gradients::key(const Node& node, int output) {
  return reinterpret_cast<std::uintptr_t>(&node) + static_cast<std::uintptr_t>(output);
}

GradientSlot& Gradients::slot(Node& node, int output) {
  const auto [found, is_new] = by_key_.try_emplace(key(node, output), nullptr);
  if (is_new) {
    node.references_.fetch_add(1, std::memory_order_relaxed);
    entries_.push_back(
        {NodeRef(&node), output, {.shape = node.shape(output), .dtype = node.dtype(output)}});
    found->second = &entries_.back();
  }
  return found->second->slot;
}

const Array* Gradients::find(const Tensor& tensor) const {
  if (!tensor.requires_grad()) return nullptr;
  const auto found = by_key_.find(key(*tensor.node().get(), tensor.output()));
  if (found == by_key_.end() || !found->second->slot.gradient.defined()) return nullptr;
  return &found->second->slot.gradient;
}

const Array& Gradients::at(const Tensor& tensor) const {
  const Array* gradient = find(tensor);
  ATTUNE_CHECK(gradient,
               "gradients: there is none for the tensor of shape {}; does the result depend on it, "
               "and was it a parameter or named to grad()?",
               tensor.shape());
  return *gradient;
}

std::size_t Gradients::size() const {
  std::size_t count = 0;
  for (const Entry& entry : entries_) count += entry.slot.gradient.defined();
  return count;
}

void Gradients::add(Gradients other) {
  for (Entry& entry : other.entries_)
    if (entry.slot.gradient.defined())
      slot(*entry.node.get(), entry.output).add(std::move(entry.slot.gradient), /*for_keeps=*/true);
}

void Gradients::add_to_parameters() {
  for (Entry& entry : entries_) {
    if (!entry.slot.gradient.defined()) continue;
    GradientSlot& sum = entry.node->slots_[entry.output];
    sum.shared = true;  // the caller may still hold what grad() returned
    sum.add(std::move(entry.slot.gradient), /*for_keeps=*/true);
  }
  by_key_.clear();
  entries_.clear();
}

void Gradients::move_from(Gradients& other, const Tensor& tensor) {
  if (!other.find(tensor)) return;
  Node& node = *tensor.node().get();
  slot(node, tensor.output())
      .add(std::move(other.slot(node, tensor.output()).gradient), /*for_keeps=*/true);
}

void Gradients::flush() {
  if (affine_) affine_->flush(*this);
}

/// Reverse mode: every node is run once, after all nodes that use its outputs.
class BackwardPass {
 public:
  BackwardPass(Observers& observers, bool retain_graph)
      : observers_(observers), retain_graph_(retain_graph) {}

  // After an error: leaves nothing of this pass in the graph.
  ~BackwardPass() {
    for (const Turn& turn : turns_)
      if (turn.node) {
        turn.node->gathered_ = false;
        turn.node->forget_gradients();
      }
  }

  // Adds a tensor to start from, with its gradient.
  void start_from(const Tensor& tensor, Array gradient) {
    roots_.push_back({tensor.node(), tensor.output(), std::move(gradient)});
  }

  Gradients run() {
    const RecordFunction span("backward");
    for (const Root& root : roots_) visit(root.node);
    gather();
    for (Root& root : roots_) {
      if (!root.node->is_leaf()) root.node->slots_[root.output].mixed = true;
      root.node->add(root.output, std::move(root.gradient), gradients_);
    }
    for (Turn& turn : turns_) {
      Node& current = *turn.node;
      observers_.call_hooks(current);
      const BackwardScope scope(current.name(), current.layer_path());
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
    observers_.finish(gradients_);
    return std::move(gradients_);
  }

 private:
  // Collects all nodes that the roots depend on, newest first.
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
    if (is_sorted_) return;
    std::sort(turns_.begin(), turns_.end(),
              [](const Turn& a, const Turn& b) { return a.node->order() > b.node->order(); });
    for (std::size_t i = 0; i < turns_.size(); ++i)
      turns_[i].node->turn_ = static_cast<std::uint32_t>(i);
  }

  // A released node drops its references to its inputs, which have not been run yet. The input's
  // turn therefore takes the first of these references.
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
    if (node->is_leaf()) return observers_.begin_leaf(node);
    if (node->gathered_) return;
    if (node->released()) [[unlikely]]
      was_freed(*node.get());
    is_sorted_ &= turns_.empty() || turns_.back().node->order() > node->order();
    node->gathered_ = true;
    node->turn_ = static_cast<std::uint32_t>(turns_.size());
    turns_.push_back({node.get(), {}});
    observers_.begin(node);
  }

  [[noreturn, gnu::noinline]] static void was_freed(const Node& node) {
    fail(
        "backward: the graph was freed by an earlier backward() at '{}'; compute the result anew, "
        "or pass retain_graph = true to the earlier call",
        node.name());
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

  static bool reached(Node& node) {
    for (int k = 0; k < node.outputs(); ++k)
      if (node.gradient(k).defined()) return true;
    return false;
  }

  void finish(Node& node) {
    node.gathered_ = false;
    if (!node.retain_gradient_) return node.forget_gradients();
    for (int k = 0; k < node.outputs(); ++k) node.slots_[k].make_own();  // an input may have it
  }

  Observers& observers_;
  bool retain_graph_;
  Gradients gradients_;
  struct Turn {
    Node* node;
    NodeRef owner;  // keeps the node alive if nothing else does
  };
  std::vector<Turn> turns_;  // newest first
  bool is_sorted_ = true;    // turns_, as they were gathered
  struct Root {
    NodeRef node;
    int output;
    Array gradient;
  };
  std::vector<Root> roots_;
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
               "backward: the gradient is {} {}, the tensor {} {}; they must match",
               name_of(gradient.dtype()), gradient.shape(), name_of(tensor.dtype()),
               tensor.shape());
  const NoGrad no_grad;
  Observers observers;
  BackwardPass pass(observers, retain_graph);
  pass.start_from(tensor, gradient);
  Gradients gradients = pass.run();
  observers.keep_retained();
  return gradients;
}

Gradients grad(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
               bool retain_graph) {
  const NoGrad no_grad;
  Observers observers;
  BackwardPass pass(observers, retain_graph);
  for (const Tensor& input : inputs) {
    ATTUNE_CHECK(input.requires_grad(),
                 "grad: the input of shape {} is a constant; only parameters and what is made from "
                 "them have gradients",
                 input.shape());
    observers.want(input);
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
