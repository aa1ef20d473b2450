#pragma once

#include <string>
#include <vector>

#include "attune/train/run.h"

/// config.json of a run folder.
namespace attune {

/// The text of config.json: what testing and translating need, and, as a record, the options that
/// affect the result of the training, with those that were chosen (see chosen_options()).
std::string config_json(RunConfig config, const TrainOptions& options,
                        const std::vector<std::string>& chosen);

/// The options of a model on one line; equal options give equal text.
std::string model_json(const EncoderDecoderOptions& model);

/// Reads a file written from config_json(). Errors (the message gives the path): it cannot be read;
/// it is not a config.json of this program; a value is missing, of the wrong type or out of range.
RunConfig read_config(const std::string& path);

/// The options that were chosen for a training, from its config.json. Errors: it cannot be read, or
/// has no such record, as in runs from before trainings could be resumed.
std::vector<std::string> recorded_options(const std::string& path);
/// Converts such options to a single text, and back.
std::string options_text(const std::vector<std::string>& chosen);
std::vector<std::string> options_from(const std::string& text);

/// Whether the file exists and was written by this program.
bool is_config(const std::string& path);

}  // namespace attune
