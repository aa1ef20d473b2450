#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "attune/alignment/heat_map.h"
#include "attune/train/answers.h"

namespace attune {

/// The measures of Validation besides the metrics of texts: token_error_rate, sequence_accuracy,
/// loss.
std::vector<std::string> validation_measures();

/// Evaluates a model during training on pairs that it is not trained on.
class Validation {
 public:
  struct Result {
    double loss = 0;  ///< mean cross-entropy per token, in nats
    Measures measures;
    /// The score of the outputs as texts by the metric of options.best, and its name, such as
    /// "bleu"; not set if that is no metric of texts.
    std::optional<double> text_score = {};
    std::string text_metric = {};
    double cost = 0;  ///< the measure of options.best, with the sign that makes less better
    /// The alignment of the first source with the model's output; not set without attention, or if
    /// the loss is not finite.
    std::optional<AlignmentFigure> example = {};

    /// "validation loss 0.0123, sequences right 98.5%, token error rate 0.31%", and the alignment
    /// error rate if there are reference alignments.
    std::string text() const;
  };

  /// Reads the pairs of options.data.valid_pairs(), or a random sample of options.data.valid_count
  /// of them, with the alignments of options.data.reference_alignment. Without a file, makes
  /// examples of the task that are not trained on. Lines that cannot be used are reported and
  /// counted on standard error. Errors: as read_questions().
  Validation(const Run& run, const TrainOptions& options);
  /// The loss of the model on these pairs, and the scores of its outputs (see answer()). If the
  /// loss is not finite, all outputs are taken to be empty.
  Result operator()(const Run& run) const;
  const std::vector<Question>& questions() const { return questions_; }
  /// A fingerprint of the pairs, as hexadecimal digits.
  std::string fingerprint() const;

 private:
  double loss(const Seq2Seq& model) const;

  std::string best_;
  std::shared_ptr<TextMetric> metric_;  // of best_; null: it is another measure
  std::vector<Question> questions_;
  std::vector<Batch> batches_;
};

}  // namespace attune
