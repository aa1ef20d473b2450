#pragma once

#include <string>
#include <vector>

#include "attune/train/questions.h"

namespace attune {

/// Evaluates a model during training on pairs that it is not trained on.
class Validation {
 public:
  struct Result {
    double loss = 0;  ///< mean cross-entropy per token, in nats
    Scores scores;

    /// "validation loss 0.0123, sequences right 98.5%, token error rate 0.31%".
    std::string text() const;
  };

  /// Reads the pairs of the file options.data.valid, or a random sample of options.data.valid_count
  /// of them. Lines that cannot be used are reported and counted on standard error. Errors: as
  /// read_questions().
  Validation(const Run& run, const TrainOptions& options);
  /// The loss of the model on these pairs, and the scores of its outputs (see answer()). If the
  /// loss is not finite, all outputs are taken to be empty.
  Result operator()(const Run& run) const;
  /// A fingerprint of the pairs, as hexadecimal digits.
  std::string fingerprint() const;

 private:
  double loss(const Seq2Seq& model) const;

  std::vector<Question> questions_;
  std::vector<Batch> batches_;
};

}  // namespace attune
