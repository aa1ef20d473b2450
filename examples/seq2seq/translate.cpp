#include <cstdio>
#include <filesystem>
#include <iostream>
#include <string>

#include "attune/train/files.h"
#include "commands.h"
#include "run.h"
#include "terminal.h"

namespace seq2seq {
namespace {

// a.svg, a-2.svg, a-3.svg, ...
std::string numbered(const std::string& file, int number) {
  if (number == 1) return file;
  const std::filesystem::path path(file);
  const std::string name =
      fmt::format("{}-{}{}", path.stem().string(), number, path.extension().string());
  return (path.parent_path() / name).string();
}

// Translates one source after the other and shows each at once, so that another program can write
// a line and wait for the answer.
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

  void operator()(const std::string& line, const std::string& where) {
    std::vector<std::string> unknown;
    const std::vector<std::vector<int>> sources = {encode_source(run_, line, where, &unknown)};
    warn_of_unknown(unknown);
    const attune::Hypothesis found =
        attune::greedy_search(*run_.model, sources, run_.config.max_target_length).front();
    const attune::Alignment alignment = alignment_of(run_, sources.front(), found);
    show(line, run_.target.decode(found.tokens), alignment);
  }

 private:
  void show(const std::string& source, const std::string& target,
            const attune::Alignment& alignment) {
    fmt::print("{}{}{}\n", target, options_.alignment ? "\t" : "",
               options_.alignment ? attune::to_moses(alignment) : "");
    if (options_.heatmap)
      fmt::print("\n{}\n", attune::to_terminal(alignment, terminal_color(), terminal_columns()));
    ATTUNE_CHECK(std::fflush(stdout) == 0, "cannot write to standard output");
    if (!options_.svg.empty())
      attune::write_file_atomically(numbered(options_.svg, ++pictures_),
                                    attune::to_svg(alignment, source + " → " + target));
  }

  const TranslateOptions& options_;
  Run run_;
  int pictures_ = 0;
};

}  // namespace

int translate(const TranslateOptions& options) {
  attune::set_threads(options.threads);
  Translator translator(options);
  for (std::size_t i = 0; i < options.sources.size(); ++i)
    translator(options.sources[i], fmt::format("argument {}", i + 1));
  if (!options.sources.empty()) return 0;

  std::string line;
  for (int number = 1; std::getline(std::cin, line); ++number) {
    if (line.ends_with('\r')) line.pop_back();
    translator(line, fmt::format("standard input, line {}", number));
  }
  return 0;
}

}  // namespace seq2seq
