#include "flags.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "align_words_flags.h"
#include "attune/autograd/version.h"
#include "examples/cli11_numbers.h"
// Above, since it must come before other headers of CLI11.
#include "examples/cli11_fields.h"

namespace seq2seq {
namespace {

constexpr std::array<std::string_view, 5> kCommands = {"train", "test", "translate", "align",
                                                       "explain"};

constexpr const char* kTrainHelp = R"(
The run folder holds config.json, source.vocab, target.vocab, metrics.jsonl (one line a
step or so), speed.jsonl, model.safetensors and alignment.svg, with --tensorboard events,
and during a training its checkpoint. An earlier run stays until the new one is complete.
Ctrl-C ends training after the current step with everything saved; --resume continues with
the same result as if it had never stopped.

Examples:
  seq2seq train --run runs/demo
  seq2seq train --run runs/sort --task sort --cell lstm --attention dot
  seq2seq train --run runs/transformer --model transformer --heads 4 --layers 2
  seq2seq train --run runs/cmudict --data train.tsv --valid valid.tsv --target-tokens words
  seq2seq train --run runs/en-de --source train.en.gz --target train.de.gz \
    --valid-source valid.en --valid-target valid.de --max-ratio 9 --drop-duplicates
  seq2seq train --run runs/brief --data texts.tsv --source-tokens words --target-tokens words
    --output-layer pointer_generator --attention coverage  # copies words, also new ones
  seq2seq train --run runs/cmudict --resume
  seq2seq train --run runs/demo --valid-count 100 --tensorboard  # tensorboard --logdir runs
  seq2seq train --config big.toml --seed 2

A file for --config, with lines below [train], [test], [translate], [align] or [explain] for
that command alone:
  # a bigger model
  run = "runs/big"
  [train]
  steps = 2e4
  hidden = 256
  bidirectional = true)";

constexpr const char* kTestHelp = R"(
Lines that cannot be tested on are named on standard error, and the exit code is 3.

Metrics compare the outputs with the targets as texts, and give percentages with 95%
confidence intervals (1000 bootstrap resamples). Their options and signatures are those of
seq2seq score. Outputs without spaces, such as those of letters, are one word to bleu; use
chrf or bleu:tokenize=char for them.

Examples:
  seq2seq test --run runs/demo --count 5000 --seed 7
  seq2seq test --run runs/cmudict --data datasets/cmudict/test.tsv --output outputs.tsv
  cut -f1,2 test.tsv | seq2seq test --run runs/cmudict --data -
  seq2seq test --run runs/en-de --source test.en --reference test.de --reference also.de
  seq2seq test --run runs/cmudict --data datasets/cmudict/test.tsv --json
  seq2seq test --run runs/cmudict --data datasets/cmudict/test.tsv --beam 5
  seq2seq test --run runs/words --data test.tsv --metrics bleu,chrf,ter,rouge
  seq2seq test --run runs/a --compare runs/b --data test.tsv --metrics bleu:lowercase=true
  seq2seq test --config big.toml --count 500)";

constexpr fmt::string_view kScoreHelp = R"(
Each line of a file, which may be compressed with gzip, is a text. Scores are percentages,
each with a 95% confidence interval (1000 bootstrap resamples); p-values are those of the
paired bootstrap test. Signatures are those of sacreBLEU, whose values bleu, chrf, chrf++
and ter give; those of rouge are 100 times rouge-score's. Metrics, with rouge for rouge1,
rouge2 and rougeL:

{}
Options follow the name of a metric:
  bleu:tokenize=13a|char|none,lowercase=true,smooth=exp|floor|add-k|none,smooth_value=X,
       effective_order=true
  chrf and chrf++:char_order=6,word_order=0,beta=2,lowercase=true    ter:case_sensitive=true
  repeated_ngrams:n=3    novel_ngrams:n=2    rougeLsum:separator=<n>

