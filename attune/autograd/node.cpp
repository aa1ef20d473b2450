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
  if (node->references_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
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
  if (s.shared) s.gradient = s.gradient.clone();
  s.shared = false;
  return {s.gradient, true};
}

void Node::add(int output, Array gradient) {
  Slot& s = slot(output);
  if (s.gradient.defined()) return add_in_place(into(output).buffer, gradient);
  s.shared = !gradient.unique();
  // A leaf's gradient outlives the pass and is changed in place (clipping): it needs its own.
  s.gradient = leaf_ && s.shared ? gradient.clone() : std::move(gradient);
  if (leaf_) s.shared = false;
}

void Node::forget_gradients() {
  for (int k = 0; k < outputs(); ++k) slot(k).gradient.reset();
}

void Node::release_saved() {
  edges_.clear();
  hooks_.clear();  // they may hold tensors of this very graph
  released_ = true;
}

void Node::add_hook(GradientHook hook) {
  own_gradient();
  hooks_.push_back(std::move(hook));
}

const Array& Grads::dy(int k) const {
  if (!node_.gradient(k).defined()) node_.into(k).buffer.fill(0);
  return node_.gradient(k);
}

void Grads::add(int i, Array gradient) {
  const Edge& edge = node_.inputs()[static_cast<std::size_t>(i)];
  if (!edge.node) return;
  const Shape& shape = edge.node->shape(edge.output);
  if (!(gradient.shape() == shape)) gradient = sum_to(gradient, shape);
  edge.node->add(edge.output, std::move(gradient));
}

Into Grads::into(int i) {
  const Edge& edge = node_.inputs()[static_cast<std::size_t>(i)];
  return edge.node->into(edge.output);
}

void Grads::add_affine(int weight, int bias, const Array& dy, const Array& x,
                       std::int64_t first_column) {
  const auto edge = [&](int i) { return node_.inputs()[static_cast<std::size_t>(i)]; };
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
  entries_.push_back({NodeRef(&leaf), {leaf.shape(0), leaf.dtype(0), {}, false}});
  return *(by_leaf_[&leaf] = &entries_.back().slot);
}

void GradientBuffers::add_to_leaves() {
  ATTUNE_CHECK(current_buffers != this,
               "add_to_leaves: the buffers' own Scope still sends gradients to them; end it first");
  for (Entry& entry : entries_)
    if (entry.slot.gradient.defined()) entry.leaf->add(0, std::move(entry.slot.gradient));
  by_leaf_.clear();
  entries_.clear();
}

}  // namespace attune
