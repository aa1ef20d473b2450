#include <cstdio>
#include <string>
#include <vector>

#include "attune/data/files.h"
#include "attune/data/input_lines.h"
#include "attune/data/lines.h"
#include "attune/data/messages.h"
#include "attune/train/progress.h"
#include "commands.h"

namespace seq2seq {

using namespace attune;

namespace {

void flush() { ATTUNE_CHECK(std::fflush(stdout) == 0, "cannot write to standard output"); }

// Translates lines in order. For one that cannot be translated, an empty line is printed.
class LineTranslator {
 public:
  explicit LineTranslator(const TranslateCommand& command)
      : command_(command), translate_(command.options) {
    const bool wants_alignment = command.alignment || command.heatmap || !command.svg.empty();
    ATTUNE_CHECK(!wants_alignment || translate_.run().config.model.has_attention(),
                 "the model in '{}' has no attention (it was trained with --attention none), so "
                 "--alignment, --heatmap and --svg have nothing to show",
                 command.options.run);
  }

  void operator()(const std::vector<InputLine>& lines) {
    std::vector<std::string> sources;
    for (const InputLine& line : lines) sources.push_back(line.text);
    const std::vector<Translations> found = translate_.all(sources);
    for (std::size_t i = 0; i < lines.size(); ++i) {
      ++lines_;
      if (found[i].fault.empty()) {
        show(lines[i].text, found[i].best);
        continue;
      }
      ++failed_;
      fmt::print(stderr, "seq2seq: error: {}: {}\n", lines[i].place,
                 utf8::printable(found[i].fault));
      fmt::print("\n");
    }
    flush();
    speed_.update(lines_, translate_.tokens());
  }

  void show_speed() { speed_.finish(); }

  // Returns the exit code.
  int finish() const {
    translate_.warn_of_all();
    if (failed_ == 0) return 0;
    fmt::print(stderr, "seq2seq: error: {} of {} sources could not be translated\n", failed_,
               lines_);
    return kSomeLinesFailed;
  }

 private:
  void show(const std::string& source, const std::vector<Translation>& best) {
    for (const auto& [text, alignment, copied, log_probability, score] : best)
      fmt::print(
          "{}{}{}{}\n",
          command_.options.search.n_best > 1 ? fmt::format("{}\t{:.6f}\t", lines_, score) : "",
          shown(text), command_.alignment ? "\t" : "",
          command_.alignment ? to_moses(alignment_of_words(translate_.run(), alignment)) : "");
    const Translation& first = best.front();
    if (command_.heatmap)
      fmt::print("\n{}\n", to_terminal(first.alignment, terminal_color(stdout),
                                       size_of_terminal(stdout).columns));
    if (command_.svg.empty()) return;
    flush();
    write_file_atomically(numbered_file(command_.svg, lines_),
                          to_svg(first.alignment, alignment_title(source, first.text)));
  }

  const TranslateCommand& command_;
  Translator translate_;
  SpeedReport speed_;
  std::int64_t lines_ = 0, failed_ = 0;
};

}  // namespace

int run(const TranslateCommand& command) {
  LineTranslator translate(command);
  if (!command.sources.empty()) {
    std::vector<InputLine> lines;
    for (const std::string& source : command.sources)
      lines.push_back({source, fmt::format("argument {}", lines.size() + 1)});
    translate(lines);
    return translate.finish();
  }
  // Enough at a time for the batches of all threads to be of about one length.
  InputLines input(std::int64_t{8} * command.options.search.batch_size * command.options.threads);
  for (auto lines = input.next(); !lines.empty(); lines = input.next()) translate(lines);
  if (!input.is_terminal()) translate.show_speed();
  return translate.finish();
}

}  // namespace seq2seq
