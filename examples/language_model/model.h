#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "attune/data/vocabulary.h"
#include "attune/models/seq2seq.h"
#include "options.h"

namespace language_model {

/// A text as lines, each with its line feed.
struct Text {
  std::vector<std::string> lines;

  std::int64_t characters() const;
  /// Errors: no tokens.
  std::vector<int> encode(const attune::Vocabulary& vocabulary) const;
};

/// Reads a file, or standard input if the path is "-". Errors: it cannot be read, is empty, or a
/// line is not UTF-8 (the message gives the line).
Text read_text(const std::string& path);

/// A model and everything that belongs to it: the content of a run folder.
struct LanguageModel {
  std::string folder;
  TrainCommand options;
  attune::Vocabulary tokens;
  std::shared_ptr<attune::Seq2Seq> model;

  std::string file(std::string_view name) const { return folder + "/" + std::string(name); }
};

/// The model that the options describe, with initial parameters.
LanguageModel make_language_model(const TrainCommand& options, attune::Vocabulary tokens);

/// Writes the options and the vocabulary. Errors: a file cannot be written.
void save_description(const LanguageModel& run);
/// The options of the run in `folder`. Errors: there is none, or its options are damaged.
TrainCommand load_options(const std::string& folder);
/// Reads a run folder. Errors: it is missing, incomplete or damaged.
LanguageModel load_language_model(const std::string& folder);

/// How well a model predicts a text.
struct Fit {
  double nats = 0;  ///< minus the log-probability of all tokens
  std::int64_t tokens = 0;

  double loss() const { return nats / static_cast<double>(tokens); }
  double perplexity() const;  ///< of a token: exp(loss)
  double bits_per_character(const Text& text) const;
};

/// Measures all of `text`, in windows that overlap by half; see attune::overlapping_windows().
Fit fit(const LanguageModel& run, std::span<const int> text);

}  // namespace language_model
