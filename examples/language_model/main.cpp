// A language model of the characters or words of any text, and samples from it.

#include <algorithm>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include "attune/autograd/version.h"
#include "attune/data/files.h"
#include "attune/data/messages.h"
#include "attune/data/utf8.h"
#include "examples/cli11_fields.h"
#include "options.h"

namespace {

constexpr int kFailed = 1, kWrongUse = 2;  // exit codes

constexpr const char* kTrainHelp = R"(
The defaults are nanoGPT's for a laptop: a Transformer of 4 layers, a minute or two. The run
folder holds config.toml, tokens.vocab, metrics.jsonl, model.safetensors and, during the
training, its checkpoint. Ctrl-C ends the training after the current step with everything
saved; --resume continues with the same result as if it had never stopped.

Examples:
  language_model train --run runs/shakespeare --data shakespeare.txt
  language_model train --run runs/words --data book.txt --tokens words --steps 5000
  language_model train --run runs/gru --data book.txt --model recurrent --layers 2 --hidden 512
  language_model train --run runs/words --resume
  language_model train --run runs/again --config runs/words/config.toml --seed 2)";

constexpr const char* kTestHelp = R"(
Perplexity is exp of the mean of -log p(token | tokens before it). Bits per character are the
sum of -log2 p, divided by the characters of the text, white space included; they compare
models with different tokens.

Examples:
  language_model test --run runs/shakespeare --data other.txt
  language_model test --run runs/shakespeare --data other.txt --json)";

constexpr const char* kSampleHelp = R"(
Texts longer than the model's context are written in pieces, each of which continues the end
of the one before. --- stands between texts.

Examples:
  language_model sample --run runs/shakespeare
  language_model sample --run runs/shakespeare --prompt "ROMEO:" --temperature 0.7 --length 200
  language_model sample --run runs/words --count 3 --top-p 0.9 --seed 7)";

class WrongUse : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Commands {
  language_model::TrainCommand train;
  language_model::TestCommand test;
  language_model::SampleCommand sample;
};

template <typename Options>
CLI::App& add_command(CLI::App& app, const char* name, const char* purpose, Options& options,
                      const char* footer) {
  CLI::App& command = *app.add_subcommand(name, purpose);
  flags::add_fields(command, fields(options));
  command.footer(footer);
  return command;
}

// Parses the command line. Returns the name of the chosen command; "" after --help.
std::string parse(int argc, char** argv, Commands& commands) {
  CLI::App app("Learns the characters or words of a text, and writes more of them.",
               "language_model");
  app.require_subcommand(1);
  app.set_version_flag("--version", fmt::format("language_model {}", attune::version()));
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app.footer("\nEach command explains its flags: language_model train --help");
  CLI::App& train = add_command(app, "train", "Train a model and keep it in a run folder.",
                                commands.train, kTrainHelp);
  flags::add_flag_file(train, {});
  add_command(app, "test", "Measure how well a trained model predicts a text.", commands.test,
              kTestHelp);
  add_command(app, "sample", "Write random texts like those learnt.", commands.sample, kSampleHelp);
  std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  std::string name;
  try {
    for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
      if (words.empty() || command->get_name() != words.front()) continue;
      flags::Words given = flags::split(*command, {words.begin() + 1, words.end()});
      if (!given.others.empty())
        throw CLI::ExtrasError(command->get_name(), {given.others.front()});
      words.resize(1);
      words.insert(words.end(), given.flags.begin(), given.flags.end());
      name = command->get_name();
      break;
    }
    if (name.empty() && !words.empty() && !flags::is_flag(words.front()))
      throw CLI::ValidationError("there is no command '" + words.front() + "'",
                                 "expected train, test or sample");
    std::reverse(words.begin(), words.end());  // CLI11 expects them in reverse
    app.parse(words);
    commands.train.training.given = flags::given_fields(train, fields(commands.train));
    if (name == "train") check(commands.train);
    return name;
  } catch (const CLI::Success& help) {
    app.exit(help);
    return "";
  } catch (const CLI::ParseError& error) {
    throw WrongUse(fmt::format("{}; see language_model {}--help", error.what(),
                               name.empty() ? "" : name + " "));
  } catch (const attune::OptionError& error) {
    throw WrongUse(fmt::format("{}; see language_model {} --help", error.what(), name));
  }
}

// Prints the message on one line, even if it quotes user data with line ends.
int report(std::string message, int code) {
  while (!message.empty() && message.back() == '\n') message.pop_back();
  std::replace(message.begin(), message.end(), '\n', ' ');
  attune::tell("language_model: error: {}\n", attune::utf8::printable(message));
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  attune::occupy_standard_streams();
  attune::set_option_names(attune::flag_of);
  try {
    Commands commands;
    const std::string name = parse(argc, argv, commands);
    const int code = name == "train"    ? run(commands.train)
                     : name == "test"   ? run(commands.test)
                     : name == "sample" ? run(commands.sample)
                                        : 0;
    ATTUNE_CHECK(std::fflush(stdout) == 0 && std::ferror(stdout) == 0,
                 "cannot write to standard output");
    return code;
  } catch (const WrongUse& error) {
    return report(error.what(), kWrongUse);
  } catch (const std::bad_alloc&) {
    return report("out of memory; a smaller --batch, --context or model needs less", kFailed);
  } catch (const std::exception& error) {
    return report(error.what(), kFailed);
  }
}
