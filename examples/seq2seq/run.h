#pragma once

#include <memory>
#include <string>

#include "attune/seq2seq.h"
#include "options.h"

namespace seq2seq {

/// What test and translate must know of a training, beside the model.
struct RunConfig {
  std::string task;                    ///< empty: learnt from a file
  int min_length = 1, max_length = 1;  ///< tokens of a source; the latter is the limit
  int max_target_length = 1;           ///< where a search gives up
  attune::EncoderDecoderOptions model;
};

/// A model and all that goes with it, as a run folder holds it.
struct Run {
  std::string folder;
  RunConfig config;
  attune::Vocabulary source, target;
  std::shared_ptr<attune::Seq2SeqModel> model;

  std::string file(const char* name) const { return folder + "/" + name; }
};

/// Makes the run folder and writes everything but the model, for which it makes sure that there is
/// room. An earlier run in the folder is replaced, at the last moment and in one go. Errors: it is
/// no folder, or one with anything else in it; it cannot be written. The folder is then as it was.
void create_run_folder(const Run& run, const TrainOptions& options);

/// Writes the model as it is now, whole or not at all. Errors: it cannot be written.
void save_model(const Run& run);

/// Reads a run folder. Errors: it is missing, incomplete, damaged, or its files are of different
/// runs.
Run load_run(const std::string& folder);

/// The ids of a source. Unknown tokens go to `unknown`. Errors, which start with `where`: not
/// UTF-8, no tokens, more than the limit.
std::vector<int> encode_source(const Run& run, const std::string& line, const std::string& where,
                               std::vector<std::string>* unknown);

/// Says on standard error which tokens are read as <unk>, if there are any.
void warn_of_unknown(const std::vector<std::string>& tokens);

/// A hypothesis as an alignment of tokens, for pictures.
attune::Alignment alignment_of(const Run& run, std::span<const int> source,
                               const attune::Hypothesis& hypothesis);

}  // namespace seq2seq