Examples:
  seq2seq score --output outputs.txt --reference targets.txt
  seq2seq score --output outputs.txt --reference a.txt --reference b.txt --metrics bleu,rouge
  seq2seq score --output a.txt --compare b.txt --reference targets.txt --metrics chrf++
  seq2seq score --output outputs.txt --source texts.txt --metrics copied_words,novel_ngrams
  cut -f1 test.tsv | seq2seq translate --run runs/mine |
    seq2seq score --output - --reference targets.txt --metrics bleu:tokenize=char --json)";

constexpr const char* kTranslateHelp = R"(
Tokens that training never showed are read as <unk>, with a warning at the end; models
with --output-layer pointer_generator or pointer can copy them nevertheless. An output that
was cut before its end has the mark … behind it. A source that cannot be translated
(empty, too long, not UTF-8) is named on standard error and gets an empty line; the others
go on, and the exit code is 3.

Lines of standard input, which may be compressed with gzip, are read and translated many at
a time, in batches that the threads share; the outputs are those of one line at a time, in
the order of the lines. A line that has not been written yet is not waited for. Of many
lines the speed is shown.

Sources that begin with - go behind --. On a terminal control characters are shown as
U+001B, say.

Examples:
  seq2seq translate --run runs/demo attention
  seq2seq translate --run runs/demo --heatmap --svg attention.svg attention
  seq2seq translate --run runs/demo --beam 5 --n-best 3 --length-penalty 0.6 attention
  seq2seq translate --run runs/demo --sample --temperature 0.7 --top-p 0.9 --seed 4 attention
  seq2seq translate --run runs/demo --prefix no attention
  seq2seq translate --run runs/brief --mark-copied 'an aardvark is an animal'
  seq2seq translate --config big.toml -- -x
  cut -f1 datasets/cmudict/test.tsv | seq2seq translate --run runs/cmudict --alignment)";

constexpr const char* kAlignHelp = R"(
Draws the attention weights of a source and its target, which the model writes unless it is
given: a row for each token of the target, a column for each of the source, the darker the
larger. --heads draws every head, layer by layer. --steps draws how the alignment of a pair
emerged while the model was trained: training records some pairs at steps 1, 2, 5, 10, 20,
50 and so on, and the last (see report).

An SVG picture needs nothing, has each weight as a tooltip and the fonts of its viewer. PNG
and PDF files need a program that was built with cairo and pango. Sources that begin with -
go behind --.

Examples:
  seq2seq align --run runs/demo attention --svg attention.svg
  seq2seq align --run runs/demo attention --target noitnetta --pdf attention.pdf
  seq2seq align --run runs/transformer attention --heads --layer 2 --png heads.png
  seq2seq align --run runs/words "two words" --beam 5 --png words.png --pdf words.pdf
  seq2seq align --run runs/demo --steps 1,50,100,200,500,1000 --svg emergence.svg
  seq2seq align --config big.toml attention --png attention.png)";

constexpr const char* kExplainHelp = R"(
Walks through one decoding, of the model's own output or of --target: nine stages, of which
encode, and keys and values, come once, and query, score, weights, weighted sum, context,
combine and repeat at each step. Each has its equation, its source, the numbers that the
layers computed, and the lines of the source that computed them.

Of a Transformer, --layer and --head choose one head of attention to the source. Text has
the tokens with the largest weights where a line is too short for all, and the first
elements of vectors; a page has all of them. It is one file that needs no network and no
script. Sources that begin with - go behind --.

Examples:
  seq2seq explain --run runs/demo attention
  seq2seq explain --run runs/demo attention --step 3
  seq2seq explain --run runs/demo attention --target noitnetta
  seq2seq explain --run runs/transformer attention --layer 1 --head 2 --step 3
  seq2seq explain --run runs/demo attention --html explanation.html
  seq2seq explain --config big.toml attention)";

