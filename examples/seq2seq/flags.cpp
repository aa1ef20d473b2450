#include "flags.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "attune/autograd/version.h"
#include "attune/data/all.h"
#include "attune/layers/all.h"
#include "attune/models/all.h"
#include "attune/optim/all.h"
#include "attune/search/all.h"
#include "examples/cli11_numbers.h"
#include "flag_file.h"

namespace seq2seq {
namespace {

using flags::in_range;

CLI::Validator at_least_1() {
  return in_range<std::int64_t>(1, 1'000'000'000'000'000, "a whole number from 1");
}
CLI::Validator at_least_0() {
  return in_range(0.0, std::numeric_limits<double>::max(), "a number from 0");
}
CLI::Validator whole() {
  return in_range<std::uint64_t>(0, std::numeric_limits<std::uint64_t>::max(),
                                 "a whole number from 0 to 18446744073709551615");
}
CLI::Validator share() { return in_range(0.0, 1.0, "a number from 0 to 1"); }
CLI::Validator share_below_1() {
  return in_range(0.0, std::nextafter(1.0, 0.0), "a number from 0 to below 1");
}

CLI::Validator one_of(const std::vector<std::string>& names) { return CLI::IsMember(names); }

// "what is chosen:" and a line for each member of a family: its name, and what it is.
template <typename Maker>
std::string with_members(const std::string& purpose, const attune::Family<Maker>& family) {
  std::string text = purpose + ":";
  for (const auto& member : family.members())
    text += fmt::format("\n  {:<13}{}", member.name, member.summary);
  return text;
}

std::vector<std::string> attention_names() {
  std::vector<std::string> names = attune::score_names();
  names.emplace_back("none");
  return names;
}

// Takes the flags in the file that the command line has not. Errors: ValidationError, Error.
void apply_flag_file(CLI::App& command, const std::string& file) {
  std::set<const CLI::Option*> given;
  for (const CLI::Option* option : command.get_options())
    if (option->count() > 0) given.insert(option);
  const auto is_given = [&](const CLI::Option* option) { return given.contains(option); };

  for (const FlagLine& line : read_flag_file(file, command.get_name())) {
    CLI::Option* option = command.get_option_no_throw("--" + line.key);
    if (option == nullptr || line.key == "config" || line.key == "help")
      throw CLI::ValidationError(line.where, fmt::format("unknown key '{}'", line.key));
    const std::set<CLI::Option*> excluded = option->get_excludes();
    if (is_given(option) || std::any_of(excluded.begin(), excluded.end(), is_given)) continue;
    try {
      if (option->get_items_expected_max() > 0) {
        option->add_result(line.value);
      } else if (line.value == "true" || line.value == "false") {
        option->add_result(option->get_flag_value(line.key, line.value));
      } else {
        throw CLI::ValidationError("--" + line.key,
                                   fmt::format("'{}' is neither true nor false", line.value));
      }
      option->run_callback();
    } catch (const CLI::ParseError& error) {
      throw CLI::ValidationError(line.where, flags::reason_of(error));
    }
  }
}

void add_config(CLI::App& command) {
  command
      .add_option_function<std::string>(
          "--config", [&command](const std::string& file) { apply_flag_file(command, file); },
          "read flags from a file of lines such as steps = 2000 or json = true; those of the "
          "command line win")
      ->type_name("FILE");
}

void add_run(CLI::App& command, std::string& run, const std::string& purpose) {
  command.add_option("--run", run, purpose)->required()->type_name("DIR");
  add_config(command);
}

void add_threads(CLI::App& command, int& threads) {
  command.add_option("--threads", threads, "threads to use; results do not depend on it")
      ->capture_default_str()
      ->check(in_range<int>(1, 1024, "a whole number from 1 to 1024"));
}

void add_data_flags(CLI::App& command, TrainOptions& options) {
  const std::string group = "What to learn";
  auto* task = command
                   .add_option("--task", options.task,
                               with_members("a synthetic task on the letters a to z, examples "
                                            "made up",
                                            attune::tasks()))
                   ->check(one_of(attune::task_names()))
                   ->capture_default_str()
                   ->group(group);
  auto* data =
      command
          .add_option("--data", options.data,
                      "pairs to learn from instead, one a line: source TAB target; - reads "
                      "standard input")
          ->type_name("FILE")
          ->excludes(task)
          ->group(group);
  auto* valid = command
                    .add_option("--valid", options.valid,
                                "pairs to measure progress on; the best model on them is kept")
                    ->type_name("FILE")
                    ->needs(data)
                    ->group(group);
  command
      .add_option("--valid-count", options.valid_count,
                  "measure on a random sample of so many sources, which --seed fixes; all of "
                  "--valid by default")
      ->check(at_least_1())
      ->needs(valid)
      ->group(group);
  command
      .add_option("--patience", options.patience,
                  "stop when so many measurements on --valid in a row are not better than the best "
                  "before")
      ->check(at_least_1())
      ->needs(valid)
      ->group(group);
  const auto tokens = [&](const char* flag, std::string& kind, const char* purpose) {
    command.add_option(flag, kind, purpose)
        ->check(one_of({"chars", "words"}))
        ->capture_default_str()
        ->needs(data)
        ->group(group);
  };
  tokens("--source-tokens", options.source_tokens, "how to cut sources of --data");
  tokens("--target-tokens", options.target_tokens, "how to cut targets of --data");
  command.add_option("--min-length", options.min_length, "fewest letters of the task's sources")
      ->check(at_least_1())
      ->capture_default_str()
      ->excludes(data)
      ->group(group);
  command
      .add_option("--max-length", options.max_length,
                  "the limit: most tokens of a source or target; 20 for a task, 100 for --data")
      ->check(at_least_1())
      ->group(group);
  command
      .add_option("--max-source-length", options.max_source_length,
                  "most tokens of a source of --data; --max-length by default")
      ->check(at_least_1())
      ->needs(data)
      ->group(group);
  command
      .add_option("--max-target-length", options.max_target_length,
                  "most tokens of a target of --data; --max-length by default")
      ->check(at_least_1())
      ->needs(data)
      ->group(group);
  command
      .add_option("--too-long", options.too_long,
                  "what becomes of longer sources and targets: skip leaves the pair out, truncate "
                  "cuts it; both are counted and reported")
      ->check(one_of({"skip", "truncate"}))
      ->capture_default_str()
      ->needs(data)
      ->group(group);
  command
      .add_flag("--skip-bad", options.skip_bad,
                "leave out and report lines that are no pair (no TAB, an empty side, not UTF-8); "
                "without it they are an error")
      ->needs(data)
      ->group(group);
}

// How far test and translate read and write.
void add_length_flags(CLI::App& command, std::optional<int>& max_source_length,
                      std::optional<int>& max_output_length) {
  command
      .add_option("--max-source-length", max_source_length,
                  "most tokens of a source; longer ones are an error; as in training by default")
      ->check(at_least_1());
  command
      .add_option("--max-output-length", max_output_length,
                  "most tokens to write for a source; by default twice its own and 10 more, and at "
                  "least as many as the longest target of the training has")
      ->check(at_least_1());
}

void add_model_flags(CLI::App& command, TrainOptions& options) {
  const std::string group = "The model";
  command
      .add_option("--model", options.model,
                  with_members("what encoder and decoder are made of", attune::encoders()))
      ->check(one_of(attune::model_names()))
      ->capture_default_str()
      ->group(group);
  command
      .add_option("--cell", options.cell,
                  with_members("recurrent cell of encoder and decoder", attune::cells()))
      ->check(one_of(attune::cell_names()))
      ->capture_default_str()
      ->group(group);
  command
      .add_option("--attention", options.attention,
                  with_members("score of a query y and a key h", attune::attention_scores()) +
                      fmt::format("\n  {:<13}{}", "none", "no attention: the last states alone"))
      ->check(one_of(attention_names()))
      ->capture_default_str()
      ->group(group);
  command.add_option("--normalizer", options.normalizer, "what makes weights of scores")
      ->check(one_of(attune::normalizer_names()))
      ->capture_default_str()
      ->group(group);
  command
      .add_flag("--embedding-residual,!--no-embedding-residual", options.embedding_residual,
                "add each symbol's embedding, mapped to their size, to the encoder's states (the "
                "default), or not")
      ->group(group);
  command
      .add_flag("--bidirectional,!--no-bidirectional", options.bidirectional,
                "read the source from both ends (the default), or not")
      ->group(group);
  const auto size = [&](const char* flag, auto& value, const char* purpose) {
    return command.add_option(flag, value, purpose)->check(at_least_1())->group(group);
  };
  size("--layers", options.layers,
       "layers on top of each other; 1 of a recurrent model, 2 of a transformer");
  size("--embedding", options.embedding,
       "size of a token's vector; 32 of a recurrent model, 128 of a transformer, whose states all "
       "have this size");
  size("--hidden", options.hidden, "units of the recurrent encoder in each direction")
      ->capture_default_str();
  size("--heads", options.heads,
       "heads of attention; 1 of a recurrent model, 4 of a transformer, whose --embedding is a "
       "multiple");
  size("--feed-forward", options.feed_forward,
       "inner units of a transformer's feed-forward networks; 4 times --embedding by default");
  command
      .add_option(
          "--dropout", options.dropout,
          "share of units dropped in training; never of the recurrent states attention sees")
      ->check(share_below_1())
      ->capture_default_str()
      ->group(group);
}

void add_training_flags(CLI::App& command, TrainOptions& options) {
  const std::string group = "Training";
  const auto add = [&](const char* flag, auto& value, const std::string& purpose) {
    return command.add_option(flag, value, purpose)->capture_default_str()->group(group);
  };
  add("--batch", options.batch, "examples a step")->check(at_least_1());
  auto* steps = add("--steps", options.steps, "updates of the parameters")->check(at_least_1());
  command
      .add_option("--epochs", options.epochs, "how often to see every pair of --data, for --steps")
      ->check(at_least_1())
      ->excludes(steps)
      ->group(group);
  add("--optimizer", options.optimizer, with_members("rule of the updates", attune::optimizers()))
      ->check(one_of(attune::optimizer_names()));
  CLI::Option* learning_rate =
      add("--learning-rate", options.learning_rate, "size of the updates")->check(at_least_0());
  // Its name before version 0.2, in flags, files of flags and runs: for one release.
  command.add_option("--learn-rate", options.learning_rate)
      ->check(at_least_0())
      ->excludes(learning_rate)
      ->group("");
  add("--schedule", options.schedule,
      with_members("how the learning rate changes over the steps: factor after s of S steps",
                   attune::schedules()))
      ->check(one_of(attune::schedule_names()));
  command
      .add_option("--warmup", options.warmup,
                  "steps in which the learning rate first rises; 0, or a tenth of --steps for a "
                  "transformer")
      ->check(whole())
      ->group(group);
  add("--clip-norm", options.step.clip_norm, "largest norm of a gradient; 0: any")
      ->check(at_least_0());
  add("--teacher-forcing", options.step.teacher_forcing,
      "share of steps told the right token before, not the model's own")
      ->check(share());
  add("--label-smoothing", options.step.label_smoothing,
      "share of the targets spread over all tokens")
      ->check(share_below_1());
  add("--on-nan", options.on_nan,
      "after an update that gives NaN or infinity: stop, or skip it and go on")
      ->check(one_of({"stop", "skip"}));
  add("--seed", options.seed, "fixes all that is random")->check(whole());
}

void add_saving_flags(CLI::App& command, TrainOptions& options) {
  const std::string group = "Saving";
  command
      .add_flag("--resume", options.resume,
                "go on with a training that was stopped, killed or cut short; its other flags are "
                "remembered")
      ->group(group);
  command
      .add_option("--save-every", options.save_every,
                  "steps after which to write a checkpoint; about a minute's by default")
      ->check(at_least_1())
      ->group(group);
  command
      .add_option("--keep", options.keep,
                  "checkpoints to keep, also at the end; by default the newest one until the end")
      ->check(at_least_1())
      ->group(group);
}

// The flags that decide on the result, as "--name=value".
std::vector<std::string> given_flags(const CLI::App& command) {
  constexpr std::array kOthers = {"help",   "run",        "config", "threads",
                                  "resume", "save-every", "keep"};
  std::vector<std::string> flags;
  for (const CLI::Option* option : command.get_options()) {
    const std::string name = option->get_lnames().empty() ? "" : option->get_lnames().front();
    const bool other = std::find(kOthers.begin(), kOthers.end(), name) != kOthers.end();
    if (option->count() > 0 && !other && option != command.get_config_ptr())
      flags.push_back(fmt::format("--{}={}", name, option->results().back()));
  }
  return flags;
}

// A flag that one kind of model has no use for, and what that kind has in its place.
struct Misfit {
  const char *model, *flag, *instead;
};

constexpr Misfit kMisfits[] = {
    {"transformer", "--cell", "it has attention where a recurrent model has cells"},
    {"transformer", "--attention", "its score is always the scaled dot product, in --heads"},
    {"transformer", "--normalizer", "its weights are always the softmax of scores"},
    {"transformer", "--embedding-residual", "its layers are residual, always"},
    {"transformer", "--bidirectional", "its encoder looks both ways, always"},
    {"transformer", "--hidden", "its width is --embedding, and --feed-forward inside of layers"},
    {"recurrent", "--feed-forward", "its width is --hidden"},
};

// Errors: a flag that does nothing for the model that was chosen.
void check_fits_model(const CLI::App& command, const TrainOptions& options) {
  for (const auto& [model, flag, instead] : kMisfits)
    if (options.model == model && command.count(flag) > 0)
      throw CLI::ValidationError(flag,
                                 fmt::format("a {} model has no such thing: {}", model, instead));
  if (options.data == "-" && options.valid == "-")
    throw CLI::ValidationError("--valid", "standard input has the pairs of --data already");
  if (!options.is_transformer()) {
    const int size = options.hidden * (options.bidirectional ? 2 : 1);
    if (size % options.head_count() != 0)
      throw CLI::ValidationError(
          "--heads",
          fmt::format("the decoder's states of size {}, which --hidden and --bidirectional make, "
                      "cannot be shared out over {} heads; use a multiple",
                      size, options.head_count()));
    return;
  }
  if (options.step.teacher_forcing < 1)
    throw CLI::ValidationError("--teacher-forcing",
                               "a transformer computes all positions of a target at once, each "
                               "told the right tokens before it; leave it at 1");
  if (options.embedding_size() % options.head_count() != 0)
    throw CLI::ValidationError(
        "--heads", fmt::format("--embedding {} cannot be shared out over {} heads; use a multiple",
                               options.embedding_size(), options.head_count()));
}

void add_train(CLI::App& app, TrainOptions& options) {
  CLI::App& command = *app.add_subcommand("train", "Train a model and keep it in a run folder.");
  add_run(command, options.run,
          "the run folder to write; an earlier run in it is replaced at the end");
  add_data_flags(command, options);
  add_model_flags(command, options);
  add_training_flags(command, options);
  add_saving_flags(command, options);
  add_threads(command, options.threads);
  command.callback([&command, &options] {
    options.flags = given_flags(command);
    // Which model --resume goes on with is known later.
    if (!options.resume) check_fits_model(command, options);
    if (options.epochs && options.data.empty() && !options.resume)
      throw CLI::ValidationError(
          "--epochs", "the examples of a task never come twice, so it has no epochs; use --steps");
  });
  command.footer(R"(
The run folder holds config.json, source.vocab, target.vocab, metrics.jsonl (one line a
step or so), speed.jsonl, model.safetensors and alignment.svg, and during a training its
checkpoint. An earlier run stays until the new one is complete. Ctrl-C ends training after
the current step with everything saved; --resume goes on with the same result as if it had
never stopped.

Examples:
  seq2seq train --run runs/demo
  seq2seq train --run runs/sort --task sort --cell lstm --attention dot
  seq2seq train --run runs/transformer --model transformer --heads 4 --layers 2
  seq2seq train --run runs/cmudict --data train.tsv --valid valid.tsv --target-tokens words
  seq2seq train --run runs/cmudict --resume
  seq2seq train --config big.toml --seed 2

A file for --config, with lines below [train], [test] or [translate] for that command alone:
  # a bigger model
  run = "runs/big"
  [train]
  steps = 2e4
  hidden = 256
  bidirectional = true)");
}

void add_test(CLI::App& app, TestOptions& options) {
  CLI::App& command =
      *app.add_subcommand("test", "Measure a trained model on examples that it never saw.");
  add_run(command, options.run, "a run folder that train has written");
  command
      .add_option("--data", options.data,
                  "pairs to test on, one a line: source TAB target; where a source has several "
                  "targets the closest counts; - reads standard input")
      ->type_name("FILE");
  command
      .add_option("--count", options.count,
                  "sources to test on; 2000 of a task by default; of --data a random sample, or "
                  "all by default")
      ->check(at_least_1());
  command
      .add_option("--seed", options.seed, "which examples of the task, or which sample of --data")
      ->check(whole())
      ->capture_default_str();
  command
      .add_option("--min-length", options.min_length,
                  "fewest letters of the task's sources; as in training by default")
      ->check(at_least_1());
  command
      .add_option("--max-length", options.max_length,
                  "most letters of the task's sources, also more than in training; as there by "
                  "default")
      ->check(at_least_1());
  add_length_flags(command, options.max_source_length, options.max_output_length);
  command
      .add_option("--output", options.output,
                  "write a line for each source, with TABs between source, closest reference, "
                  "output, score (1: right) and status (finished, unfinished, skipped), below a "
                  "line of those names; - writes to standard output, the scores to standard error")
      ->type_name("FILE");
  command.add_flag("--json", options.json, "print one JSON object, with fractions");
  add_threads(command, options.threads);
  command.footer(R"(
Lines that cannot be tested on are named on standard error, and the exit code is 3.

Examples:
  seq2seq test --run runs/demo --count 5000 --seed 7
  seq2seq test --run runs/cmudict --data datasets/cmudict/test.tsv --output outputs.tsv
  zcat test.tsv.gz | seq2seq test --run runs/cmudict --data -
  seq2seq test --run runs/cmudict --data datasets/cmudict/test.tsv --json
  seq2seq test --config big.toml --count 500)");
}

void add_translate(CLI::App& app, TranslateOptions& options) {
  CLI::App& command =
      *app.add_subcommand("translate", "Write the target of each source, one a line.");
  add_run(command, options.run, "a run folder that train has written");
  command
      .add_option("source", options.sources,
                  "what to translate; without any, every line of standard input")
      ->take_all();
  add_length_flags(command, options.max_source_length, options.max_output_length);
  command.add_flag(
      "--alignment", options.alignment,
      "add a TAB and the alignment in Moses form: 0-2 1-1 2-0, source-target positions");
  command.add_flag("--heatmap", options.heatmap, "draw where the model looked");
  command
      .add_option("--svg", options.svg,
                  "draw it into a picture; of several sources the second into FILE-2.svg, ...")
      ->type_name("FILE");
  add_threads(command, options.threads);
  command.footer(R"(
Tokens that training never showed are read as <unk>, with a warning at the end. An output
that was cut before its end has the mark … behind it. A source that cannot be translated
(empty, too long, not UTF-8) is named on standard error and gets an empty line; the others
go on, and the exit code is 3.

Sources that begin with - go behind --. On a terminal control characters are shown as
U+001B, say.

Examples:
  seq2seq translate --run runs/demo attention
  seq2seq translate --run runs/demo --heatmap --svg attention.svg attention
  seq2seq translate --config big.toml -- -x
  cut -f1 datasets/cmudict/test.tsv | seq2seq translate --run runs/cmudict --alignment)");
}

// The command line behind the command's name: what CLI11 is to read, and the sources, which are
// taken as they are. (CLI11 would cut '[a,b]' in two, and take ++ or the name of a command for one
// of its own.)
struct Arguments {
  std::vector<std::string> flags, sources;
};

bool is_flag(const std::string& text) {
  const bool is_number = text.size() > 1 && text[1] >= '0' && text[1] <= '9';
  return text.size() > 1 && text[0] == '-' && !is_number;
}

Arguments split(const CLI::App& command, const std::vector<std::string>& words) {
  Arguments arguments;
  const auto option_of = [&](const std::string& word) {
    return command.get_option_no_throw(word.substr(0, word.find('=')));
  };
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--") {
      arguments.sources.insert(arguments.sources.end(),
                               words.begin() + static_cast<std::ptrdiff_t>(i) + 1, words.end());
      break;
    }
    if (!is_flag(word)) {
      arguments.sources.push_back(word);
      continue;
    }
    const CLI::Option* option = option_of(word);
    if (option == nullptr || option->get_items_expected_max() == 0) {
      arguments.flags.push_back(word);
      continue;
    }
    // In two words an empty value stays one.
    const std::size_t equals = word.find('=');
    arguments.flags.push_back(word.substr(0, equals));
    if (equals != std::string::npos) {
      arguments.flags.push_back(word.substr(equals + 1));
    } else if (i + 1 < words.size()) {
      const std::string& value = words[++i];
      if (value.starts_with("--") && (value == "--" || option_of(value) != nullptr))
        throw CLI::ValidationError(
            word, fmt::format("there is no value before {0}; if that is it: {1}={0}", value, word));
      arguments.flags.push_back(value);
    }
  }
  return arguments;
}

}  // namespace

