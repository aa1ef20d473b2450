#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "attune/autograd/tensor.h"

namespace attune {

/// The steps of attention, as numbered in Seq2Seq.
enum class AttentionStage {
  encode = 1,
  query,
  keys_and_values,
  score,
  weights,
  weighted_sum,
  context,
  combine,
  repeat
};

/// Its name in text, such as "keys and values".
std::string_view name_of(AttentionStage stage);

/// A value of a stage.
struct RecordedStage {
  AttentionStage stage;
  std::string symbol;  ///< of the value in equations, such as "e" for scores
  std::string layer;  ///< the path of the layer that computed it, such as "decoder.attention.score"
  Tensor value;
  std::string file;   ///< where it was computed, relative to the top of the source tree
  unsigned line = 0;  ///< from 1
};

/// Records the values of all stages of attention that the calling thread computes during the
/// lifetime of the object:
///
///     const NoGrad no_grad;
///     const Eval eval;
///     StageRecorder recorder;
///     model(batch);
///     for (const RecordedStage& found : recorder.take())
///       fmt::print("{} {} {}:{}\n", found.layer, found.symbol, found.file, found.line);
///
/// AttentionRecorder records weights and changes no bit of any result. A StageRecorder also records
/// what the fused kernel does not store, such as scores. Attention is therefore computed query by
/// query, with results that are equal up to rounding. Only the innermost recorder of a thread
/// records.
class StageRecorder {
 public:
  [[nodiscard]] StageRecorder() : outer_(std::exchange(current_, this)) {}
  ~StageRecorder() { current_ = outer_; }
  StageRecorder(const StageRecorder&) = delete;
  StageRecorder& operator=(const StageRecorder&) = delete;

  /// What was computed since the last call, in this order.
  std::vector<RecordedStage> take() { return std::exchange(stages_, {}); }

  /// The recorder of the calling thread, or nullptr.
  static StageRecorder* current() { return current_; }
  /// Called by recorded().
  void add(AttentionStage stage, const char* symbol, const Tensor& value, const char* file,
           unsigned line);

 private:
  std::vector<RecordedStage> stages_;
  StageRecorder* outer_;
  static inline thread_local StageRecorder* current_ = nullptr;
};

/// Returns `value`, and adds it to the calling thread's StageRecorder if there is one and the value
/// is defined. Layers call it in the line that computes a value, which is recorded with it:
///
///     return recorded(AttentionStage::score, "e", dot_score(query, keys));
///
/// (Clang 14 has no std::source_location.)
inline const Tensor& recorded(AttentionStage stage, const char* symbol, const Tensor& value,
                              const char* file = __builtin_FILE(),
                              unsigned line = __builtin_LINE()) {
  if (StageRecorder* const recorder = StageRecorder::current()) [[unlikely]]
    recorder->add(stage, symbol, value, file, line);
  return value;
}
inline Tensor recorded(AttentionStage stage, const char* symbol, Tensor&& value,
                       const char* file = __builtin_FILE(), unsigned line = __builtin_LINE()) {
  recorded(stage, symbol, std::as_const(value), file, line);
  return std::move(value);
}

}  // namespace attune