// A command with a flag for each option of its library function.
template <typename Options>
CLI::App& add_command(CLI::App& app, const char* name, const char* purpose, Options& options,
                      const char* footer) {
  CLI::App& command = *app.add_subcommand(name, purpose);
  flags::add_fields(command, fields(options));
  flags::add_flag_file(command, kCommands);
  command.footer(footer);
  return command;
}

void add_test(CLI::App& app, TestCommand& test) {
  CLI::App& command =
      add_command(app, "test", "Measure a trained model on examples that it never saw.",
                  test.options, kTestHelp);
  command
      .add_option("--reference", test.options.references,
                  "the target of each line of --source; given several times, each has several, of "
                  "which the closest counts")
      ->take_all()
      ->expected(1)
      ->type_name("FILE");
  command
      .add_option("--output", test.output,
                  "write a line for each source, with TABs between source, closest reference, "
                  "output, score (1: right) and status (finished, unfinished, skipped), below a "
                  "line of those names; - writes to standard output, the scores to standard error")
      ->type_name("FILE");
  command.add_flag("--json", test.json, "print one JSON object, with fractions");
}

// What is wrong with a list of metrics; nothing if it is right.
std::string fault_of_metrics(const std::string& list) {
  try {
    attune::make_text_metrics(list);
    return "";
  } catch (const attune::Error& error) {
    return error.what();
  }
}

void add_score(CLI::App& app, ScoreCommand& score) {
  CLI::App& command = *app.add_subcommand(
      "score", "Score texts in files, such as outputs of any program, without a model.");
  command
      .add_option("--output", score.output,
                  "the texts to score, one a line; - reads standard input")
      ->required()
      ->type_name("FILE");
  command
      .add_option("--reference", score.references,
                  "the correct text of each line; given several times, each line has several")
      ->take_all()
      ->expected(1)
      ->type_name("FILE");
  command.add_option("--source", score.source, "what the text of each line was made from")
      ->type_name("FILE");
  command
      .add_option("--compare", score.compare,
                  "the texts of another system, to score too; shows the differences")
      ->type_name("FILE");
  command
      .add_option("--metrics", score.metrics, "metrics of the list below, with commas between them")
      ->type_name("NAME,...")
      ->check(fault_of_metrics)
      ->capture_default_str();
  command.add_flag("--json", score.json, "print one JSON object");
  std::string list;
  for (const auto& metric : attune::text_metrics().members())
    list += fmt::format("  {:<16} {}\n", metric.name, metric.summary);
  command.footer(fmt::format(kScoreHelp, list));
}

void add_translate(CLI::App& app, TranslateCommand& translate) {
  CLI::App& command = add_command(app, "translate", "Write the target of each source, one a line.",
                                  translate.options, kTranslateHelp);
  command
      .add_option("source", translate.sources,
                  "what to translate; without any, every line of standard input")
      ->take_all();
  command.add_flag(
      "--alignment", translate.alignment,
      "add a TAB and the alignment in Moses form: 0-2 1-1 2-0, source-target positions of "
      "tokens, or of words if tokens are subwords");
  command.add_flag("--heatmap", translate.heatmap, "draw the attention weights");
  command
      .add_option("--svg", translate.svg,
                  "draw it into a picture, as align does; of several sources the second into "
                  "FILE-2.svg, ...")
      ->type_name("FILE");
}

