#include "attune/autograd/hooks.h"

#include <algorithm>

#include "attune/autograd/node.h"

namespace attune {

void GradientHooks::remove(std::uint64_t number) {
  const auto found = std::find_if(list.begin(), list.end(),
                                  [&](const Hook& hook) { return hook.number == number; });
  if (found == list.end()) return;
  held -= found->held;
  const GradientHook gone = std::move(found->call);  // may hold the last reference to the node
  list.erase(found);
}

HookHandle Node::add_hook(GradientHook hook) {
  // Copying the hook copies the tensors that it captured, so the increase of references_ is the
  // number of references to this node that the hook holds. They must not keep the node alive.
  const std::uint32_t before = references_.load(std::memory_order_relaxed);
  const GradientHook copy = hook;
  const std::uint32_t held = references_.load(std::memory_order_relaxed) - before;
  if (!hooks_) hooks_ = std::make_shared<GradientHooks>();
  hooks_->held += held;
  hooks_->list.push_back({hooks_->next, std::move(hook), held});
  return {hooks_, hooks_->next++};
}

}  // namespace attune
