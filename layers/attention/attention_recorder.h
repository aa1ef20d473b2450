#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "attune/layers/layer.h"

namespace attune {

struct AttentionResult;

/// What one attention of a model computed while an AttentionRecorder existed.
struct RecordedAttention {
  /// A number, or a row of numbers, for each query: the positions of local attention, for example.
  struct Quantity {
    std::string name;
    Tensor values;  ///< [B, H, T], or [B, H, T, S] if it is one for each key
  };
  std::string name;  ///< within the model, such as "decoder.transformer.layer0.cross_attention"
  Tensor weights;    ///< [B, H, T, S]; 0 for keys that a query's memory did not have yet
  std::vector<Quantity> quantities = {};

  /// The quantity of this name, or nullptr.
  const Quantity* quantity(std::string_view name) const;
};

/// Records the weights of every Attention of a model that the calling thread computes during the
/// lifetime of the object: of encoder and decoder, all layers and heads, whatever the mechanism.
///
///     const NoGrad no_grad;
///     const Eval eval;
///     const AttentionRecorder recorder(model);
///     model(batch);
///     for (const RecordedAttention& found : recorder.recorded())
///       fmt::print("{}: {}\n", found.name, found.weights.shape());
///
/// Results of the model have the same bits with and without it. Weights are kept as they are, so
/// record under NoGrad unless gradients of them are wanted. Only the innermost recorder of a thread
/// records. Each thread has its own: search() computes batches on several threads.
class AttentionRecorder {
 public:
  /// Names are those within `model`, which must exist as long as the recorder does. Attentions that
  /// are not part of it are not recorded. While it exists, an Attention called with batches of
  /// different sizes is an error.
  [[nodiscard]] explicit AttentionRecorder(const Layer& model);
  ~AttentionRecorder();
  AttentionRecorder(const AttentionRecorder&) = delete;
  AttentionRecorder& operator=(const AttentionRecorder&) = delete;

  /// One entry for each attention, in the order of their first calls. If it was called step by
  /// step, as by a recurrent decoder, T counts all queries.
  std::vector<RecordedAttention> recorded() const;

  /// The recorder of the calling thread, or nullptr.
  static AttentionRecorder* current() { return current_; }
  /// Called by Attention::attend(), which returns weights while there is a recorder.
  void add(const Layer& attention, std::int64_t heads, const AttentionResult& result);

 private:
  friend void record_quantity(std::string_view name, const Tensor& values);

  using Quantities = std::vector<std::pair<std::string, Tensor>>;
  struct Call {
    Tensor weights;         // [B, H, T, S]
    Quantities quantities;  // [B H] or [B H, S], of each of the T queries in order
  };
  struct Calls {
    std::string name;
    std::vector<Call> calls;
  };

  const Layer& model_;
  std::vector<Calls> attentions_;
  Quantities quantities_;  // of the call in progress
  AttentionRecorder* outer_;
  static inline thread_local AttentionRecorder* current_ = nullptr;
};

/// Adds a quantity of the mechanism that is being computed to the calling thread's recorder, if
/// there is one: of one query, [B H], or [B H, S] if it has a value for each key. Called by scores,
/// normalisers and localities.
void record_quantity(std::string_view name, const Tensor& values);

}  // namespace attune
