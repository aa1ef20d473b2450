#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "attune/train/fields.h"
#include "attune/train/run.h"

namespace attune {

/// Options of a Translator.
struct TranslateOptions {
  std::string run = {};                       ///< the run folder
  std::optional<int> max_source_length = {};  ///< default: that of the training
  std::optional<int> max_output_length = {};  ///< see RunConfig::max_output_length()
  int threads = attune::threads();
};

std::vector<Field> fields(TranslateOptions& options);

/// A model's output for a source.
struct Translation {
  std::string text;  ///< with a mark at the end if it was cut off; see marked_text()
  Alignment alignment;
};

/// Translates sources one by one with a trained model:
///
///     Translator translate({.run = "runs/words"});
///     fmt::print("{}\n", translate("attention").text);
///     translate.warn_of_all();
class Translator {
 public:
  /// Errors: as load_run(); an option out of its range.
  explicit Translator(TranslateOptions options);

  /// Errors: BadLine, if the source has no tokens, has too many, or is not UTF-8.
  Translation operator()(const std::string& source);

  /// Warns on standard error of unknown tokens in all sources so far, and of outputs that were cut
  /// off.
  void warn_of_all() const;

  const Run& run() const { return run_; }

 private:
  TranslateOptions options_;
  Run run_;
  UnknownTokens unknown_;
  std::int64_t outputs_ = 0, unfinished_ = 0;
};

}  // namespace attune
