#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "attune/train/fields.h"
#include "attune/train/run.h"

namespace attune {

/// Options of a Translator.
struct TranslateOptions {
  std::string run = {};                       ///< the run folder
  std::optional<int> max_source_length = {};  ///< default: that of the training
  std::optional<int> max_output_length = {};  ///< see RunConfig::max_output_length()
  SearchOptions search = {.batch_size = 32};  ///< its `sampling` is set by `sample`
  bool sample = false;                        ///< sample outputs, by the next member
  SamplingOptions sampling = {.seed = 1};
  std::string prefix = {};   ///< what each output begins with
  bool mark_copied = false;  ///< see marked_text()
  int threads = attune::threads();
};

std::vector<Field> fields(TranslateOptions& options);

/// Errors: OptionError, if a value is out of its range, or options cannot be combined.
void check(const TranslateOptions& options);

/// A model's output for a source.
struct Translation {
  std::string text;  ///< with a mark at the end if it was cut off; see marked_text()
  Alignment alignment;
  std::vector<bool> copied;               ///< see Hypothesis
  double log_probability = 0, score = 0;  ///< see Hypothesis
};

/// The outputs for a source.
struct Translations {
  std::vector<Translation> best;  ///< search.n_best of them at most, the best first
  std::string fault;              ///< why there are none; otherwise empty
};

/// Translates sources with a trained model:
///
///     Translator translate({.run = "runs/words", .search = {.beam = 5}});
///     fmt::print("{}\n", translate("attention").text);
///     for (const Translations& found : translate.all(lines)) ...
///     translate.warn_of_all();
class Translator {
 public:
  /// Errors: as check() and load_run(); a prefix with unknown tokens, or longer
  /// than outputs may be; copied tokens are to be marked, but the model copies none.
  explicit Translator(TranslateOptions options);

  /// The best output for a source. Errors: BadLine, if the source has no tokens, has too many, or
  /// is not UTF-8; a logit that is NaN.
  Translation operator()(const std::string& source);

  /// The outputs for several sources, which are decoded in batches by several threads, with the
  /// same results as one by one. A source that cannot be translated has a fault instead.
  std::vector<Translations> all(std::span<const std::string> sources);

  /// Warns on standard error of unknown tokens in all sources so far, and of outputs that were cut
  /// off.
  void warn_of_all() const;

  /// The number of tokens of the best outputs so far.
  std::int64_t tokens() const { return tokens_; }

  const Run& run() const { return run_; }

 private:
  struct Place {
    std::string_view line;  // the source
    Translations* result;
  };
  void translate(std::span<const SearchInput> inputs, std::span<const Place> places);

  TranslateOptions options_;
  Run run_;
  std::vector<int> prefix_;
  UnknownTokens unknown_;
  std::int64_t sources_ = 0, outputs_ = 0, unfinished_ = 0, tokens_ = 0;
};

}  // namespace attune
