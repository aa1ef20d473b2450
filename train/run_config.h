#pragma once

#include <string>
#include <vector>

#include "attune/train/run.h"

/// config.json of a run folder.
namespace attune {

/// The text of config.json: what test and translate need, and, as a record, the options of the
/// training that decide on its result, with those that were chosen (see chosen_options()).
std::string config_json(RunConfig config, const TrainOptions& options,
                        const std::vector<std::string>& chosen);

/// The options of a model in one line, the same for equal ones.
std::string model_json(const EncoderDecoderOptions& model);

/// Reads what config_json() wrote. Errors, with the path: it cannot be read, it is no config.json
/// of this program, a value is missing or of the wrong type.
RunConfig read_config(const std::string& path);

/// The options that were chosen for the training, in its config.json. Errors: it cannot be read or
/// does not say so, as in runs of the time before trainings could be resumed.
std::vector<std::string> recorded_options(const std::string& path);
/// Such options as one text, and back.
std::string options_text(const std::vector<std::string>& chosen);
std::vector<std::string> options_from(const std::string& text);

/// True if the file is there and this program's.
bool is_config(const std::string& path);

}  // namespace attune
