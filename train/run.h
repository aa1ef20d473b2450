#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "attune/alignment/all.h"
#include "attune/autograd/array/named_arrays.h"
#include "attune/data/all.h"
#include "attune/models/all.h"
#include "attune/search/all.h"
#include "attune/train/train_options.h"

namespace attune {

/// The mark of an output in text that was cut before its end.
constexpr std::string_view kUnfinishedMark = "…";

/// What users of a trained model must know of the training.
struct RunConfig {
  std::string task;                    ///< empty: learnt from a file
  int min_length = 1, max_length = 1;  ///< tokens of a source; the latter is the limit
  int max_source_length = 0;           ///< of the longest source of the training; 0: not known
  int max_target_length = 1;           ///< of the longest target of the training
  EncoderDecoderOptions model;

  /// Where a search gives up on a source of so many tokens, unless the user says: twice as many and
  /// 10 more, but never less than the longest target of the training, which for longer sources
  /// than the training's grows in proportion.
  int max_output_length(std::size_t source_length) const;
};

/// A model and all that goes with it, as a run folder holds it.
struct Run {
  std::string folder;
  RunConfig config;
  Vocabulary source, target;
  std::shared_ptr<Seq2Seq> model;

  std::string file(const char* name) const { return folder + "/" + name; }
};

/// What tells a model and all that goes with it from others, even of equal sizes.
std::string fingerprint(const Run& run);

/// Writes everything but the model and what a training logs, with the options that were chosen for
/// it (see chosen_options()). Errors: it cannot be written.
void save_description(const Run& run, const TrainOptions& options,
                      const std::vector<std::string>& chosen);

/// True if what save_description() writes is there.
bool is_described(const Run& run);

/// Writes a model whose parameters have these values, whole or not at all. Errors: it cannot be
/// written.
void save_model(const Run& run, const NamedArrays& values);

/// Reads a run folder. Errors: it is missing, incomplete, damaged, or its files are of different
/// runs.
Run load_run(const std::string& folder);

/// The ids of a source. Unknown tokens go to `unknown`, where it is given. Throws BadLine: not
/// UTF-8 text, no tokens, more than `max_length`.
std::vector<int> encode_source(const Run& run, const std::string& line, int max_length,
                               UnknownTokens* unknown = nullptr);

/// Says on standard error which tokens are read as <unk>, if there are any.
void warn_of_unknown(const UnknownTokens& tokens);

/// What the model writes for each source: greedy search, up to `max_output_length` tokens or, where
/// none is given, as many as RunConfig::max_output_length() allows for each.
std::vector<Hypothesis> answer(const Run& run, std::span<const std::vector<int>> sources,
                               std::optional<int> max_output_length = {});

/// What was found as text; a mark at the end shows that it was cut.
std::string marked_text(const Run& run, const Hypothesis& found);

/// Says on standard error how many of the outputs are unfinished, if any are.
void warn_of_unfinished(std::int64_t unfinished, std::int64_t outputs);

/// A hypothesis as an alignment of tokens, for pictures.
Alignment alignment_of(const Run& run, std::span<const int> source, const Hypothesis& hypothesis);

}  // namespace attune
