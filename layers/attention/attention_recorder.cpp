#include "attune/layers/attention/attention_recorder.h"

#include <algorithm>
#include <map>
#include <optional>

#include "attune/autograd/ops/shaping.h"
#include "attune/layers/attention/attention.h"

namespace attune {
namespace {

// Appends zeros along the last axis.
Tensor widened(const Tensor& x, std::int64_t size) {
  Shape missing = x.shape();
  missing[missing.rank() - 1] = size - x.size(-1);
  return x.size(-1) == size ? x : concat({x, Array::zeros(missing, x.dtype())}, -1);
}

// Joins the results of several calls along the queries; the last axis may grow from call to call.
Tensor joined_queries(std::vector<Tensor> parts) {
  std::int64_t keys = 0;
  for (const Tensor& part : parts) keys = std::max(keys, part.size(-1));
  for (Tensor& part : parts) part = widened(part, keys);
  return parts.size() == 1 ? parts.front() : concat(parts, 2);
}

}  // namespace

const RecordedAttention::Quantity* RecordedAttention::quantity(std::string_view wanted) const {
  const auto found = std::find_if(quantities.begin(), quantities.end(),
                                  [&](const Quantity& one) { return one.name == wanted; });
  return found == quantities.end() ? nullptr : &*found;
}

AttentionRecorder::AttentionRecorder(const Layer& model) : model_(model), outer_(current_) {
  current_ = this;
}

AttentionRecorder::~AttentionRecorder() { current_ = outer_; }

void AttentionRecorder::add(const Layer& attention, std::int64_t heads,
                            const AttentionResult& result) {
  Call call{{}, std::exchange(quantities_, {})};
  const std::optional<std::string> name = model_.name_of(attention);
  if (!name) return;
  const Tensor& weights = result.weights;
  call.weights = weights.rank() == 4
                     ? weights
                     : reshape(weights, {weights.size(0), heads, 1, weights.size(-1)});
  const auto known = std::find_if(attentions_.begin(), attentions_.end(),
                                  [&](const Calls& calls) { return calls.name == *name; });
  Calls& calls = known == attentions_.end() ? attentions_.emplace_back(Calls{*name, {}}) : *known;
  ATTUNE_CHECK(calls.calls.empty() || calls.calls.front().weights.size(0) == call.weights.size(0),
               "AttentionRecorder: {} attended for batches of {} and {} sequences; record one "
               "batch at a time",
               *name, calls.calls.front().weights.size(0), call.weights.size(0));
  calls.calls.push_back(std::move(call));
}

std::vector<RecordedAttention> AttentionRecorder::recorded() const {
  std::vector<RecordedAttention> all;
  for (const auto& [name, calls] : attentions_) {
    std::vector<Tensor> weights;
    std::map<std::string, std::vector<Tensor>> numbers, rows;  // one for each query, or a row
    for (const Call& call : calls) {
      weights.push_back(call.weights);
      const std::int64_t batch = call.weights.size(0), heads = call.weights.size(1);
      for (const auto& [quantity, values] : call.quantities)
        (values.rank() == 1 ? numbers : rows)[quantity].push_back(
            reshape(values, {batch, heads, 1, -1}));
    }
    RecordedAttention found{name, joined_queries(std::move(weights))};
    for (auto& [quantity, parts] : numbers) {
      const Tensor values = joined_queries(std::move(parts));
      found.quantities.push_back({quantity, reshape(values, values.shape().without(3))});
    }
    for (auto& [quantity, parts] : rows)
      found.quantities.push_back({quantity, joined_queries(std::move(parts))});
    all.push_back(std::move(found));
  }
  return all;
}

void record_quantity(std::string_view name, const Tensor& values) {
  if (AttentionRecorder* const recorder = AttentionRecorder::current())
    recorder->quantities_.emplace_back(name, values);
}

}  // namespace attune
