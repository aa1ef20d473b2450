#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "attune/alignment/measures.h"
#include "attune/metrics/text_metric.h"
#include "attune/search/metrics.h"
#include "attune/train/questions.h"

namespace attune {

/// A model's answer to a question.
struct Answer {
  Hypothesis output;  ///< empty if the question has no source
  /// For each reference with an alignment, the attention weights with which the model computes it
  /// (forced decoding), [tokens, source length]. Those of the output, if it equals the reference.
  std::vector<std::vector<float>> reference_weights = {};
};

/// The model's answer to each question; outputs are as from answer().
std::vector<Answer> answers_to(const Run& run, std::span<const Question> questions,
                               std::optional<int> max_output_length = {},
                               const SearchOptions& options = {});

/// The outputs and references of the questions that have a source, as texts.
std::vector<TextOutput> texts_of(const Run& run, std::span<const Question> questions,
                                 std::span<const Answer> answers);

/// How good answers are.
struct Measures {
  Scores scores = {};  ///< of the outputs
  /// Of the weights of outputs, where the truth of a task is known, or of references with
  /// alignments.
  AlignmentScores alignment = {};
  WeightStatistics weights = {};  ///< of the outputs

  /// A measure under its name in JSON.
  struct Named {
    std::string name;
    bool is_share;                ///< from 0 to 1, rather than a number of its own unit
    std::optional<double> value;  ///< not set without attention, or without reference
  };
  /// Those of `alignment` and `weights`.
  std::vector<Named> of_attention() const;
};

/// Compares answers with the references. Questions without a source are not counted.
Measures measure(const Run& run, std::span<const Question> questions,
                 std::span<const Answer> answers);

}  // namespace attune
