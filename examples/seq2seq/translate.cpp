#include <cstdio>
#include <filesystem>
#include <iostream>
#include <string>

#include "attune/data/files.h"
#include "attune/data/lines.h"
#include "attune/data/messages.h"
#include "attune/train/progress.h"
#include "attune/train/run.h"
#include "commands.h"

namespace seq2seq {

using namespace attune;

namespace {

// a.svg, a-2.svg, a-3.svg, ...
std::string numbered(const std::string& file, std::int64_t number) {
  if (number == 1) return file;
  const std::filesystem::path path(file);
  const std::string name =
      fmt::format("{}-{}{}", path.stem().string(), number, path.extension().string());
  return (path.parent_path() / name).string();
}

// Translates one source after the other and shows each at once, so that another program can write
// a line and wait for the answer. A source that has none gets an empty line.
class Translator {
 public:
  explicit Translator(const TranslateOptions& options)
      : options_(options), run_(load_run(options.run)) {
    const bool wants_alignment = options.alignment || options.heatmap || !options.svg.empty();
    ATTUNE_CHECK(!wants_alignment || run_.config.model.has_attention(),
                 "the model in '{}' has no attention (it was trained with --attention none), so it "
                 "looks nowhere: --alignment, --heatmap and --svg have nothing to show",
                 options.run);
  }

  void operator()(const std::string& line, const std::string& place) {
    ++sources_;
    std::vector<std::vector<int>> source(1);
    Hypothesis found;
    try {
      source[0] = encode_source(
          run_, line, options_.max_source_length.value_or(run_.config.max_length), &unknown_);
      found = answer(run_, source, options_.max_output_length).front();
    } catch (const Error& error) {
      ++unanswered_;
      fmt::print(stderr, "seq2seq: error: {}: {}\n", place, utf8::printable(error.what()));
      fmt::print("\n");
      flush();
      return;
    }
    unfinished_ += !found.finished;
    show(line, marked_text(run_, found), alignment_of(run_, source.front(), found));
  }

  // Reports on all sources together; returns the exit code.
  int finish() const {
    warn_of_unknown(unknown_);
    warn_of_unfinished(unfinished_, sources_ - unanswered_);
    if (unanswered_ == 0) return 0;
    fmt::print(stderr, "seq2seq: error: {} of {} sources could not be translated\n", unanswered_,
               sources_);
    return kSomeLinesFailed;
  }

 private:
  void show(const std::string& source, const std::string& target, const Alignment& alignment) {
    fmt::print("{}{}{}\n", shown(target), options_.alignment ? "\t" : "",
               options_.alignment ? to_moses(alignment) : "");
    if (options_.heatmap)
      fmt::print("\n{}\n",
                 to_terminal(alignment, terminal_color(stdout), columns_of_terminal(stdout)));
    flush();
    if (!options_.svg.empty())
      write_file_atomically(numbered(options_.svg, sources_),
                            to_svg(alignment, alignment_title(source, target)));
  }

  static void flush() { ATTUNE_CHECK(std::fflush(stdout) == 0, "cannot write to standard output"); }

  const TranslateOptions& options_;
  Run run_;
  UnknownTokens unknown_;
  std::int64_t sources_ = 0, unanswered_ = 0, unfinished_ = 0;
};

}  // namespace

int translate(const TranslateOptions& options) {
  set_threads(options.threads);
  Translator translator(options);
  for (std::size_t i = 0; i < options.sources.size(); ++i)
    translator(options.sources[i], fmt::format("argument {}", i + 1));
  if (options.sources.empty()) {
    utf8::LineReader lines(std::cin, name_of_input("-"));
    for (std::string line; lines.next(line);) translator(line, place_of("-", lines.number()));
  }
  return translator.finish();
}

}  // namespace seq2seq
