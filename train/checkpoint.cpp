#include "attune/train/checkpoint.h"

#include "attune/train/safetensors.h"

namespace attune {

void save_parameters(const std::string& path, const Layer& layer) {
  save_safetensors(path, {layer.values(), {}, /*digest=*/true});
}

void load_parameters(const std::string& path, Layer& layer) {
  const Safetensors content = load_safetensors(path);
  try {
    layer.load(content.arrays);
  } catch (const Error& error) {
    fail("{} (in '{}')", error.what(), path);
  }
}

}  // namespace attune
