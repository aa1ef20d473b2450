#pragma once

#include <string>
#include <vector>

#include "attune/train/run.h"

/// config.json of a run folder.
namespace attune {

/// The text of config.json: what test and translate need, and, as a record, all options of the
/// training that decide on its result.
std::string config_json(const RunConfig& config, const TrainOptions& options);

/// The options of a model in one line, the same for equal ones.
std::string model_json(const EncoderDecoderOptions& model);

/// Reads what config_json() wrote. Errors, with the path: it cannot be read, it is no config.json
/// of this program, a value is missing or of the wrong type.
RunConfig read_config(const std::string& path);

/// The flags that a training was begun with (see TrainOptions::flags) in its config.json. Errors:
/// it cannot be read or does not say so, as in runs of the time before there was --resume.
std::vector<std::string> recorded_flags(const std::string& path);
/// Flags as one text, and back.
std::string flags_text(const std::vector<std::string>& flags);
std::vector<std::string> flags_from(const std::string& text);

/// True if the file is there and this program's.
bool is_config(const std::string& path);

}  // namespace attune
