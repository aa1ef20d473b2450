#include "attune/autograd/ops/mask.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "attune/autograd/array/parallel.h"
#include "attune/autograd/kernels/attention_mask.h"
#include "attune/autograd/ops/arithmetic.h"
#include "attune/autograd/ops/comparison.h"
#include "attune/autograd/ops/indexing.h"
#include "attune/autograd/ops/shaping.h"
#include "attune/autograd/ops/softmax.h"

namespace attune {

using namespace kernels;

namespace {

// Beyond all positions a distance makes no difference any more.
std::int64_t near(std::int64_t distance) {
  constexpr std::int64_t kMost = AttentionMask::kFar / 4;
  return std::clamp(distance, -kMost, kMost);
}

Indices shorter(const Indices& a, const Indices& b) {
  if (!a.defined() || !b.defined()) return a.defined() ? a : b;
  ATTUNE_CHECK(a.shape() == b.shape(),
               "mask: lengths {} & lengths {} do not match; both must have one for each row "
               "of the batch",
               a.shape(), b.shape());
  std::vector<std::int32_t> lengths = a.to_vector();
  for (std::size_t i = 0; i < lengths.size(); ++i)
    lengths[i] = std::min(lengths[i], b.at(static_cast<std::int64_t>(i)));
  return Indices(lengths);
}

// What is broadcast to [B, H, T, S], with all four axes.
Tensor with_four_axes(const Tensor& entries) {
  Shape shape = entries.shape();
  while (shape.rank() < 4) shape = shape.with(0, 1);
  return reshape(entries, shape);
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

// For each query and key, true where the query does not see the key.
template <typename T>
Array hidden_keys(const AttentionMask& mask, const Shape& scores) {
  const std::int64_t heads = scores[1], queries = scores[2], keys = scores[3];
  Array hidden(scores, DType::boolean);
  bool* const to = hidden.mutable_data<bool>();
  const auto* bias = static_cast<const T*>(mask.bias);
  parallel_for(scores.elements(0, 3), row_grain(keys), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const std::int64_t b = row / (queries * heads), h = row / queries % heads, t = row % queries;
      const KeyRange seen = mask.range(b, t, keys);
      bool* const row_hidden = to + row * keys;
      std::fill_n(row_hidden, keys, true);
      for (std::int64_t s = seen.first; s < seen.last; ++s)
        row_hidden[s] =
            (mask.allowed && !mask.allowed[mask.allowed_steps.at(b, h, t, s)]) ||
            (bias && bias[mask.bias_steps.at(b, h, t, s)] == -std::numeric_limits<T>::infinity());
    }
  });
  return hidden;
}

}  // namespace

Mask Mask::lengths(const Indices& lengths) {
  Mask mask;
  mask.lengths_ = lengths;
  return mask;
}

Mask Mask::causal(std::optional<std::int64_t> offset) {
  Mask mask;
  (offset ? mask.fixed_ : mask.aligned_).highest = near(offset.value_or(0));
  return mask;
}

