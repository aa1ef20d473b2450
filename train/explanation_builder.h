#pragma once

#include <string>
#include <vector>

#include "attune/search/next_tokens.h"
#include "attune/train/explanation.h"
#include "attune/train/run.h"
#include "attune/train/stage_values.h"

namespace attune {

/// What was recorded of a step, and the probabilities of its tokens.
struct DecodedStep {
  StageValues values;
  NextTokens next;
};

/// Makes the stages of an explanation from the values that were recorded.
class ExplanationBuilder {
 public:
  /// `source` are the ids of `line`; `written` are the target tokens with `</s>`, unless the target
  /// was cut off; `attentions` are those to the source, of which `of` is explained.
  ExplanationBuilder(const Run& run, const std::string& line, const std::vector<int>& source,
                     std::vector<int> written, std::vector<std::string> attentions, HeadPlace of);

  /// Stages 1 and 3.
  std::vector<ExplainedStage> preparation(const StageValues& values);
  /// Step `index`, from 0; after preparation().
  ExplainedStep step(const DecodedStep& decoded, std::size_t index) const;

 private:
  std::string label(int target_id) const;
  ExplainedStage stage(AttentionStage stage) const;
  void add_vector(ExplainedStage& to, const StageValues& values, const char* symbol,
                  const std::string& shown, const Part& part = {}) const;
  void add_rows(ExplainedStage& to, const StageValues& values, const char* symbol,
                const std::string& shown, const std::vector<std::string>& rows,
                const Part& part = {}) const;
  void add_columns(ExplainedStage& to, const StageValues& values, const char* symbol,
                   const std::string& shown, bool is_weight = false) const;
  void add_encoder_attention(ExplainedStage& to, const StageValues& values) const;
  void add_decoder_attention(ExplainedStage& to, const StageValues& values,
                             std::size_t index) const;
  void add_all_heads(ExplainedStage& to, const StageValues& values) const;
  void add_output(ExplainedStage& to, const DecodedStep& decoded, const ExplainedStep& step,
                  const std::vector<int>& candidates) const;

  ExplainedStage query(const StageValues& values, std::size_t index) const;
  ExplainedStage score(const StageValues& values) const;
  ExplainedStage weights(const StageValues& values) const;
  ExplainedStage combine(const DecodedStep& decoded, const ExplainedStep& step,
                         const std::vector<int>& candidates) const;
  ExplainedStage repeat(const StageValues& values, std::size_t index) const;

  const Run& run_;
  ExtendedVocabulary words_;
  std::vector<std::string> source_, target_;
  std::vector<int> written_;
  std::vector<std::string> attentions_;
  HeadPlace of_;
  bool keys_are_states_ = false;
};

}  // namespace attune
