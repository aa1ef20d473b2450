#include "attune/train/translator.h"

#include <utility>

namespace attune {
namespace {

// Returns `options`. Errors: a value out of range.
TranslateOptions checked(TranslateOptions options) {
  check_values(fields(options));
  return options;
}

}  // namespace

std::vector<Field> fields(TranslateOptions& o) {
  return {
      trained_run_field(o.run),
      max_source_length_field(o.max_source_length),
      max_output_length_field(o.max_output_length),
      threads_field(o.threads),
  };
}

Translator::Translator(TranslateOptions options)
    : options_(checked(std::move(options))), run_(load_run(options_.run)) {
  set_threads(options_.threads);
}

Translation Translator::operator()(const std::string& source) {
  const int limit = options_.max_source_length.value_or(run_.config.max_length);
  const std::vector<std::vector<int>> sources = {encode_source(run_, source, limit, &unknown_)};
  const Hypothesis found = answer(run_, sources, options_.max_output_length).front();
  ++outputs_;
  unfinished_ += !found.finished;
  return {marked_text(run_, found), alignment_of(run_, sources.front(), found)};
}

void Translator::warn_of_all() const {
  warn_of_unknown(unknown_);
  warn_of_unfinished(unfinished_, outputs_);
}

}  // namespace attune