void add_report(CLI::App& app, ReportCommand& report) {
  CLI::App& command = *app.add_subcommand(
      "report",
      "Write a page for a browser that shows a training: options, loss and measures, and the\n"
      "attention of every layer and head from step to step. Training does so at its end.");
  command.add_option("--run", report.options.runs, "a run folder; given several times, to compare")
      ->required()
      ->take_all()
      ->expected(1)
      ->type_name("DIR");
  command
      .add_option("--output", report.output,
                  "the file to write; by default report.html in the run folder, or\n"
                  "comparison.html in that of the first of several runs")
      ->type_name("FILE");
  command
      .add_option("--beam", report.options.beam,
                  "also show the best outputs of a beam search of this width, with scores")
      ->check(flags::in_range(1, 1000, "a whole number from 1 to 1000"))
      ->capture_default_str();
  attune::PairFiles& tested = report.options.data;
  CLI::Option* data =
      command
          .add_option(
              "--data", tested.pairs,
              "also show every sentence of a file of pairs, source TAB target, with "
              "output,\nscore and alignment, to sort and search; outputs are those of --beam")
          ->type_name("FILE");
  CLI::Option* source =
      command.add_option("--source", tested.source, "the same of a file of sources ...")
          ->excludes(data)
          ->type_name("FILE");
  CLI::Option* reference =
      command
          .add_option("--reference", tested.targets,
                      "... and one of targets; given several times, each source has several")
          ->take_all()
          ->expected(1)
          ->needs(source)
          ->type_name("FILE");
  source->needs(reference);
  command
      .add_option("--metrics", report.options.metrics,
                  "metrics of these outputs, as of score; each sentence has a score of its own")
      ->type_name("NAME,...")
      ->check(fault_of_metrics)
      ->capture_default_str();
  command.footer(
      "\nExamples:\n"
      "  seq2seq report --run runs/reverse\n"
      "  seq2seq report --run runs/multi30k --source test.de --reference test.en --beam 5\n"
      "  seq2seq report --run runs/gru --run runs/transformer --output comparison.html");
}

void add_align(CLI::App& app, AlignCommand& align) {
  CLI::App& command = add_command(app, "align", "Draw the alignment of a source and its target.",
                                  align.options, kAlignHelp);
  command.add_option("source", align.source, "what to align");
  const CLI::Validator whole_number = flags::in_range<std::int64_t>(
      1, std::numeric_limits<std::int64_t>::max(), "a whole number from 1");
  CLI::Option* steps =
      command
          .add_option(
              "--steps", align.steps,
              "draw a pair that was recorded after these steps of the training instead of a "
              "source, such as 1,10,100")
          ->delimiter(',')
          ->take_all()
          ->expected(1)
          ->check(whole_number)
          ->type_name("INT,...");
  for (const char* other : {"--target", "--heads", "--beam", "--max-output-length"})
    steps->excludes(command.get_option(other));
  command.add_option("--example", align.example, "which of the recorded pairs, 1 being the first")
      ->check(whole_number)
      ->needs(steps)
      ->capture_default_str();
  command.add_option("--svg", align.svg, "draw an SVG picture")->type_name("FILE");
  command.add_option("--png", align.png, "draw a PNG picture, two pixels for each of the SVG's")
      ->type_name("FILE");
  command.add_option("--pdf", align.pdf, "draw a PDF page, for papers")->type_name("FILE");
}

void add_explain(CLI::App& app, ExplainCommand& explain) {
  CLI::App& command = add_command(app, "explain", "Show how a source is decoded, stage by stage.",
                                  explain.options, kExplainHelp);
  command.add_option("source", explain.source, "what to decode");
  command.add_option("--html", explain.html, "write a page for a browser instead of text")
      ->type_name("FILE");
}

bool takes_one_source(const CLI::App& command) {
  return command.get_name() == "align" || command.get_name() == "explain";
}

bool takes_sources(const CLI::App& command) {
  return command.get_name() == "translate" || takes_one_source(command);
}

WrongUse wrong_use(const CLI::App* command, const std::string& reason) {
  const std::string name = command == nullptr ? "" : command->get_name() + " ";
  return WrongUse(fmt::format("{}; see seq2seq {}--help", reason, name));
}

}  // namespace

