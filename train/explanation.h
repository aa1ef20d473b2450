#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "attune/autograd/array/threads.h"
#include "attune/layers/attention/stage_recorder.h"
#include "attune/train/fields.h"

namespace attune {

/// Options of explain().
struct ExplainOptions {
  std::string run = {};                       ///< the run folder
  std::string target = {};                    ///< empty: the model's own output
  std::optional<int> layer = {};              ///< of attention to the source, from 1; default: last
  int head = 1;                               ///< from 1
  std::optional<int> step = {};               ///< this step only, from 1; default: all
  std::optional<int> max_source_length = {};  ///< default: that of the training
  std::optional<int> max_output_length = {};  ///< see RunConfig::max_output_length()
  int threads = attune::threads();
};

std::vector<Field> fields(ExplainOptions& options);

/// A formula in the textbook's notation: h_s is the encoder's state at source position s, e_s its
/// score, a_s its weight and v_s its value; s_t is the decoder's state at step t, q_t the query,
/// c_t the context, y_t the token written; z_t is the weighted sum of a head.
struct Equation {
  std::string formula;
  std::string source;  ///< paper and equation; may be empty
};

/// A line of the library's source.
struct SourceLine {
  std::string file;  ///< relative to the top of the tree
  unsigned line = 0;
  bool operator==(const SourceLine&) const = default;
};

/// Numbers of a stage: a row for each of `rows`, or a single one if it is empty.
struct ExplainedNumbers {
  std::string symbol;                     ///< as in the equations
  std::vector<std::string> rows = {};     ///< tokens, as utf8::visible() shows them, or names
  std::vector<std::string> columns = {};  ///< tokens; empty: the elements of vectors
  std::vector<double> values = {};        ///< row after row
  bool is_weight = false;                 ///< weights or probabilities
  /// Where they are computed: the formula, then the lines that it is called from.
  std::vector<SourceLine> places = {};

  std::size_t row_count() const { return rows.empty() ? 1 : rows.size(); }
  std::size_t width() const { return values.size() / row_count(); }
};

struct ExplainedStage {
  AttentionStage stage;
  std::vector<Equation> equations;
  std::vector<ExplainedNumbers> numbers;
  std::string note = {};
};

/// A token as utf8::visible() shows it, and the probability that the model gives to it.
struct ExplainedToken {
  std::string token;
  double probability = 0;
};

/// A step of the decoder: stages 2 and 4 to 9.
struct ExplainedStep {
  int number = 1;        ///< t, from 1
  std::string previous;  ///< y_{t-1}
  ExplainedToken chosen;
  std::vector<ExplainedToken> others;  ///< the most probable others, in descending order
  std::vector<ExplainedStage> stages;
};

/// One decoding of a trained model, stage by stage.
struct Explanation {
  std::string run;
  std::string title;    ///< source → target
  std::string model;    ///< its kind and mechanisms
  std::string subject;  ///< the attention and the head that stages 2 to 7 show
  int step_count = 0;
  bool target_is_given = false;
  std::vector<ExplainedStage> preparation;  ///< stages 1 and 3, once for each source
  std::vector<ExplainedStep> steps;
};

/// Decodes a source with a trained model, greedily as a Translator does, or computes a given
/// target, and returns the values that its layers computed at each stage of attention: see
/// StageRecorder. Warns on standard error of unknown tokens, and of an output that was cut off.
///
///     const Explanation found = explain({.run = "runs/words"}, "attention");
///     fmt::print("{}", to_text(found));
///
/// Errors: as load_run(); the model has no attention; BadLine, as encode_source(); OptionError, an
/// option out of its range, an empty target, or a layer, head or step that there is not.
Explanation explain(const ExplainOptions& options, const std::string& source);

/// A number as an explanation shows it: with four decimals, or five digits from 1000 on.
std::string number_text(double value);

/// An explanation for a terminal of 100 columns or more. Tables that are wider have the tokens with
/// the largest weights, and vectors their first elements; what was left out is said.
std::string to_text(const Explanation& explanation);

}  // namespace attune
