#include "attune/train/evaluation.h"

#include <algorithm>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>

#include "attune/data/lines.h"
#include "attune/data/messages.h"
#include "attune/train/questions.h"
#include "attune/train/run.h"

namespace attune {
namespace {

constexpr std::int64_t kTaskQuestions = 2000;

std::vector<Question> questions_for(const Run& run, const TestOptions& options, BadLines& bad,
                                    UnknownTokens& unknown) {
  const RunConfig& config = run.config;
  const bool wants_lengths = options.min_length || options.max_length;
  if (!options.data.empty()) {
    ATTUNE_CHECK(!wants_lengths,
                 "{} and {} are for synthetic tasks, not {}; its sources may have {} tokens",
                 option_name("min_length"), option_name("max_length"), option_name("data"),
                 option_name("max_source_length"));
    return read_questions(run,
                          {.path = options.data,
                           .max_length = options.max_source_length.value_or(config.max_length),
                           .count = options.count,
                           .seed = options.seed},
                          bad, &unknown);
  }
  ATTUNE_CHECK(!config.task.empty(),
               "'{}' was trained on a file of pairs; name one to test on with {}", run.folder,
               option_name("data"));
  ATTUNE_CHECK(!options.max_source_length,
               "{} is for {}; {} and {} set the lengths of a synthetic task's sources",
               option_name("max_source_length"), option_name("data"), option_name("min_length"),
               option_name("max_length"));
  const int min_length = options.min_length.value_or(config.min_length);
  const int max_length = options.max_length.value_or(config.max_length);
  ATTUNE_CHECK(min_length <= max_length, "{} {} is more than {} {}", option_name("min_length"),
               min_length, option_name("max_length"), max_length);
  return make_questions(run, Split::test, options.count.value_or(kTaskQuestions), options.seed,
                        min_length, max_length);
}

// `text` for a cell of a table with TABs between columns: without TABs and line ends.
std::string cell(std::string text) {
  for (char& byte : text)
    if (byte == '\t' || byte == '\n' || byte == '\r') byte = ' ';
  return text;
}

std::string outputs_of(const Run& run, std::span<const Question> questions,
                       std::span<const Hypothesis> answers) {
  std::string table = "source\treference\toutput\tscore\tstatus\n";
  for (std::size_t i = 0; i < questions.size(); ++i) {
    const auto& [text, source, references, truth, equal_tokens_are_one] = questions[i];
    if (source.empty()) {
      table += fmt::format("{}\t{}\t\t\tskipped\n", cell(text.source),
                           text.targets.empty() ? "" : cell(text.targets.front()));
      continue;
    }
    const std::vector<int>& output = answers[i].tokens;
    const std::size_t best = closest(output, references);
    const std::vector<int>& reference = references[best];
    const std::size_t longer = std::max({output.size(), reference.size(), std::size_t{1}});
    const double score = 1 - edit_distance(output, reference) / static_cast<double>(longer);
    table += fmt::format("{}\t{}\t{}\t{:.4f}\t{}\n", cell(text.source), cell(text.targets[best]),
                         cell(run.target.decode(output)), score,
                         answers[i].finished ? "finished" : "unfinished");
  }
  return table;
}

}  // namespace

std::vector<Field> fields(TestOptions& o) {
  constexpr Range kFrom1 = {.low = 1};
  std::vector<Field> list = {
      trained_run_field(o.run),
      {.name = "data",
       .value = &o.data,
       .help = "pairs to test on, one a line: source TAB target; where a source has several "
               "targets the closest counts; - reads standard input",
       .content = "FILE"},
      {.name = "count",
       .value = &o.count,
       .help = "sources to test on; 2000 of a task by default; of `data` a random sample, by "
               "default all",
       .range = kFrom1},
      {.name = "seed",
       .value = &o.seed,
       .help = "which examples of the task, or which sample of `data`"},
      {.name = "min_length",
       .value = &o.min_length,
       .help = "fewest letters of the task's sources; as in training by default",
       .range = kFrom1},
      {.name = "max_length",
       .value = &o.max_length,
       .help = "most letters of the task's sources, can exceed that of training; as in training by "
               "default",
       .range = kFrom1},
      max_source_length_field(o.max_source_length),
      max_output_length_field(o.max_output_length),
  };
  for (Field& field : beam_fields(o.search)) list.push_back(std::move(field));
  list.push_back(threads_field(o.threads));
  return list;
}

std::string Evaluation::json() const {
  nlohmann::ordered_json json = {
      {"sequences", scores.sequences()},
      {"sequence_accuracy", scores.sequence_accuracy()},
      {"token_accuracy", scores.token_accuracy()},
      {"token_error_rate", scores.token_error_rate()},
      {"alignment_accuracy", nullptr},
      {"unfinished", unfinished},
      {"skipped", skipped},
      {"unknown_tokens", unknown_tokens},
  };
  if (const auto accuracy = scores.alignment_accuracy()) json["alignment_accuracy"] = *accuracy;
  return json.dump() + "\n";
}

std::string Evaluation::table() const {
  std::string text;
  const auto number = [&](const char* name, std::int64_t count) {
    text += fmt::format("{:<19} {:>6}\n", name, count);
  };
  const auto percent = [&](const char* name, double share) {
    text += fmt::format("{:<19} {:6.2f}%\n", name, 100 * share);
  };
  number("sequences", scores.sequences());
  percent("sequence accuracy", scores.sequence_accuracy());
  percent("token accuracy", scores.token_accuracy());
  percent("token error rate", scores.token_error_rate());
  if (const auto accuracy = scores.alignment_accuracy()) percent("alignment accuracy", *accuracy);
  number("unfinished outputs", unfinished);
  if (skipped > 0) number("skipped lines", skipped);
  return text;
}

Evaluation evaluate(const TestOptions& given) {
  TestOptions options = given;
  check_values(fields(options));
  set_threads(options.threads);
  const Run run = load_run(options.run);
  BadLines bad(options.data, "error", BadLines::OnMalformed::skip);
  UnknownTokens unknown;
  const std::vector<Question> questions = questions_for(run, options, bad, unknown);
  warn_of_unknown(unknown);

  const std::vector<Hypothesis> answers =
      answers_to(run, questions, options.max_output_length, options.search);
  Evaluation result{.scores = score(run, questions, answers),
                    .skipped = bad.count(),
                    .unknown_tokens = unknown.occurrences(),
                    .skipped_summary = bad.summary(),
                    .outputs = outputs_of(run, questions, answers)};
  for (std::size_t i = 0; i < questions.size(); ++i)
    result.unfinished += !questions[i].source.empty() && !answers[i].finished;
  return result;
}

}  // namespace attune
