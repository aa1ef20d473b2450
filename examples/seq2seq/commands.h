#pragma once

#include <string>
#include <vector>

#include "attune/report/report.h"
#include "attune/train/evaluation.h"
#include "attune/train/train_options.h"
#include "attune/train/translator.h"

/// The subcommands, each with what the user chose. Each returns the program's exit code, and throws
/// attune::Error.
namespace seq2seq {

/// The exit code of a command that went through although some lines could not be used.
constexpr int kSomeLinesFailed = 3;

struct TestCommand {
  attune::TestOptions options;
  std::string output;  // a file of all outputs; empty: none
  bool json = false;
};

struct TranslateCommand {
  attune::TranslateOptions options;
  std::vector<std::string> sources;  // empty: the lines of standard input
  bool alignment = false, heatmap = false;
  std::string svg;
};

/// Writes a page that shows trainings.
struct ReportCommand {
  attune::ReportOptions options;
  std::string output;  // empty: a file in the first run folder
};

/// Lists all mechanisms of attention.
struct AttentionsCommand {
  bool json = false;
};

int run(const attune::TrainOptions& options);
int run(const TestCommand& command);
int run(const TranslateCommand& command);
int run(const ReportCommand& command);
int run(const AttentionsCommand& command);

/// The report in a run folder.
std::string report_file(const std::string& folder);

}  // namespace seq2seq
