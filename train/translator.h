#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "attune/train/fields.h"
#include "attune/train/run.h"

namespace attune {

/// How a trained model translates.
struct TranslateOptions {
  std::string run = {};                       ///< the run folder
  std::optional<int> max_source_length = {};  ///< that of the training
  std::optional<int> max_output_length = {};  ///< see RunConfig::max_output_length()
  int threads = attune::threads();
};

std::vector<Field> fields(TranslateOptions& options);

/// What a model makes of a source.
struct Translation {
  std::string text;  ///< with a mark at its end if it was cut, see marked_text()
  Alignment alignment;
};

/// Translates one source after the other with a trained model:
///
///     Translator translate({.run = "runs/words"});
///     fmt::print("{}\n", translate("attention").text);
///     translate.warn_of_all();
class Translator {
 public:
  /// Errors: as load_run(); an option out of its range.
  explicit Translator(TranslateOptions options);

  /// Errors: BadLine, a source without tokens, with too many, or that is not UTF-8.
  Translation operator()(const std::string& source);

  /// Says on standard error which tokens of all sources training never showed, and how many outputs
  /// were cut.
  void warn_of_all() const;

  const Run& run() const { return run_; }

 private:
  TranslateOptions options_;
  Run run_;
  UnknownTokens unknown_;
  std::int64_t outputs_ = 0, unfinished_ = 0;
};

}  // namespace attune
