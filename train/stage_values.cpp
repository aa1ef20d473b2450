#include "attune/train/stage_values.h"

#include <algorithm>

namespace attune {
namespace {

constexpr std::string_view kSelfAttention = "self_attention";

bool is_within(std::string_view path, std::string_view layer) {
  return path.starts_with(layer) && (path.size() == layer.size() || path[layer.size()] == '.');
}

// The path of the layer that a path belongs to: "decoder" for "decoder.attention".
std::string_view parent_of(std::string_view path) {
  const std::size_t dot = path.rfind('.');
  return path.substr(0, dot == path.npos ? 0 : dot);
}

// Whether a value was computed by an attention, or by the layers around it.
bool concerns(const RecordedStage& found, const std::string& attention) {
  switch (found.stage) {
    case AttentionStage::encode:
      return true;
    case AttentionStage::query:
      return found.layer == parent_of(attention) || is_within(found.layer, attention);
    case AttentionStage::repeat:
    case AttentionStage::combine:  // those of a layer, and the output of the model
      return found.layer == parent_of(attention) || is_within(found.layer, attention) ||
             found.symbol == "logits";
    default:
      return is_within(found.layer, attention);
  }
}

}  // namespace

std::vector<std::string> StageValues::source_attentions() const {
  std::vector<std::string> paths;
  for (const RecordedStage& found : recorded_)
    if (found.stage == AttentionStage::context && !found.layer.ends_with(kSelfAttention) &&
        std::find(paths.begin(), paths.end(), found.layer) == paths.end())
      paths.push_back(found.layer);
  return paths;
}

std::vector<std::vector<double>> StageValues::weights(const std::string& attention,
                                                      std::int64_t queries) const {
  std::vector<std::vector<double>> all;
  for (const RecordedStage& found : recorded_) {
    if (found.stage != AttentionStage::weights || found.symbol != "a" || found.layer != attention)
      continue;
    const Tensor& weights = found.value;
    const auto values = weights.value().to_vector<double>();
    if (weights.rank() < 4) {  // one query
      all.push_back(values);
      continue;
    }
    const std::int64_t heads = weights.size(1);  // [1, H, T, S]
    for (std::int64_t t = 0; t < queries; ++t) {
      all.emplace_back();
      for (std::int64_t head = 0; head < heads; ++head) {
        const auto row = part_of(values, {heads * queries, head * queries + t});
        all.back().insert(all.back().end(), row.begin(), row.end());
      }
    }
  }
  return all;
}

std::string StageValues::last_self_attention(std::string_view layer) const {
  for (auto found = recorded_.rbegin(); found != recorded_.rend(); ++found)
    if (found->stage == AttentionStage::context && is_within(found->layer, layer) &&
        found->layer.ends_with(kSelfAttention))
      return found->layer;
  return {};
}

Tensor StageValues::find(const HeadPlace& of, AttentionStage stage, std::string_view symbol) const {
  for (auto found = recorded_.rbegin(); found != recorded_.rend(); ++found)
    if (found->stage == stage && found->symbol == symbol && concerns(*found, of.attention))
      return found->value;
  return {};
}

std::vector<SourceLine> StageValues::places(const HeadPlace& of, AttentionStage stage,
                                            std::string_view symbol) const {
  std::vector<SourceLine> places;
  for (const RecordedStage& found : recorded_) {
    if (found.stage != stage || found.symbol != symbol || !concerns(found, of.attention)) continue;
    const SourceLine place{found.file, found.line};
    if (std::find(places.begin(), places.end(), place) == places.end()) places.push_back(place);
  }
  return places;
}

std::vector<double> part_of(const std::vector<double>& values, const Part& part) {
  const auto size = std::ssize(values) / part.count;
  return {values.begin() + part.index * size, values.begin() + (part.index + 1) * size};
}

}  // namespace attune