Mask Mask::window(std::int64_t left, std::int64_t right, std::optional<std::int64_t> offset) {
  ATTUNE_CHECK(left >= 0 && right >= 0,
               "mask: a window of {} keys to the left and {} to the right; neither may be negative "
               "(an offset moves the window)",
               left, right);
  Mask mask;
  const std::int64_t middle = near(offset.value_or(0));
  (offset ? mask.fixed_ : mask.aligned_) = {middle - near(left), middle + near(right)};
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
  const auto both_of = [](const Mask::Window& x, const Mask::Window& y) -> Mask::Window {
    return {std::max(x.lowest, y.lowest), std::min(x.highest, y.highest)};
  };
  Mask both = a;
  both.lengths_ = shorter(a.lengths_, b.lengths_);
  both.fixed_ = both_of(a.fixed_, b.fixed_);
  both.aligned_ = both_of(a.aligned_, b.aligned_);
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

Mask Mask::of_query(std::int64_t query, const Shape& scores) const {
  const std::int64_t batch = scores[0], heads = scores[1], keys = scores[3];
  const Window seen = window(scores);
  Mask mask;
  if (query + seen.lowest > 0) mask.fixed_.lowest = query + seen.lowest;
  // One query sees the keys up to a last one, as if that were the length.
  if (query + seen.highest + 1 < keys || (lengths_.defined() && heads > 1)) {
    std::vector<std::int32_t> lengths;
    for (std::int64_t b = 0; b < batch; ++b)
      lengths.insert(lengths.end(), static_cast<std::size_t>(heads),
                     static_cast<std::int32_t>(range(b, query, scores).second));
    mask.lengths_ = Indices(lengths);
  } else {
    mask.lengths_ = lengths_;
  }
  const auto of_rows = [&](Tensor entries) {  // [B, H, T, S] -> [B H, 1, 1, S]
    entries = with_four_axes(entries);
    if (entries.size(2) > 1) entries = slice(entries, 2, query, query + 1);
    if (heads > 1 && entries.size(0) * entries.size(1) > 1)
      entries = expand(entries, {batch, heads, 1, -1});
    return reshape(entries, {entries.size(0) * entries.size(1), 1, 1, entries.size(3)});
  };
  if (allowed_.defined()) mask.allowed_ = of_rows(allowed_).value();
  if (bias_.defined()) mask.bias_ = of_rows(bias_);
  return mask;
}

Mask::Window Mask::window(const Shape& scores) const {
  static_assert(kFar == AttentionMask::kFar);
  const std::int64_t offset = scores[3] - scores[2];
  return {std::max(fixed_.lowest, aligned_.lowest + offset),
          std::min(fixed_.highest, aligned_.highest + offset)};
}

std::pair<std::int64_t, std::int64_t> Mask::range(std::int64_t batch, std::int64_t query,
                                                  const Shape& scores) const {
  const std::int64_t keys = scores[3], length = lengths_.defined() ? lengths_.at(batch) : keys;
  const auto [lowest, highest] = window(scores);
  const AttentionMask mask{.lowest = lowest, .highest = highest};
  const KeyRange seen = mask.range(0, query, std::min(length, keys));
  return {seen.first, seen.last};
}

void Mask::check(const char* op, const Shape& scores, DType dtype) const {
  view(op, scores, dtype);
}

Array Mask::hidden(const Shape& scores, DType dtype) const {
  const AttentionMask mask = view("mask", scores, dtype);
  Array hidden;
  dispatch(dtype, [&](auto type) { hidden = hidden_keys<decltype(type)>(mask, scores); });
  return hidden;
}

AttentionMask Mask::view(const char* op, const Shape& scores, DType dtype) const {
  const auto [lowest, highest] = window(scores);
  AttentionMask view{.lowest = lowest, .highest = highest};
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

Tensor mask_scores(const Tensor& scores, const Mask& mask) {
  ATTUNE_CHECK(scores.rank() == 2 || scores.rank() == 4,
               "mask_scores: scores {}; expected [B, H, T, S], or [B, S] of one query for each row",
               scores.shape());
  const bool is_one = scores.rank() == 2;
  const Shape shape = is_one ? Shape{scores.size(0), 1, 1, scores.size(1)} : scores.shape();
  mask.check("mask_scores", shape, scores.dtype());
  const Array hidden = mask.hidden(shape, scores.dtype());
  Tensor x = reshape(scores, shape);
  if (mask.added().defined()) x = x + mask.added();
  x = masked_fill(x, hidden, -std::numeric_limits<double>::infinity());
  return reshape(x, scores.shape());
}

Tensor softmax(const Tensor& scores, const Mask& mask) {
  if (mask.is_lengths()) return softmax(scores, /*axis=*/-1, mask.lengths());
  return softmax(mask_scores(scores, mask));
}

}  // namespace attune
