#include "attune/train/evaluation.h"

#include <algorithm>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>

#include "attune/data/lines.h"
#include "attune/data/messages.h"
#include "attune/train/run.h"

namespace attune {
namespace {

constexpr std::int64_t kTaskQuestions = 2000;

std::vector<Question> questions_for(const Run& run, const TestOptions& options, BadLines& bad,
                                    UnknownTokens& unknown) {
  const RunConfig& config = run.config;
  const bool wants_lengths = options.min_length || options.max_length;
  const PairFiles files = options.pairs();
  ATTUNE_CHECK(options.reference_alignment.empty() || !files.empty(),
               "{} is for the pairs of {}; a synthetic task has a reference alignment of its own",
               option_name("reference_alignment"), option_name("data"));
  if (!files.empty()) {
    ATTUNE_CHECK(!wants_lengths, "{} and {} are for synthetic tasks; with {} use {}",
                 option_name("min_length"), option_name("max_length"), option_name("data"),
                 option_name("max_source_length"));
    return read_questions(run,
                          {.files = files,
                           .max_length = options.max_source_length.value_or(config.max_length),
                           .count = options.count,
                           .seed = options.seed,
                           .reference_alignment = options.reference_alignment},
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

double share_of(std::int64_t part, std::int64_t whole) {
  return static_cast<double>(part) / static_cast<double>(whole);
}

// `text` for a cell of a table with TABs between columns: without TABs and line ends.
std::string cell(std::string text) {
  for (char& byte : text)
    if (byte == '\t' || byte == '\n' || byte == '\r') byte = ' ';
  return text;
}

std::string outputs_of(const Run& run, std::span<const Question> questions,
                       std::span<const Answer> answers) {
  std::string table = "source\treference\toutput\tscore\tstatus\n";
  for (std::size_t i = 0; i < questions.size(); ++i) {
    const auto& [text, source, references, truth, alignments] = questions[i];
    if (source.empty()) {
      table += fmt::format("{}\t{}\t\t\tskipped\n", cell(text.source),
                           text.targets.empty() ? "" : cell(text.targets.front()));
      continue;
    }
    const std::vector<int>& output = answers[i].output.tokens;
    const std::size_t best = closest(output, references);
    const std::vector<int>& reference = references[best];
    const std::size_t longer = std::max({output.size(), reference.size(), std::size_t{1}});
    const double score = 1 - edit_distance(output, reference) / static_cast<double>(longer);
    table += fmt::format("{}\t{}\t{}\t{:.4f}\t{}\n", cell(text.source), cell(text.targets[best]),
                         cell(target_text(run, output, text.source)), score,
                         answers[i].output.finished ? "finished" : "unfinished");
  }
  return table;
}

void count_unknown_targets(const Run& run, std::span<const Question> questions,
                           std::span<const Answer> answers, Evaluation& result) {
  for (std::size_t i = 0; i < questions.size(); ++i) {
    if (questions[i].source.empty()) continue;
    std::vector<int> left = answers[i].output.tokens;
    for (const int id : questions[i].references[closest(left, questions[i].references)]) {
      if (id >= 0 && id < run.target.size()) continue;
      ++result.unknown_targets;
      const auto place = std::find(left.begin(), left.end(), id);
      if (place == left.end()) continue;
      ++result.unknown_targets_right;
      left.erase(place);
    }
  }
}

// What another run writes for the sources of `texts`.
std::vector<TextOutput> others_of(const Run& other, std::vector<TextOutput> texts,
                                  const TestOptions& options) {
  std::vector<std::vector<int>> sources;
  for (const TextOutput& text : texts) {
    sources.push_back(other.copies_tokens() ? words_of(other, text.source).source()
                                            : other.source.encode(text.source));
    ATTUNE_CHECK(!sources.back().empty(), "{}: '{}' reads no token in the source '{}'",
                 option_name("compare"), other.folder, utf8::printable(text.source));
  }
  const std::vector<Hypothesis> found =
      answer(other, sources, options.max_output_length, options.search);
  for (std::size_t i = 0; i < texts.size(); ++i)
    texts[i].output = target_text(other, found[i].tokens, texts[i].source);
  return texts;
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
      {.name = "source",
       .value = &o.source,
       .help = "sources to test on instead, one a line; their targets are in `reference`",
       .content = "FILE",
       .stands_for = "data",
       .excludes = {"data"}},
      reference_alignment_field(o.reference_alignment, "data"),
      {.name = "count",
       .value = &o.count,
       .help = "number of sources to test on: by default 2000 of a task, or all of `data`; fewer "
               "are a random sample",
       .range = kFrom1},
      {.name = "seed",
       .value = &o.seed,
       .help = "which examples of the task, or which sample of `data`"},
      {.name = "min_length",
       .value = &o.min_length,
       .help = "fewest letters of the task's sources; by default as in training",
       .range = kFrom1},
      {.name = "max_length",
       .value = &o.max_length,
       .help = "most letters of the task's sources; may be more than in training, which is the "
               "default",
       .range = kFrom1},
      max_source_length_field(o.max_source_length),
      max_output_length_field(o.max_output_length),
  };
  for (Field& field : beam_fields(o.search)) list.push_back(std::move(field));
  list.push_back(
      {.name = "metrics",
       .value = &o.metrics,
       .help = fmt::format("metrics of the outputs as texts, with commas between them and "
                           "options after a colon: {}; rouge stands for rouge1, rouge2 and rougeL",
                           joined(text_metrics().names())),
       .content = "NAME,..."});
  list.push_back({.name = "compare",
                  .value = &o.compare,
                  .help = "another run folder, whose outputs for the same sources are scored too; "
                          "shows the differences and whether they are significant",
                  .content = "DIR",
                  .needs = "metrics"});
  list.push_back(threads_field(o.threads));
  return list;
}

namespace {

void check_files(const TestOptions& options) {
  const auto fail_option = [](std::string_view name, const std::string& reason) {
    throw OptionError(fmt::format("{}: {}", option_name(name), reason));
  };
  if (!options.source.empty() && !options.data.empty())
    fail_option("source", fmt::format("it excludes {}", option_name("data")));
  if (!options.source.empty() && options.references.empty())
    fail_option("source", fmt::format("it needs {}, a file with the target of each line",
                                      option_name("reference")));
  if (!options.references.empty() && options.source.empty())
    fail_option("reference", fmt::format("it needs {}", option_name("source")));
  if (options.references.size() > 1 && !options.reference_alignment.empty())
    fail_option("reference_alignment", "it is of one target a source; expected one file of them");
  const std::vector<std::string> paths = options.pairs().paths();
  if (std::count(paths.begin(), paths.end(), "-") > 1)
    fail_option("reference", "several files are -, standard input; expected one at most");
}

}  // namespace

void check(const TestOptions& given) {
  TestOptions options = given;
  check_values(fields(options));
  check_files(options);
  if (options.metrics.empty()) {
    if (!options.compare.empty())
      throw OptionError(
          fmt::format("{}: it needs {}", option_name("compare"), option_name("metrics")));
    return;
  }
  try {
    make_text_metrics(options.metrics);
  } catch (const Error& error) {
    throw OptionError(fmt::format("{}: {}", option_name("metrics"), error.what()));
  }
}

std::string Evaluation::json() const {
  nlohmann::ordered_json json = {
      {"sequences", measures.scores.sequences()},
      {"sequence_accuracy", measures.scores.sequence_accuracy()},
      {"token_accuracy", measures.scores.token_accuracy()},
      {"token_error_rate", measures.scores.token_error_rate()},
  };
  for (const auto& [name, is_share, value] : measures.of_attention())
    json[name] = value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json();
  json["unfinished"] = unfinished;
  json["skipped"] = skipped;
  json["unknown_tokens"] = unknown_tokens;
  if (unknown_targets > 0) {
    json["unknown_target_tokens"] = unknown_targets;
    json["unknown_target_token_recall"] = share_of(unknown_targets_right, unknown_targets);
  }
  if (!text_scores.empty())
    json["metrics"] = nlohmann::ordered_json::parse(text_score_json(text_scores));
  return json.dump() + "\n";
}

std::string Evaluation::table() const {
  std::string text;
  const auto number = [&](const char* name, std::int64_t count) {
    text += fmt::format("{:<21} {:>6}\n", name, count);
  };
  const auto percent = [&](std::string_view name, double share) {
    text += fmt::format("{:<21} {:6.2f}%\n", name, 100 * share);
  };
  number("sequences", measures.scores.sequences());
  percent("sequence accuracy", measures.scores.sequence_accuracy());
  percent("token accuracy", measures.scores.token_accuracy());
  percent("token error rate", measures.scores.token_error_rate());
  for (auto& [name, is_share, value] : measures.of_attention()) {
    if (!value) continue;
    std::replace(name.begin(), name.end(), '_', ' ');
    if (is_share)
      percent(name, *value);
    else
      text += fmt::format("{:<21} {:8.4f}\n", name, *value);
  }
  number("unfinished outputs", unfinished);
  if (skipped > 0) number("skipped lines", skipped);
  if (unknown_targets > 0) {
    number("unknown target tokens", unknown_targets);
    percent("of these right", share_of(unknown_targets_right, unknown_targets));
  }
  if (!text_scores.empty())
    text += fmt::format("\n{}", text_score_table(text_scores, compared_run));
  return text;
}

Evaluation evaluate(const TestOptions& options) {
  check(options);
  set_threads(options.threads);
  const Run run = load_run(options.run);
  const std::optional<Run> other =
      options.compare.empty() ? std::nullopt : std::optional(load_run(options.compare));
  BadLines bad(options.pairs().expected(), "error", BadLines::OnMalformed::skip);
  UnknownTokens unknown;
  const std::vector<Question> questions = questions_for(run, options, bad, unknown);
  warn_of_unknown(unknown);

  const std::vector<Answer> answers =
      answers_to(run, questions, options.max_output_length, options.search);
  Evaluation result{.measures = measure(run, questions, answers),
                    .skipped = bad.count(),
                    .unknown_tokens = unknown.occurrences(),
                    .skipped_summary = bad.summary(),
                    .outputs = outputs_of(run, questions, answers)};
  count_unknown_targets(run, questions, answers, result);
  for (std::size_t i = 0; i < questions.size(); ++i)
    result.unfinished += !questions[i].source.empty() && !answers[i].output.finished;
  if (options.metrics.empty()) return result;
  const std::vector<TextOutput> texts = texts_of(run, questions, answers);
  result.text_scores =
      score_texts(make_text_metrics(options.metrics), texts,
                  other ? others_of(*other, texts, options) : std::vector<TextOutput>());
  result.compared_run = options.compare;
  return result;
}

}  // namespace attune
