#include "attune/autograd/ops/mask.h"

#include <algorithm>
#include <vector>

#include "attune/autograd/kernels/attention_mask.h"
#include "attune/autograd/ops/arithmetic.h"
#include "attune/autograd/ops/comparison.h"

namespace attune {

using namespace kernels;

namespace {

constexpr std::int64_t kFar = AttentionMask::kFar;

// Beyond all positions a distance makes no difference any more.
std::int64_t near(std::int64_t distance) { return std::clamp(distance, -kFar / 4, kFar / 4); }

Indices shorter(const Indices& a, const Indices& b) {
  if (!a.defined() || !b.defined()) return a.defined() ? a : b;
  ATTUNE_CHECK(a.shape() == b.shape(),
               "mask: lengths {} & lengths {} do not go together; both must have one for each row "
               "of the batch",
               a.shape(), b.shape());
  std::vector<std::int32_t> lengths = a.to_vector();
  for (std::size_t i = 0; i < lengths.size(); ++i)
    lengths[i] = std::min(lengths[i], b.at(static_cast<std::int64_t>(i)));
  return Indices(lengths);
}

BroadcastSteps steps_of(const char* op, const char* name, const Shape& shape, const Shape& scores) {
  std::int64_t steps[4] = {}, step = 1;
  bool fits = shape.rank() <= 4;
  for (int back = 0; fits && back < shape.rank(); ++back) {
    const std::int64_t size = shape.last(back);
    fits = size == 1 || size == scores.last(back);
    steps[3 - back] = size == 1 ? 0 : step;
    step *= size;
  }
  ATTUNE_CHECK(
      fits,
      "{}: the mask's {} {} cannot be broadcast to the scores [B, H, T, S] = {}; each size "
      "must be 1 or the scores'",
      op, name, shape, scores);
  return {steps[0], steps[1], steps[2], steps[3]};
}

}  // namespace

Mask::Mask() : lowest_(-kFar), highest_(kFar) {}

Mask Mask::lengths(const Indices& lengths) {
  Mask mask;
  mask.lengths_ = lengths;
  return mask;
}

Mask Mask::causal(std::int64_t offset) {
  Mask mask;
  mask.highest_ = near(offset);
  return mask;
}

Mask Mask::window(std::int64_t left, std::int64_t right, std::int64_t offset) {
  ATTUNE_CHECK(left >= 0 && right >= 0,
               "mask: a window of {} keys to the left and {} to the right; neither may be negative "
               "(an offset moves the window)",
               left, right);
  Mask mask;
  mask.lowest_ = near(offset) - near(left);
  mask.highest_ = near(offset) + near(right);
  return mask;
}

Mask Mask::of(const Array& allowed) {
  ATTUNE_CHECK(allowed.defined(), "mask: the array of allowed keys is not defined");
  Mask mask;
  mask.allowed_ = Array(allowed.shape(), DType::boolean);
  bool* const seen = mask.allowed_.mutable_data<bool>();
  dispatch_any(allowed.dtype(), [&](auto type) {
    using T = decltype(type);
    const T* entries = allowed.data<T>();
    for (std::int64_t i = 0; i < allowed.elements(); ++i) seen[i] = entries[i] != T{};
  });
  return mask;
}

Mask Mask::bias(const Tensor& added) {
  ATTUNE_CHECK(added.defined(), "mask: the bias is not defined");
  Mask mask;
  mask.bias_ = added;
  return mask;
}

Mask operator&(const Mask& a, const Mask& b) {
  Mask both = a;
  both.lengths_ = shorter(a.lengths_, b.lengths_);
  both.lowest_ = std::max(a.lowest_, b.lowest_);
  both.highest_ = std::min(a.highest_, b.highest_);
  if (!a.allowed_.defined()) {
    both.allowed_ = b.allowed_;
  } else if (b.allowed_.defined()) {
    both.allowed_ = logical_and(a.allowed_, b.allowed_).value();
  }
  if (!a.bias_.defined()) {
    both.bias_ = b.bias_;
  } else if (b.bias_.defined()) {
    both.bias_ = a.bias_ + b.bias_;
  }
  return both;
}

bool Mask::is_empty() const {
  return !lengths_.defined() && lowest_ == -kFar && highest_ == kFar && !allowed_.defined() &&
         !bias_.defined();
}

std::pair<std::int64_t, std::int64_t> Mask::range(std::int64_t batch, std::int64_t query,
                                                  std::int64_t keys) const {
  const std::int64_t length = lengths_.defined() ? lengths_.at(batch) : keys;
  const AttentionMask window{.lowest = lowest_, .highest = highest_};
  const KeyRange seen = window.range(0, query, std::min(length, keys));
  return {seen.first, seen.last};
}

AttentionMask Mask::view(const char* op, const Shape& scores, DType dtype) const {
  AttentionMask view{.lowest = lowest_, .highest = highest_};
  const std::int64_t batch = scores[0], keys = scores[3];
  if (lengths_.defined()) {
    ATTUNE_CHECK(lengths_.shape() == Shape{batch},
                 "{}: lengths must be [{}], one for each sequence; got {}", op, batch,
                 lengths_.shape());
    for (std::int64_t b = 0; b < batch; ++b)
      ATTUNE_CHECK(lengths_.at(b) >= 0 && lengths_.at(b) <= keys,
                   "{}: length {} of sequence {} is outside [0, {}], the number of keys", op,
                   lengths_.at(b), b, keys);
    view.lengths = lengths_.data();
  }
  if (allowed_.defined()) {
    view.allowed = allowed_.data<bool>();
    view.allowed_steps = steps_of(op, "array of allowed keys", allowed_.shape(), scores);
  }
  if (bias_.defined()) {
    ATTUNE_CHECK(bias_.dtype() == dtype, "{}: the mask's bias is {}, the query {}; convert one", op,
                 name_of(bias_.dtype()), name_of(dtype));
    view.bias = bias_.value().raw();
    view.bias_steps = steps_of(op, "bias", bias_.shape(), scores);
  }
  return view;
}

}  // namespace attune
