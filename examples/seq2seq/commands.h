#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "attune/alignment/word_aligner.h"
#include "attune/autograd/array/threads.h"
#include "attune/report/explanation_html.h"
#include "attune/report/report.h"
#include "attune/train/align.h"
#include "attune/train/evaluation.h"
#include "attune/train/explanation.h"
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

/// Scores texts that are in files, one a line.
struct ScoreCommand {
  std::string output;                   // "-": standard input
  std::vector<std::string> references;  // files, each with a reference of every line
  std::string source;                   // empty: none
  std::string compare;                  // the output of another system; empty: none
  std::string metrics = "bleu,chrf,ter";
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

/// Draws the alignment of a source and its target.
struct AlignCommand {
  attune::AlignOptions options;
  std::string source;
  std::vector<std::int64_t> steps;  // of a recorded example instead of a source
  std::int64_t example = 1;
  std::string svg, png, pdf;  // files; empty: none
};

/// Aligns the words of pairs by statistics of them.
struct AlignWordsCommand {
  std::string data;               // pairs to align; "-": standard input; empty: sources, targets
  std::vector<std::string> more;  // further files of pairs to learn from
  // The same in files side by side: those to align, and further ones to learn from.
  std::vector<std::string> sources, targets;
  std::string output = "-";  // standard output
  std::string reference;     // a file of correct alignments; empty: none
  std::string source_tokens = "words", target_tokens = "words";
  std::string symmetrization = "grow-diag-final-and";
  attune::WordAlignerOptions options;
  int max_length = 200;  // of a side, in tokens
  int threads = attune::threads();
};

/// Shows one decoding, stage by stage.
struct ExplainCommand {
  attune::ExplainOptions options;
  std::string source;
  std::string html;  // a file; empty: text on standard output
};

/// Lists all mechanisms of attention.
struct AttentionsCommand {
  bool json = false;
};

int run(const attune::TrainOptions& options);
int run(const TestCommand& command);
int run(const ScoreCommand& command);
int run(const TranslateCommand& command);
int run(const ReportCommand& command);
int run(const AlignCommand& command);
int run(const AlignWordsCommand& command);
int run(const ExplainCommand& command);
int run(const AttentionsCommand& command);

/// The report in a run folder.
std::string report_file(const std::string& folder);

/// Checks the path of an output before the work for it, which may take long. Errors: it is a
/// folder, or in a folder that does not exist.
void check_output(const char* flag, const std::string& path);

}  // namespace seq2seq
