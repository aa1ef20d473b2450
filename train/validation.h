#pragma once

#include <string>
#include <vector>

#include "attune/train/questions.h"

namespace attune {

/// Measures a model in training on pairs that it does not learn from.
class Validation {
 public:
  struct Result {
    double loss = 0;  ///< mean cross-entropy, in nats a token
    Scores scores;

    /// "validation loss 0.0123, sequences right 98.5%, token error rate 0.31%".
    std::string text() const;
  };

  /// The pairs of options.data.valid, or the random sample of them that the options ask for. What
  /// is left out is named and counted on standard error. Errors: as read_questions().
  Validation(const Run& run, const TrainOptions& options);
  Result operator()(const Run& run) const;
  /// What tells these pairs from others, as digits.
  std::string fingerprint() const;

 private:
  double loss(const Seq2Seq& model) const;

  std::vector<Question> questions_;
  std::vector<Batch> batches_;
};

}  // namespace attune
