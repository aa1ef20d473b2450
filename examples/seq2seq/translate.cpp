#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

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

// Whether reading from standard input would not wait: there is input, or the end of it.
bool input_is_there() {
  pollfd input = {.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
  return ::poll(&input, 1, /*timeout=*/0) > 0;
}

double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

bool wants_alignment(const TranslateCommand& command) {
  return command.alignment || command.heatmap || !command.svg.empty();
}

TranslateOptions options_of(const TranslateCommand& command) {
  TranslateOptions options = command.options;
  options.search.weights = wants_alignment(command);
  return options;
}

// A source, and its place for messages.
struct Line {
  std::string source, place;
};

// Translates sources in order, as many at a time as are there.
class LineTranslator {
 public:
  explicit LineTranslator(const TranslateCommand& command)
      : command_(command), translate_(options_of(command)), begin_(seconds()), reported_(begin_) {
    ATTUNE_CHECK(!wants_alignment(command) || translate_.run().config.model.has_attention(),
                 "the model in '{}' has no attention (it was trained with --attention none), so it "
                 "looks nowhere: --alignment, --heatmap and --svg have nothing to show",
                 command.options.run);
  }

  void translate_arguments() {
    std::vector<Line> lines;
    for (const std::string& source : command_.sources)
      lines.push_back({source, fmt::format("argument {}", lines.size() + 1)});
    translate(lines);
  }

  // Another program may write one line and wait for its translation, so lines that are not there
  // yet are not waited for.
  void translate_input() {
    const bool is_terminal = ::isatty(STDIN_FILENO) == 1;
    utf8::LineReader reader(std::cin, name_of_input("-"));
    std::vector<Line> lines;
    std::exception_ptr failure;
    for (bool has_more = true; has_more;) {
      std::string line;
      try {
        has_more = reader.next(line);
      } catch (const Error&) {  // what was read before it is translated
        failure = std::current_exception();
        has_more = false;
      }
      if (has_more) lines.push_back({std::move(line), place_of("-", reader.number())});
      const bool waits = is_terminal || std::ssize(lines) >= most_at_a_time() || !input_is_there();
      if (has_more && !waits) continue;
      translate(lines);
      lines.clear();
      report_speed(/*at_end=*/false);
    }
    if (failure) std::rethrow_exception(failure);
    if (!is_terminal) report_speed(/*at_end=*/true);
  }

  // Returns the exit code.
  int finish() const {
    translate_.warn_of_all();
    if (failed_ == 0) return 0;
    fmt::print(stderr, "seq2seq: error: {} of {} sources could not be translated\n", failed_,
               sources_);
    return kSomeLinesFailed;
  }

 private:
  // Enough for the batches of all threads to be of about one length.
  std::int64_t most_at_a_time() const {
    return std::int64_t{8} * command_.options.search.batch_size * command_.options.threads;
  }

  void translate(const std::vector<Line>& lines) {
    std::vector<std::string> sources;
    for (const Line& line : lines) sources.push_back(line.source);
    const std::vector<Translations> found = translate_.all(sources);
    for (std::size_t i = 0; i < lines.size(); ++i) {
      ++sources_;
      if (found[i].fault.empty()) {
        show(lines[i].source, found[i].best);
        continue;
      }
      ++failed_;
      fmt::print(stderr, "seq2seq: error: {}: {}\n", lines[i].place,
                 utf8::printable(found[i].fault));
      fmt::print("\n");
    }
    flush();
  }

  void show(const std::string& source, const std::vector<Translation>& best) {
    for (const auto& [text, alignment, log_probability, score] : best)
      fmt::print(
          "{}{}{}{}\n",
          command_.options.search.n_best > 1 ? fmt::format("{}\t{:.6f}\t", sources_, score) : "",
          shown(text), command_.alignment ? "\t" : "",
          command_.alignment ? to_moses(alignment) : "");
    const Translation& first = best.front();
    if (command_.heatmap)
      fmt::print("\n{}\n",
                 to_terminal(first.alignment, terminal_color(stdout), columns_of_terminal(stdout)));
    if (command_.svg.empty()) return;
    flush();
    write_file_atomically(numbered(command_.svg, sources_),
                          to_svg(first.alignment, alignment_title(source, first.text)));
  }

  // Of what takes long: every ten seconds, and at the end.
  void report_speed(bool at_end) {
    constexpr double kEvery = 10, kLong = 1;
    constexpr std::int64_t kMany = 100;
    const double now = seconds(), taken = now - begin_;
    if (at_end ? taken < kLong && sources_ < kMany : now - reported_ < kEvery) return;
    reported_ = now;
    fmt::print(stderr, "seq2seq: {}: {:.1f} s, {:.1f} sentences/s, {:.0f} tokens/s\n",
               lines_text(sources_), taken, static_cast<double>(sources_) / taken,
               static_cast<double>(translate_.tokens()) / taken);
  }

  const TranslateCommand& command_;
  Translator translate_;
  double begin_, reported_;
  std::int64_t sources_ = 0, failed_ = 0;
};

}  // namespace

// For a source that cannot be translated, an empty line is printed.
int run(const TranslateCommand& command) {
  LineTranslator lines(command);
  if (command.sources.empty())
    lines.translate_input();
  else
    lines.translate_arguments();
  return lines.finish();
}

}  // namespace seq2seq
