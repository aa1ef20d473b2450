#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "attune/autograd/array/array.h"

namespace attune {

using GradientHook = std::function<Array(const Array&)>;

/// The hooks of one node.
struct GradientHooks {
  struct Hook {
    std::uint64_t number;
    GradientHook call;
    std::uint32_t held;  // references to the node itself that it holds
  };
  std::vector<Hook> list;
  std::uint64_t next = 1;     // number of the next one
  std::uint64_t in_pass = 0;  // smaller ones existed when the backward pass began; 0: none did
  std::uint32_t held = 0;     // by all of them

  void remove(std::uint64_t number);
};

/// What Tensor::register_hook() returns, to remove the hook again.
class HookHandle {
 public:
  HookHandle() = default;
  HookHandle(std::weak_ptr<GradientHooks> hooks, std::uint64_t number)
      : hooks_(std::move(hooks)), number_(number) {}
  /// Removes the hook and all that it captured: the next backward pass does not call it. Removing
  /// one that no longer exists, because its tensor is gone for example, is no error.
  void remove() {
    if (const std::shared_ptr<GradientHooks> hooks = hooks_.lock()) hooks->remove(number_);
  }

 private:
  std::weak_ptr<GradientHooks> hooks_;
  std::uint64_t number_ = 0;
};

}  // namespace attune