Command parse_command_line(int argc, char** argv) {
  CLI::App app(
      "Learns to turn one sequence into another with attention, and shows where it looked.",
      "seq2seq");
  app.require_subcommand(1);
  app.set_version_flag("--version", fmt::format("seq2seq {}", attune::version()));
  // A script can pass on its user's flags after its own.
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app.footer("\nEach command explains its flags: seq2seq train --help");
  TrainOptions train;
  TestOptions test;
  TranslateOptions translate;
  add_train(app, train);
  add_test(app, test);
  add_translate(app, translate);

  std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  const CLI::App* command = nullptr;  // the one that is named
  for (const CLI::App* known : app.get_subcommands([](const CLI::App*) { return true; }))
    if (!words.empty() && known->get_name() == words.front()) command = known;
  try {
    if (command == nullptr && !words.empty() && !is_flag(words.front()))
      throw CLI::ValidationError("there is no command '" + words.front() + "'",
                                 "expected train, test or translate");
    if (command != nullptr) {
      Arguments arguments = split(*command, {words.begin() + 1, words.end()});
      if (command->get_name() == "translate") {
        translate.sources = std::move(arguments.sources);
      } else if (!arguments.sources.empty()) {
        throw CLI::ExtrasError(command->get_name(), {arguments.sources.front()});
      }
      words.resize(1);
      words.insert(words.end(), arguments.flags.begin(), arguments.flags.end());
    }
    std::reverse(words.begin(), words.end());  // as CLI11 wants them
    app.parse(words);
  } catch (const CLI::Success& help) {
    app.exit(help);
    return {};
  } catch (const CLI::ParseError& error) {
    const std::string name = command == nullptr ? "" : command->get_name() + " ";
    const bool is_source =
        name == "translate " && dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr;
    throw WrongUse(fmt::format("{}{}; see seq2seq {}--help", flags::reason_of(error),
                               is_source ? "; sources that begin with - go behind --" : "", name));
  }
  if (app.got_subcommand("train")) return train;
  if (app.got_subcommand("test")) return test;
  return translate;
}

TrainOptions parse_train_flags(const std::vector<std::string>& flags) {
  std::vector<std::string> words = {"seq2seq", "train", "--run=."};
  words.insert(words.end(), flags.begin(), flags.end());
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  return std::get<TrainOptions>(
      parse_command_line(static_cast<int>(arguments.size()), arguments.data()));
}

}  // namespace seq2seq
