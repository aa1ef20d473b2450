#include "attune/train/checkpoint.h"

#include <set>
#include <string>
#include <string_view>

#include "attune/autograd/array/named_arrays.h"
#include "attune/train/safetensors.h"

namespace attune {
namespace {

// The weight of LayerNorm was called gain before version 0.2.
void rename_gains(const Layer& layer, NamedArrays& arrays) {
  constexpr std::string_view kEarlier = "gain", kName = "weight";
  std::set<std::string> known;
  for (const Param& param : layer.parameters()) known.insert(param.name);
  for (auto& [name, value] : arrays) {
    const bool is_last = name == kEarlier || name.ends_with(fmt::format(".{}", kEarlier));
    if (is_last && !known.contains(name))
      name.replace(name.size() - kEarlier.size(), kEarlier.size(), kName);
  }
}

}  // namespace

void save_parameters(const std::string& path, const Layer& layer) {
  save_safetensors(path, {layer.values(), {}, /*digest=*/true});
}

void load_parameters(const std::string& path, Layer& layer) {
  Safetensors content = load_safetensors(path);
  rename_gains(layer, content.arrays);
  try {
    layer.load(content.arrays);
  } catch (const Error& error) {
    fail("{} (in '{}')", error.what(), path);
  }
}

}  // namespace attune
