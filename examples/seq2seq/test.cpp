#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "attune/data/files.h"
#include "attune/data/lines.h"
#include "attune/data/messages.h"
#include "attune/train/questions.h"
#include "attune/train/run.h"
#include "commands.h"

namespace seq2seq {

using namespace attune;

namespace {

constexpr std::int64_t kTaskQuestions = 2000;

std::vector<Question> questions_for(const Run& run, const TestOptions& options, BadLines& bad,
                                    UnknownTokens& unknown) {
  const RunConfig& config = run.config;
  const bool wants_lengths = options.min_length || options.max_length;
  if (!options.data.empty()) {
    ATTUNE_CHECK(!wants_lengths,
                 "--min-length and --max-length are for synthetic tasks, not --data; its sources "
                 "may have --max-source-length tokens");
    return read_questions(run,
                          {.path = options.data,
                           .max_length = options.max_source_length.value_or(config.max_length),
                           .count = options.count,
                           .seed = options.seed},
                          bad, &unknown);
  }
  ATTUNE_CHECK(!config.task.empty(),
               "'{}' was trained on a file of pairs; name one to test on with --data", run.folder);
  ATTUNE_CHECK(!options.max_source_length,
               "--max-source-length is for --data; how long the sources of a synthetic task are is "
               "up to --min-length and --max-length");
  const int min_length = options.min_length.value_or(config.min_length);
  const int max_length = options.max_length.value_or(config.max_length);
  ATTUNE_CHECK(min_length <= max_length, "--min-length {} is more than --max-length {}", min_length,
               max_length);
  return make_questions(run, Split::test, options.count.value_or(kTaskQuestions), options.seed,
                        min_length, max_length);
}

// How a test went.
struct Report {
  Scores scores;
  std::int64_t unfinished = 0;      // answers that were cut
  std::int64_t skipped = 0;         // lines that could not be asked
  std::int64_t unknown_tokens = 0;  // in the sources
};

void print_json(const Report& report, std::FILE* out) {
  const Scores& scores = report.scores;
  nlohmann::ordered_json json = {
      {"sequences", scores.sequences()},
      {"sequence_accuracy", scores.sequence_accuracy()},
      {"token_accuracy", scores.token_accuracy()},
      {"token_error_rate", scores.token_error_rate()},
      {"alignment_accuracy", nullptr},
      {"unfinished", report.unfinished},
      {"skipped", report.skipped},
      {"unknown_tokens", report.unknown_tokens},
  };
  if (const auto accuracy = scores.alignment_accuracy()) json["alignment_accuracy"] = *accuracy;
  fmt::print(out, "{}\n", json.dump());
}

void print_table(const Report& report, std::FILE* out) {
  const Scores& scores = report.scores;
  const auto number = [&](const char* name, std::int64_t count) {
    fmt::print(out, "{:<19} {:>6}\n", name, count);
  };
  const auto percent = [&](const char* name, double share) {
    fmt::print(out, "{:<19} {:6.2f}%\n", name, 100 * share);
  };
  number("sequences", scores.sequences());
  percent("sequence accuracy", scores.sequence_accuracy());
  percent("token accuracy", scores.token_accuracy());
  percent("token error rate", scores.token_error_rate());
  if (const auto accuracy = scores.alignment_accuracy()) percent("alignment accuracy", *accuracy);
  number("unfinished outputs", report.unfinished);
  if (report.skipped > 0) number("skipped lines", report.skipped);
}

// Text within a table of tabs and lines.
std::string field(std::string text) {
  for (char& byte : text)
    if (byte == '\t' || byte == '\n' || byte == '\r') byte = ' ';
  return text;
}

// A line for each question: source, closest reference, output, score and what became of it. The
// score is 1 for an output that is right, else the less the more tokens have to be changed.
std::string table_of(const Run& run, std::span<const Question> questions,
                     std::span<const Hypothesis> answers) {
  std::string table = "source\treference\toutput\tscore\tstatus\n";
  for (std::size_t i = 0; i < questions.size(); ++i) {
    const auto& [text, source, references, truth, equal_tokens_are_one] = questions[i];
    if (source.empty()) {
      table += fmt::format("{}\t{}\t\t\tskipped\n", field(text.source),
                           text.targets.empty() ? "" : field(text.targets.front()));
      continue;
    }
    const std::vector<int>& output = answers[i].tokens;
    const std::size_t closest = attune::closest(output, references);
    const std::vector<int>& reference = references[closest];
    const std::size_t longer = std::max({output.size(), reference.size(), std::size_t{1}});
    const double score = 1 - edit_distance(output, reference) / static_cast<double>(longer);
    table += fmt::format("{}\t{}\t{}\t{:.4f}\t{}\n", field(text.source),
                         field(text.targets[closest]), field(run.target.decode(output)), score,
                         answers[i].finished ? "finished" : "unfinished");
  }
  return table;
}

// Errors: a path that nothing can be written to. It is better to know before the test.
void check_output(const std::string& path) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  ATTUNE_CHECK(!std::filesystem::is_directory(path), "--output: '{}' is a folder; expected a file",
               path);
  ATTUNE_CHECK(folder.empty() || std::filesystem::is_directory(folder),
               "--output: there is no folder '{}'", folder.string());
}

}  // namespace

int test(const TestOptions& options) {
  set_threads(options.threads);
  const bool prints_outputs = options.output == "-";
  if (!options.output.empty() && !prints_outputs) check_output(options.output);
  const Run run = load_run(options.run);
  BadLines bad(options.data, "error", BadLines::OnMalformed::skip);
  UnknownTokens unknown;
  const std::vector<Question> questions = questions_for(run, options, bad, unknown);
  warn_of_unknown(unknown);

  const std::vector<Hypothesis> answers = answers_to(run, questions, options.max_output_length);
  Report report{.scores = score(run, questions, answers),
                .skipped = bad.count(),
                .unknown_tokens = unknown.occurrences()};
  for (std::size_t i = 0; i < questions.size(); ++i)
    report.unfinished += !questions[i].source.empty() && !answers[i].finished;

  if (prints_outputs) fmt::print("{}", shown(table_of(run, questions, answers)));
  std::FILE* out = prints_outputs ? stderr : stdout;
  options.json ? print_json(report, out) : print_table(report, out);
  if (!options.output.empty() && !prints_outputs)
    write_file_atomically(options.output, table_of(run, questions, answers));
  if (bad.count() == 0) return 0;
  fmt::print(stderr, "seq2seq: error: {} of {} could not be tested on: {}\n",
             lines_text(bad.count()), name_of_input(options.data), bad.summary());
  return kSomeLinesFailed;
}

}  // namespace seq2seq
