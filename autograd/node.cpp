#include "attune/autograd/node.h"

#include <algorithm>

#include "attune/autograd/affine_gradients.h"
#include "attune/autograd/backward.h"
#include "attune/autograd/kernels/elementwise.h"
#include "attune/autograd/kernels/reduce.h"

namespace attune {

using namespace kernels;

namespace {

thread_local std::uint64_t newest_order = 0;

// Whether a gradient of shape `from` can be summed to `to`: the inverse of broadcasting.
bool sums_to(const Shape& from, const Shape& to) {
  if (to.elements() == 1) return true;
  if (from.rank() < to.rank()) return false;
  for (int back = 0; back < to.rank(); ++back)
    if (to.last(back) != from.last(back) && to.last(back) != 1) return false;
  return true;
}

}  // namespace

void NodeRef::release(Node* node) {
  const std::uint32_t held =
      node->hooks_ ? node->hooks_->held : 0;  // read first: then another thread may delete it
  // If this is the only reference, no other thread can copy it, so no atomic update is needed.
  const std::uint32_t left = node->references_.load(std::memory_order_acquire) == 1
                                 ? 0
                                 : node->references_.fetch_sub(1, std::memory_order_acq_rel) - 1;
  if (left != held) return;
  if (left > 0) {
    // Only its own hooks hold it: deleting them drops the last references, which leads back here.
    const std::shared_ptr<GradientHooks> hooks = std::move(node->hooks_);
    return;
  }
  // Deleting a node drops the references to its inputs, which leads back here. They are put in a
  // list instead of being deleted recursively, so that a chain of a million nodes needs no deep
  // stack.
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
  // A counter per thread is enough within a graph; comparing with the inputs keeps the order right
  // when a graph is continued on another thread.
  std::uint64_t order = newest_order;
  for (Edge& edge : inputs) {
    if (edge.node) order = std::max(order, edge.node->order_);
    edges_.add() = std::move(edge);
  }
  newest_order = order_ = order + 1;
  for (const Array& output : outputs) {
    GradientSlot& slot = slots_.add();
    slot.shape = output.shape();
    slot.dtype = output.dtype();
  }
}

Into GradientSlot::into() {
  if (!gradient.defined()) {
    gradient = Array(shape, dtype);
    shared = false;
    return {gradient, false};
  }
  make_own();
  return {gradient, true};
}

void GradientSlot::add(Array&& more, bool for_keeps) {
  if (gradient.defined()) {
    make_own();
    return add_in_place(gradient, more);
  }
  shared = !more.unique();
  gradient = std::move(more);
  if (for_keeps) make_own();
}

void GradientSlot::make_own() {
  if (shared && !gradient.unique()) gradient = gradient.clone();
  shared = false;
}

Into Node::into(int output, Gradients& leaves) {
  return (leaf_ ? leaves.slot(*this, output) : slots_[output]).into();
}

void Node::add(int output, Array&& gradient, Gradients& leaves) {
  // A leaf's gradient outlives the pass and may be changed in place, for example by clipping, so it
  // needs memory of its own.
  if (leaf_) return leaves.slot(*this, output).add(std::move(gradient), /*for_keeps=*/true);
  slots_[output].add(std::move(gradient), /*for_keeps=*/false);
}

void Node::forget_gradients() {
  for (int k = 0; k < outputs(); ++k) slots_[k].gradient.reset();
}

void Node::release_saved() {
  edges_.clear();
  const std::shared_ptr<GradientHooks> hooks =
      std::move(hooks_);  // may hold tensors of this very graph
  released_ = true;
}

void Grads::no_input(int i) const {
  fail("backward of '{}': there is no input {}; it was recorded with {}", node_.name(), i,
       node_.inputs().size());
}

const Array& Grads::dy(int k) const {
  if (!node_.gradient(k).defined()) node_.into(k, leaves_).buffer.fill(0);
  return node_.gradient(k);
}

void Grads::add(int i, Array gradient) {
  const auto& [node, output] = edge(i);
  if (!node) return;
  if (gradient.dtype() != node->dtype(output) || !(gradient.shape() == node->shape(output)))
      [[unlikely]]
    gradient = fitted(i, gradient);
  node->add(output, std::move(gradient), leaves_);
}

Array Grads::fitted(int i, const Array& gradient) const {
  const auto& [node, output] = edge(i);
  const Shape& shape = node->shape(output);
  ATTUNE_CHECK(
      gradient.dtype() == node->dtype(output),
      "backward of '{}': the gradient of input {} is {} {}, but the input is {} {}; expected the "
      "input's dtype",
      node_.name(), i, name_of(gradient.dtype()), gradient.shape(), name_of(node->dtype(output)),
      shape);
  ATTUNE_CHECK(
      sums_to(gradient.shape(), shape),
      "backward of '{}': the gradient of input {} has the shape {}, but the input has {}; expected "
      "the input's shape, or one that it broadcasts to",
      node_.name(), i, gradient.shape(), shape);
  return sum_to(gradient, shape);
}

Into Grads::into(int i) {
  const auto& [node, output] = edge(i);
  ATTUNE_CHECK(node,
               "backward of '{}': input {} requires no gradient, so there is no buffer for it; "
               "check needs({}) first",
               node_.name(), i, i);
  return node->into(output, leaves_);
}

void Grads::add_affine(int weight, int bias, const Array& dy, const Array& x,
                       std::int64_t first_column) {
  if (!leaves_.affine_) leaves_.affine_ = std::make_unique<AffineGradients>();
  leaves_.affine_->add({x.defined() ? edge(weight) : Edge{}, edge(bias), first_column}, dy, x,
                       leaves_);
}

}  // namespace attune
