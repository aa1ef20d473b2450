#pragma once

#include <string>

#include "run.h"

/// config.json of a run folder.
namespace seq2seq {

/// The text of config.json: what test and translate need, and, as a record, all options of the
/// training that decide on its result.
std::string config_json(const RunConfig& config, const TrainOptions& options);

/// The options of a model in one line, the same for equal ones.
std::string model_json(const attune::EncoderDecoderOptions& model);

/// Reads what config_json() wrote. Errors, with the path: it cannot be read, it is no config.json
/// of this program, a value is missing or of the wrong type.
RunConfig read_config(const std::string& path);

/// True if the file is there and this program's.
bool is_config(const std::string& path);

}  // namespace seq2seq
