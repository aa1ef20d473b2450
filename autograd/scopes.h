#pragma once

#include "attune/autograd/array/dtype.h"

namespace attune {

/// Turns a mode of the calling thread on (or off, with `false`) for the lifetime of the object:
/// `const NoGrad no_grad;`. An object without a name, `NoGrad();`, is destroyed immediately and has
/// no effect; compilers warn about it.
template <typename Tag>
class ModeScope {
 public:
  [[nodiscard]] explicit ModeScope(bool active = true) : outer_(active_) { active_ = active; }
  ~ModeScope() { active_ = outer_; }
  ModeScope(const ModeScope&) = delete;
  ModeScope& operator=(const ModeScope&) = delete;
  static bool active() { return active_; }

 private:
  bool outer_;
  static inline thread_local bool active_ = false;
};

/// Operations are not recorded for backward. Used for parameter updates and evaluation.
using NoGrad = ModeScope<struct NoGradTag>;
/// Layers run in evaluation mode: dropout has no effect.
using Eval = ModeScope<struct EvalTag>;
/// The result of every operation is checked: the first NaN or infinity throws an Error with the
/// name of the operation. Slow; meant for finding out where a loss becomes NaN.
using CheckFinite = ModeScope<struct CheckFiniteTag>;

/// The dtype of parameters that layers create during the lifetime of the object; float32 without
/// one.
class DefaultDType {
 public:
  [[nodiscard]] explicit DefaultDType(DType dtype) : outer_(current_) { current_ = dtype; }
  ~DefaultDType() { current_ = outer_; }
  DefaultDType(const DefaultDType&) = delete;
  DefaultDType& operator=(const DefaultDType&) = delete;
  static DType current() { return current_; }

 private:
  DType outer_;
  static inline thread_local DType current_ = DType::f32;
};

}  // namespace attune
