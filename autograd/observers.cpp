#include "attune/autograd/observers.h"

#include "attune/autograd/kernels/elementwise.h"

namespace attune {

Observers::~Observers() {
  for (const Wanted& wanted : wanted_) wanted.node->retain_gradient_ = wanted.retained;
  for (Held& earlier : earlier_) {
    GradientSlot& slot = earlier.node->slots_[earlier.output];
    slot.gradient = std::move(earlier.gradient);
    slot.shared = true;
  }
}

void Observers::want(const Tensor& tensor) {
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

void Observers::begin_observed(const NodeRef& node) {
  if (node->hooks_) node->hooks_->in_pass = begin_of(*node->hooks_);
  if (!node->retain_gradient_) return;
  // A pass adds up its own gradients first: those of earlier passes are put aside, and added at
  // the end.
  for (int k = 0; k < node->outputs(); ++k) {
    GradientSlot& slot = node->slots_[k];
    earlier_.push_back({node, k, std::exchange(slot.gradient, Array())});
  }
}

// Nothing is written to the leaf itself: passes on other threads may use it too.
void Observers::begin_hooked(const NodeRef& leaf) {
  for (const auto& known : leaves_)
    if (known.first.get() == leaf.get()) return;
  leaves_.emplace_back(leaf, begin_of(*leaf->hooks_));
}

// Hooks of smaller numbers exist when the pass begins; 0: none do.
std::uint64_t Observers::begin_of(const GradientHooks& hooks) {
  return hooks.list.empty() ? 0 : hooks.next;
}

// Those that existed when the pass began. A hook may add another, or remove one.
void Observers::call_hooks(Node& node, GradientSlot& slot, std::uint64_t begin) {
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

void Observers::finish(Gradients& gradients) {
  for (const auto& [leaf, hooks] : leaves_)
    call_hooks(*leaf.get(), gradients.slot(*leaf.get(), 0), hooks);
  for (const Wanted& wanted : wanted_) {
    Array& gradient = wanted.node->slots_[wanted.output].gradient;
    if (gradient.defined())
      gradients.slot(*wanted.node.get(), wanted.output)
          .add(std::exchange(gradient, Array()), /*for_keeps=*/true);
  }
}

void Observers::keep_retained() {
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

}  // namespace attune
