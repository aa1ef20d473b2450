#pragma once

#include <string>
#include <vector>

#include "scoring.h"

namespace seq2seq {

/// Measures a model in training on pairs that it does not learn from.
class Validation {
 public:
  struct Result {
    double loss = 0;  ///< mean cross-entropy, in nats a token
    attune::Scores scores;
  };

  /// The pairs of options.valid, or the random sample of them that the options ask for. What is
  /// left out is named and counted on standard error. Errors: as read_questions().
  Validation(const Run& run, const TrainOptions& options);
  Result operator()(const Run& run) const;
  /// What tells these pairs from others, as digits.
  std::string fingerprint() const;

 private:
  double loss(const attune::Seq2Seq& model) const;

  std::vector<Question> questions_;
  std::vector<attune::Batch> batches_;
};

}  // namespace seq2seq
