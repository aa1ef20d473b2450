#include <cstdio>
#include <filesystem>
#include <iostream>
#include <string>

#include "attune/data/files.h"
#include "attune/data/lines.h"
#include "attune/data/messages.h"
#include "attune/train/progress.h"
#include "commands.h"

namespace seq2seq {

using namespace attune;

namespace {

// The file of picture `number`: a.svg, a-2.svg, a-3.svg, ...
std::string numbered(const std::string& file, std::int64_t number) {
  if (number == 1) return file;
  const std::filesystem::path path(file);
  const std::string name =
      fmt::format("{}-{}{}", path.stem().string(), number, path.extension().string());
  return (path.parent_path() / name).string();
}

void flush() { ATTUNE_CHECK(std::fflush(stdout) == 0, "cannot write to standard output"); }

void show(const TranslateCommand& command, const std::string& source, const Translation& found,
          std::int64_t number) {
  const auto& [text, alignment] = found;
  fmt::print("{}{}{}\n", shown(text), command.alignment ? "\t" : "",
             command.alignment ? to_moses(alignment) : "");
  if (command.heatmap)
    fmt::print("\n{}\n",
               to_terminal(alignment, terminal_color(stdout), columns_of_terminal(stdout)));
  flush();
  if (!command.svg.empty())
    write_file_atomically(numbered(command.svg, number),
                          to_svg(alignment, alignment_title(source, text)));
}

}  // namespace

// Prints each translation immediately, so that another program can write one line and wait for its
// translation. For a source that cannot be translated, an empty line is printed.
int run(const TranslateCommand& command) {
  Translator translate(command.options);
  const bool wants_alignment = command.alignment || command.heatmap || !command.svg.empty();
  ATTUNE_CHECK(!wants_alignment || translate.run().config.model.has_attention(),
               "the model in '{}' has no attention (it was trained with --attention none), so "
               "there is nothing to show with --alignment, --heatmap and --svg",
               command.options.run);

  std::int64_t sources = 0, failed = 0;
  const auto answer = [&](const std::string& source, const std::string& place) {
    ++sources;
    std::optional<Translation> found;
    try {
      found = translate(source);
    } catch (const Error& error) {
      ++failed;
      fmt::print(stderr, "seq2seq: error: {}: {}\n", place, utf8::printable(error.what()));
      fmt::print("\n");
      flush();
    }
    if (found) show(command, source, *found, sources);
  };
  for (const std::string& source : command.sources)
    answer(source, fmt::format("argument {}", sources + 1));
  if (command.sources.empty()) {
    utf8::LineReader lines(std::cin, name_of_input("-"));
    for (std::string line; lines.next(line);) answer(line, place_of("-", lines.number()));
  }

  translate.warn_of_all();
  if (failed == 0) return 0;
  fmt::print(stderr, "seq2seq: error: {} of {} sources could not be translated\n", failed, sources);
  return kSomeLinesFailed;
}

}  // namespace seq2seq
