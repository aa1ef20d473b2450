#include "attune/layers/attention/stage_recorder.h"

#include <array>
#include <cstddef>

#include "attune/autograd/spans.h"

namespace attune {
namespace {

// The name of a file relative to the top of the source tree, to which compilers may add a folder.
std::string in_tree(std::string_view file) {
  constexpr std::string_view kThis = "layers/attention/stage_recorder.cpp";
  std::string_view top = __FILE__;
  top.remove_suffix(top.ends_with(kThis) ? kThis.size() : top.size());
  return std::string(file.substr(file.starts_with(top) ? top.size() : 0));
}

}  // namespace

std::string_view name_of(AttentionStage stage) {
  constexpr std::array<std::string_view, 9> kNames = {"encode",  "query",   "keys and values",
                                                      "score",   "weights", "weighted sum",
                                                      "context", "combine", "repeat"};
  return kNames[static_cast<std::size_t>(stage) - 1];
}

void StageRecorder::add(AttentionStage stage, const char* symbol, const Tensor& value,
                        const char* file, unsigned line) {
  if (!value.defined()) return;
  stages_.push_back({.stage = stage,
                     .symbol = symbol,
                     .layer = current_layer_path(),
                     .value = value,
                     .file = in_tree(file),
                     .line = line});
}

}  // namespace attune
