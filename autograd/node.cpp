#include "attune/autograd/node.h"

#include "attune/autograd/affine_gradients.h"
#include "attune/autograd/kernels/elementwise.h"
#include "attune/autograd/kernels/reduce.h"

namespace attune {
namespace {

thread_local std::uint64_t newest_order = 0;
thread_local GradientBuffers* current_buffers = nullptr;

}  // namespace

void NodeRef::release(Node* node) {
  const std::uint32_t held =
      node->hooks_ ? node->hooks_->held : 0;  // before another thread may delete the node
  const std::uint32_t left = node->references_.fetch_sub(1, std::memory_order_acq_rel) - 1;
  if (left != held) return;
  if (left > 0) {
    // Only its own hooks hold it: they go, and the last of them brings us back here.
    const std::unique_ptr<Node::Hooks> hooks = std::move(node->hooks_);
    return;
  }
  // Deleting a node lets go of its inputs, which brings us back here: those wait in a list, so that
  // a chain of a million nodes needs no more stack than one.
  thread_local Node* dead = nullptr;
  thread_local bool deleting = false;
  node->next_dead_ = dead;
  dead = node;
  if (deleting) return;
  deleting = true;
  while (dead) {
    Node* next = dead;
    dead = next->next_dead_;
    delete next;
  }
  deleting = false;
}

Node::Node(const char* name, std::span<Edge> inputs, std::span<const Array> outputs)
    : leaf_(inputs.empty()), name_(name) {
  // Counting per thread suffices within a graph; taking the inputs' into account keeps the order
  // right for a graph that is continued on another thread.
  std::uint64_t order = newest_order;
  for (Edge& edge : inputs) {
    if (edge.node) order = std::max(order, edge.node->order_);
    edges_.add() = std::move(edge);
  }
  newest_order = order_ = order + 1;
  for (const Array& output : outputs) {
    Slot& slot = slots_.add();
    slot.shape = output.shape();
    slot.dtype = output.dtype();
  }
}

Node::Slot& Node::leaf_slot() { return current_buffers ? current_buffers->slot(*this) : slots_[0]; }

Into Node::into(int output) {
  Slot& s = slot(output);
  if (!s.gradient.defined()) {
    s.gradient = Array(s.shape, s.dtype);
    s.shared = false;
    return {s.gradient, false};
  }
  s.make_own();
  return {s.gradient, true};
}

void Node::add(int output, Array gradient) {
  Slot& s = slot(output);
  if (s.gradient.defined()) {
    s.make_own();
    return add_in_place(s.gradient, gradient);
  }
  s.shared = !gradient.unique();
  // A leaf's gradient outlives the pass and is changed in place (clipping): it needs its own.
  s.gradient = leaf_ && s.shared ? gradient.clone() : std::move(gradient);
  if (leaf_) s.shared = false;
}

void Node::forget_gradients() {
  for (int k = 0; k < outputs(); ++k) slot(k).gradient.reset();
}

void Node::own_gradient(int output) { slot(output).make_own(); }

void Node::release_saved() {
  edges_.clear();
  const std::unique_ptr<Hooks> hooks = std::move(hooks_);  // may hold tensors of this very graph
  released_ = true;
}

void Node::add_hook(GradientHook hook) {
  // A copy of the hook copies the tensors that it captured: as many references to this node as are
  // added by it would keep the node alive for ever.
  const std::uint32_t before = references_.load(std::memory_order_relaxed);
  const GradientHook copy = hook;
  if (!hooks_) hooks_ = std::make_unique<Hooks>();
  hooks_->held += references_.load(std::memory_order_relaxed) - before;
  hooks_->list.push_back(std::move(hook));
}

void Grads::no_input(int i) const {
  fail("backward of '{}': there is no input {}; it was recorded with {}", node_.name(), i,
       node_.inputs().size());
}

const Array& Grads::dy(int k) const {
  if (!node_.gradient(k).defined()) node_.into(k).buffer.fill(0);
  return node_.gradient(k);
}

void Grads::add(int i, Array gradient) {
  const auto& [node, output] = edge(i);
  if (!node) return;
  const Shape& shape = node->shape(output);
  if (!(gradient.shape() == shape)) gradient = sum_to(gradient, shape);
  node->add(output, std::move(gradient));
}

Into Grads::into(int i) {
  const auto& [node, output] = edge(i);
  ATTUNE_CHECK(node,
               "backward of '{}': nobody wants the gradient of input {}, so there is no place for "
               "it; ask needs({}) first",
               node_.name(), i, i);
  return node->into(output);
}

void Grads::add_affine(int weight, int bias, const Array& dy, const Array& x,
                       std::int64_t first_column) {
  affine_.add({x.defined() ? edge(weight) : Edge{}, edge(bias), first_column}, dy, x);
}

GradientBuffers::Scope::Scope(GradientBuffers& buffers) : outer_(current_buffers) {
  current_buffers = &buffers;
}

GradientBuffers::Scope::~Scope() { current_buffers = outer_; }

Node::Slot& GradientBuffers::slot(Node& leaf) {
  const auto found = by_leaf_.find(&leaf);
  if (found != by_leaf_.end()) return *found->second;
  leaf.references_.fetch_add(1, std::memory_order_relaxed);
  entries_.push_back({NodeRef(&leaf), {.shape = leaf.shape(0), .dtype = leaf.dtype(0)}});
  return *(by_leaf_[&leaf] = &entries_.back().slot);
}

void GradientBuffers::add_to_leaves() {
  ATTUNE_CHECK(current_buffers != this,
               "add_to_leaves: the buffers' own Scope still sends gradients to them; end it first");
  for (Entry& entry : entries_)
    if (entry.slot.gradient.defined()) {
      entry.leaf->slot(0).shared = true;  // somebody may have kept what grad() gave
      entry.leaf->add(0, std::move(entry.slot.gradient));
    }
  by_leaf_.clear();
  entries_.clear();
}

}  // namespace attune