Command parse_command_line(int argc, char** argv) {
  CLI::App app(
      "Learns to turn one sequence into another with attention, and shows the attention weights.",
      "seq2seq");
  app.require_subcommand(1);
  app.set_version_flag("--version", fmt::format("seq2seq {}", attune::version()));
  // A script can pass on its user's flags after its own.
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app.footer("\nEach command explains its flags: seq2seq train --help");
  attune::TrainOptions train;
  TestCommand test;
  ScoreCommand score;
  TranslateCommand translate;
  ReportCommand report;
  AlignCommand align;
  AlignWordsCommand align_words;
  ExplainCommand explain;
  AttentionsCommand attentions;
  const CLI::App& train_flags =
      add_command(app, "train", "Train a model and keep it in a run folder.", train, kTrainHelp);
  add_test(app, test);
  add_score(app, score);
  add_translate(app, translate);
  add_report(app, report);
  add_align(app, align);
  add_align_words(app, align_words);
  add_explain(app, explain);
  app.add_subcommand("attentions", "List the mechanisms of attention, with formula and paper.")
      ->add_flag("--json", attentions.json, "print a JSON array");

  std::vector<std::string> sources;  // read literally, not by CLI11
  std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  const CLI::App* command = nullptr;  // the one that is named
  for (const CLI::App* known : app.get_subcommands([](const CLI::App*) { return true; }))
    if (!words.empty() && known->get_name() == words.front()) command = known;
  try {
    if (command == nullptr && !words.empty() && !flags::is_flag(words.front()))
      throw CLI::ValidationError("there is no command '" + words.front() + "'",
                                 "expected train, test, score, translate, align, align-words, "
                                 "explain, report or attentions");
    if (command != nullptr) {
      flags::Words given = flags::split(*command, {words.begin() + 1, words.end()});
      if (takes_sources(*command)) {
        sources = std::move(given.others);
      } else if (!given.others.empty()) {
        throw CLI::ExtrasError(command->get_name(), {given.others.front()});
      }
      words.resize(1);
      words.insert(words.end(), given.flags.begin(), given.flags.end());
    }
    std::reverse(words.begin(), words.end());  // CLI11 expects them in reverse
    app.parse(words);
    train.given = flags::given_fields(train_flags, fields(train));
    if (app.got_subcommand("train")) check(train);
    if (app.got_subcommand("test")) check(test.options);
    if (app.got_subcommand("translate")) check(translate.options);
    const bool has_one_source = command != nullptr && takes_one_source(*command);
    if (has_one_source && align.options.target.empty() && explain.options.target.empty() &&
        command->count("--target"))
      throw CLI::ValidationError("--target", "it is empty; expected at least one token");
    if (app.got_subcommand("align") && !align.steps.empty() && !sources.empty())
      throw CLI::ValidationError("--steps", "it draws a recorded pair; expected no source");
    if (has_one_source && align.steps.empty() && sources.size() != 1)
      throw CLI::ValidationError(
          "source",
          fmt::format("there are {}; expected one, in quotes if it has spaces", sources.size()));
  } catch (const CLI::Success& help) {
    app.exit(help);
    return {};
  } catch (const CLI::ParseError& error) {
    const bool is_source = command != nullptr && takes_sources(*command) &&
                           dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr;
    throw wrong_use(command, std::string(error.what()) +
                                 (is_source ? "; sources that begin with - go behind --" : ""));
  } catch (const attune::OptionError& error) {
    throw wrong_use(command, error.what());
  }
  if (app.got_subcommand("train")) return train;
  if (app.got_subcommand("test")) return test;
  if (app.got_subcommand("score")) return score;
  if (app.got_subcommand("report")) return report;
  if (app.got_subcommand("align")) {
    if (!sources.empty()) align.source = std::move(sources.front());
    return align;
  }
  if (app.got_subcommand("align-words")) return align_words;
  if (app.got_subcommand("explain")) {
    explain.source = std::move(sources.front());
    return explain;
  }
  if (app.got_subcommand("attentions")) return attentions;
  translate.sources = std::move(sources);
  return translate;
}

}  // namespace seq2seq
