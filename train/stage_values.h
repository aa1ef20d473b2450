#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "attune/layers/attention/stage_recorder.h"
#include "attune/train/explanation.h"

namespace attune {

/// One of several equal parts of the elements of a value, such as those of a head.
struct Part {
  std::int64_t count = 1, index = 0;
};
std::vector<double> part_of(const std::vector<double>& values, const Part& part);

/// One head of an attention to the source.
struct HeadPlace {
  std::string attention;  ///< the path of the attention, such as "decoder.attention"
  Part own = {};          ///< the head among all heads
  Part shared = {};       ///< its keys and values among those of all heads
};

/// The values that were recorded for one source and one target, between two calls of
/// StageRecorder::take().
class StageValues {
 public:
  explicit StageValues(std::vector<RecordedStage> recorded) : recorded_(std::move(recorded)) {}

  /// The paths of the attentions to the source, in the order of their first calls.
  std::vector<std::string> source_attentions() const;
  /// The weights of an attention, [H, S] for each of its queries in order. Empty: there are none.
  std::vector<std::vector<double>> weights(const std::string& attention,
                                           std::int64_t queries = 1) const;
  /// The path of the last self-attention below `layer`; empty: there is none.
  std::string last_self_attention(std::string_view layer) const;

  /// The last value of that stage and symbol that the attention, or the layers around it, computed;
  /// not defined: there is none.
  Tensor find(const HeadPlace& of, AttentionStage stage, std::string_view symbol) const;
  /// Where it was computed.
  std::vector<SourceLine> places(const HeadPlace& of, AttentionStage stage,
                                 std::string_view symbol) const;

 private:
  std::vector<RecordedStage> recorded_;
};

}  // namespace attune
