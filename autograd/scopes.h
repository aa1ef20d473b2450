#pragma once

#include "attune/autograd/array/dtype.h"

namespace attune {

/// Switches a mode of the calling thread on, or off, as long as the object lives:
/// `const NoGrad no_grad;`. Without a name, `NoGrad();`, it would end at once; compilers warn.
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

/// No operation is recorded for backward: for parameter updates and evaluation.
using NoGrad = ModeScope<struct NoGradTag>;
/// Layers work in evaluation mode: dropout keeps everything.
using Eval = ModeScope<struct EvalTag>;
/// Every recorded result is checked: the first NaN or infinity is an Error that names its
/// operation. Slow; for finding out where a loss went wrong.
using CheckFinite = ModeScope<struct CheckFiniteTag>;

/// The dtype of the parameters that layers make while the object lives; float32 without one.
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
