#include "attune/train/checkpoint.h"

#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "attune/train/safetensors.h"

namespace attune {
namespace {

// Maps names from before version 0.2, when LayerNorm's weight was called gain, and a Transformer's
// embeddings and output were children of the model, next to its encoder and decoder, which had the
// layers as direct children.
std::string current_name(std::string name) {
  constexpr std::string_view kGain = "gain";
  if (name == kGain || name.ends_with(fmt::format(".{}", kGain)))
    name.replace(name.size() - kGain.size(), kGain.size(), "weight");
  constexpr std::pair<std::string_view, std::string_view> kPrefixes[] = {
      {"source_embedding.", "encoder.embedding."},
      {"target_embedding.", "decoder.embedding."},
      {"output.", "decoder.output."},
      {"encoder.layer", "encoder.transformer.layer"},
      {"encoder.norm.", "encoder.transformer.norm."},
      {"decoder.layer", "decoder.transformer.layer"},
      {"decoder.norm.", "decoder.transformer.norm."},
  };
  for (const auto& [earlier, now] : kPrefixes)
    if (name.starts_with(earlier)) return name.replace(0, earlier.size(), now);
  return name;
}

}  // namespace

NamedArrays with_current_names(const Layer& layer, NamedArrays arrays) {
  std::set<std::string> known;
  for (const Param& param : layer.parameters()) known.insert(param.name);
  for (auto& [name, value] : arrays) {
    std::string now = current_name(name);
    if (!known.contains(name) && known.contains(now)) name = std::move(now);
  }
  return arrays;
}

void save_parameters(const std::string& path, const Layer& layer) {
  save_safetensors(path, {layer.values(), {}, /*digest=*/true});
}

void load_parameters(const std::string& path, Layer& layer) {
  const Safetensors content = load_safetensors(path);
  try {
    layer.load(with_current_names(layer, content.arrays));
  } catch (const Error& error) {
    fail("{} (in '{}')", error.what(), path);
  }
}

}  // namespace attune
