#pragma once

#include <cstdint>
#include <vector>

#include "attune/autograd/array/random.h"
#include "attune/autograd/tensor.h"
#include "attune/search/continuations.h"
#include "attune/search/next_tokens.h"
#include "attune/search/search.h"

namespace attune {

/// The rows of a batch at the next step: the row that each continues, and its newest token.
struct NextRows {
  std::vector<std::int32_t> rows, tokens;
};

/// The search for the targets of one source: its hypotheses, each of which has a row in the batch
/// until it is finished.
class TargetSearch {
 public:
  TargetSearch(const SearchInput& input, const SearchOptions& options);

  /// The number of rows of this source: at first one, for the empty hypothesis.
  std::int64_t rows() const { return static_cast<std::int64_t>(live_.size()); }
  /// Whether the next step depends on the probabilities of the tokens that may follow hypothesis
  /// `index`, the `index`-th most probable one, given those looked at so far.
  bool needs(std::int64_t index) const;
  /// Looks at the tokens that may follow a hypothesis, which has row `row` of `next`.
  void look_at(std::int64_t index, const NextTokens& next, std::int64_t row);
  /// Extends the hypotheses by a token, once it needs no more of them. Their rows are first_row,
  /// first_row + 1, ... of `next` and of `alignment` [R, S], which is not defined without
  /// attention. The unfinished hypotheses are added to `going_on`.
  void step(const NextTokens& next, const Tensor& alignment, std::int64_t first_row,
            NextRows& going_on);
  /// The hypotheses found, once there are no more rows; see search().
  std::vector<Hypothesis> found() const;

 private:
  // A step of a hypothesis. Hypotheses with a common beginning share its steps.
  struct Step {
    int token;
    std::size_t previous;
    std::vector<float> weights;
    bool copied;
  };
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  struct Live {
    std::size_t last;  // index of its last step, or kNone
    double log_probability;
  };

  bool in_prefix() const { return length_ < std::ssize(input_.prefix); }
  std::vector<Continuation> continuations(const NextTokens& next, std::int64_t first_row);
  // The tokens that would repeat an n-gram of the hypothesis; see SearchOptions::no_repeat_ngram.
  std::vector<int> repeating_tokens(const Live& live) const;
  void finish(const Live& live, bool with_end);
  // Whether a target that continues the hypothesis may be among the n_best. It may not if as many
  // finished ones, with those that this step's extensions finish, are certain to come before it.
  bool may_be_returned(const Live& live) const;

  const SearchInput& input_;
  const SearchOptions& options_;
  Generator random_;
  int wanted_;               // hypotheses to continue with: the width of the beam, or samples
  std::int64_t length_ = 0;  // of the live hypotheses
  bool can_copy_ = false;
  std::vector<Step> steps_;
  std::vector<Live> live_ = {{kNone, 0.0}};
  MostProbable extensions_;  // of the live hypotheses looked at
  std::vector<Hypothesis> found_;
};

}  // namespace attune
