#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <utility>

#include "attune/data/lines.h"
#include "attune/data/messages.h"
#include "attune/metrics/text_scores.h"
#include "commands.h"

namespace seq2seq {

using namespace attune;

namespace {

// Errors: a metric needs what is not given; several inputs are standard input.
void check_inputs(const ScoreCommand& command,
                  std::span<const std::shared_ptr<TextMetric>> metrics) {
  for (const std::shared_ptr<TextMetric>& metric : metrics) {
    ATTUNE_CHECK(metric->needs() != TextMetric::Needs::references || !command.references.empty(),
                 "--metrics: {} compares with correct texts; name a file of them with --reference",
                 metric->name());
    ATTUNE_CHECK(metric->needs() != TextMetric::Needs::source || !command.source.empty(),
                 "--metrics: {} compares with sources; name a file of them with --source",
                 metric->name());
  }
  const auto inputs = std::count(command.references.begin(), command.references.end(), "-") +
                      (command.output == "-") + (command.source == "-") + (command.compare == "-");
  ATTUNE_CHECK(inputs <= 1, "{} files are -, standard input; expected one at most", inputs);
}

// The lines of a file, of which there must be as many as outputs.
std::vector<std::string> lines_for(const ScoreCommand& command, std::size_t outputs,
                                   const std::string& path, const char* option) {
  std::vector<std::string> lines = read_text_lines(path, option);
  ATTUNE_CHECK(lines.size() == outputs, "{}: {} has {}, but {} has {}; expected as many",
               option_name(option), name_of_input(path), lines_text(std::ssize(lines)),
               name_of_input(command.output), lines_text(static_cast<std::int64_t>(outputs)));
  return lines;
}

}  // namespace

int run(const ScoreCommand& command) {
  const std::vector<std::shared_ptr<TextMetric>> metrics = make_text_metrics(command.metrics);
  check_inputs(command, metrics);
  std::vector<TextOutput> texts;
  for (std::string& line : read_text_lines(command.output, "output"))
    texts.push_back({.output = std::move(line), .references = {}, .source = {}});
  for (const std::string& path : command.references) {
    std::vector<std::string> lines = lines_for(command, texts.size(), path, "reference");
    for (std::size_t i = 0; i < texts.size(); ++i)
      texts[i].references.push_back(std::move(lines[i]));
  }
  if (!command.source.empty()) {
    std::vector<std::string> lines = lines_for(command, texts.size(), command.source, "source");
    for (std::size_t i = 0; i < texts.size(); ++i) texts[i].source = std::move(lines[i]);
  }
  std::vector<TextOutput> others;
  if (!command.compare.empty()) {
    std::vector<std::string> lines = lines_for(command, texts.size(), command.compare, "compare");
    others = texts;
    for (std::size_t i = 0; i < texts.size(); ++i) others[i].output = std::move(lines[i]);
  }
  const std::vector<TextScore> scores = score_texts(metrics, texts, others);
  if (command.json)
    fmt::print("{{\"texts\":{},\"metrics\":{}}}\n", texts.size(), text_score_json(scores));
  else
    fmt::print("{:<21} {:>6}\n\n{}", "texts", texts.size(),
               text_score_table(scores, command.compare));
  return 0;
}

}  // namespace seq2seq
