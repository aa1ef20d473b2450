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

/// Appended to the text of an output that was cut off at its length limit.
constexpr std::string_view kUnfinishedMark = "…";

/// The configuration of a trained model.
struct RunConfig {
  std::string task;                    ///< empty: trained on a file
  int min_length = 1, max_length = 1;  ///< limits of the number of tokens of a source
  int max_source_length = 0;           ///< of the longest source in training; 0: not known
  int max_target_length = 1;           ///< of the longest target in training
  EncoderDecoderOptions model;

  /// The default limit, in tokens, of the output for a source of n tokens: the largest of 2 n + 10,
  /// max_target_length, and n max_target_length / max_source_length, rounded up. The last one does
  /// not apply if max_source_length is 0.
  int max_output_length(std::size_t source_length) const;
};

/// A model and everything that belongs to it: the content of a run folder.
struct Run {
  std::string folder;
  RunConfig config;
  Vocabulary source, target;
  std::shared_ptr<Seq2Seq> model;

  std::string file(const char* name) const { return folder + "/" + name; }
  /// Whether the model copies tokens of the source, also those that no vocabulary has.
  bool copies_tokens() const { return model->decoder().copied_vocabulary() > 0; }
};

/// The vocabularies of a run, which are extended by the tokens of the source `line` if the model
/// copies tokens.
ExtendedVocabulary words_of(const Run& run, std::string_view line);

/// A fingerprint of a model's options and vocabularies, which differs between files of different
/// runs.
std::string fingerprint(const Run& run);

/// Writes all files except the model and the logs. `chosen` are the options given for the training;
/// see chosen_options(). Errors: a file cannot be written.
void save_description(const Run& run, const TrainOptions& options,
                      const std::vector<std::string>& chosen);

/// Whether the files that save_description() writes exist.
bool is_described(const Run& run);

/// Writes the model file with the given values of the parameters, either completely or not at all.
/// Errors: it cannot be written.
void save_model(const Run& run, const NamedArrays& values);

/// Reads a run folder. Errors: it is missing, incomplete or damaged, or has files of different
/// runs.
Run load_run(const std::string& folder);

/// The token ids of a source, as in ExtendedVocabulary if the model copies tokens. Unknown tokens
/// are counted in `unknown` unless it is nullptr. Errors: BadLine if the source is not UTF-8, or
/// has no tokens or more than `max_length`.
std::vector<int> encode_source(const Run& run, const std::string& line, int max_length,
                               UnknownTokens* unknown = nullptr);

/// The token ids of the option `target` for the source `line`, likewise. Errors: OptionError if it
/// is not UTF-8 or has no tokens.
std::vector<int> encode_target(const Run& run, const std::string& target, std::string_view line,
                               UnknownTokens* unknown);

/// Warns on standard error about tokens that were read as <unk>, if there are any.
void warn_of_unknown(const UnknownTokens& tokens);

/// The model's best output for each source, with at most `max_output_length` tokens; by default,
/// RunConfig::max_output_length() of that source.
std::vector<Hypothesis> answer(const Run& run, std::span<const std::vector<int>> sources,
                               std::optional<int> max_output_length = {},
                               const SearchOptions& options = {});

/// The text of target tokens for the source `line`.
std::string target_text(const Run& run, std::span<const int> tokens, std::string_view line);

/// The text of a hypothesis for the source `line`, with kUnfinishedMark at the end if it was cut
/// off. With `mark_copied`, tokens that were copied are in brackets: "an [aardvark]".
std::string marked_text(const Run& run, const Hypothesis& found, std::string_view line,
                        bool mark_copied = false);

/// Warns on standard error about unfinished outputs, if there are any.
void warn_of_unfinished(std::int64_t unfinished, std::int64_t outputs);

/// The alignment of a hypothesis for the source `line` with these ids, for heat maps. Copied tokens
/// are marked as in marked_text().
Alignment alignment_of(const Run& run, std::span<const int> source, const Hypothesis& hypothesis,
                       std::string_view line, bool mark_copied = false);

/// The position of each token of a side in an alignment of words: that of its word if tokens are
/// subwords, otherwise its own.
std::vector<int> word_positions(const Vocabulary& vocabulary, std::span<const std::string> tokens);
std::vector<int> word_positions(const Vocabulary& vocabulary, std::string_view line);

/// An alignment of tokens, as from alignment_of(), as one of words; see merge_pieces().
Alignment alignment_of_words(const Run& run, const Alignment& tokens);

/// A picture of it, entitled with the texts of source and hypothesis.
AlignmentFigure figure_of(const Run& run, std::span<const int> source, const Hypothesis& hypothesis,
                          std::string_view line);

}  // namespace attune
