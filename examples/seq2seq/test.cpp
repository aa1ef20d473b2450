#include <cstdio>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>

#include "commands.h"
#include "run.h"
#include "scoring.h"

namespace seq2seq {
namespace {

constexpr std::int64_t kTaskQuestions = 2000;

std::vector<Question> questions_for(const Run& run, const TestOptions& options) {
  const RunConfig& config = run.config;
  const bool wants_lengths = options.min_length || options.max_length;
  if (!options.data.empty()) {
    ATTUNE_CHECK(!wants_lengths,
                 "--min-length and --max-length are for synthetic tasks, not --data");
    return read_questions(run, options.data,
                          options.count.value_or(std::numeric_limits<std::int64_t>::max()));
  }
  ATTUNE_CHECK(!config.task.empty(),
               "'{}' was trained on a file of pairs; name one to test on with --data", run.folder);
  const int min_length = options.min_length.value_or(config.min_length);
  const int max_length = options.max_length.value_or(config.max_length);
  ATTUNE_CHECK(max_length <= config.max_length,
               "--max-length {} is more than the limit of {} that this model was trained with",
               max_length, config.max_length);
  ATTUNE_CHECK(min_length <= max_length, "--min-length {} is more than --max-length {}", min_length,
               max_length);
  return make_questions(run, attune::Split::test, options.count.value_or(kTaskQuestions),
                        options.seed, min_length, max_length);
}

void print_json(const attune::Scores& scores) {
  nlohmann::ordered_json json = {
      {"sequences", scores.sequences()},
      {"sequence_accuracy", scores.sequence_accuracy()},
      {"token_accuracy", scores.token_accuracy()},
      {"token_error_rate", scores.token_error_rate()},
      {"alignment_accuracy", nullptr},
  };
  if (const auto accuracy = scores.alignment_accuracy()) json["alignment_accuracy"] = *accuracy;
  fmt::print("{}\n", json.dump());
}

void print_table(const attune::Scores& scores) {
  const auto percent = [](const char* name, double share) {
    fmt::print("{:<19} {:6.2f}%\n", name, 100 * share);
  };
  fmt::print("{:<19} {:>6}\n", "sequences", scores.sequences());
  percent("sequence accuracy", scores.sequence_accuracy());
  percent("token accuracy", scores.token_accuracy());
  percent("token error rate", scores.token_error_rate());
  if (const auto accuracy = scores.alignment_accuracy()) percent("alignment accuracy", *accuracy);
}

}  // namespace

int test(const TestOptions& options) {
  attune::set_threads(options.threads);
  const Run run = load_run(options.run);
  const attune::Scores scores = score(run, questions_for(run, options));
  options.json ? print_json(scores) : print_table(scores);
  return 0;
}

}  // namespace seq2seq
