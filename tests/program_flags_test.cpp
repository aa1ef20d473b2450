// The command line of the program seq2seq: numbers, sources, files of flags, errors, terminals.
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "attune/autograd/version.h"
#include "catch.h"
#include "program.h"
#include "temporary_folder.h"

using program::check_error;
using program::lines_of;
using program::Result;
using program::seq2seq;
using program::shell;
using program::train;

namespace {

nlohmann::json config_of(const TemporaryFolder& folder) {
  return nlohmann::json::parse(folder.read("run/config.json"));
}

// `text` with each `from` replaced.
std::string replaced(std::string text, const std::string& from, const std::string& to) {
  REQUIRE(text.find(from) != std::string::npos);
  return text.replace(text.find(from), from.size(), to);
}

// The output on a terminal of 80 columns.
Result on_terminal(const TemporaryFolder& folder, const std::string& arguments,
                   const std::string& environment = "TERM=xterm") {
  folder.write("on_terminal", "stty cols 80 2>/dev/null; " + environment +
                                  " '" ATTUNE_PROGRAMS "/seq2seq' " + arguments);
  return shell(folder, "cd '" + folder.path("") + "' && script -qec 'bash on_terminal' /dev/null");
}

}  // namespace

TEST_CASE("seq2seq reads decimal numbers, and accepts 1e1 as a whole number") {
  const TemporaryFolder folder;
  REQUIRE(
      train(folder, "--seed 010 --steps 2e0 --warmup +1 --learning-rate 1e-3 --hidden 8.0").code ==
      0);
  const nlohmann::json config = config_of(folder);
  CHECK(config["training"]["seed"] == 10);
  CHECK(config["training"]["steps"] == 2);
  CHECK(config["training"]["warmup"] == 1);
  CHECK(config["training"]["learning_rate"] == 1e-3);
  CHECK(config["model"]["hidden"] == 8);

  // The name of earlier versions, which wins over that of a file as any flag does.
  folder.write("flags.toml", "learning-rate = 0.5\n");
  REQUIRE(train(folder, "--learn-rate 2e-3 --config flags.toml").code == 0);
  CHECK(config_of(folder)["training"]["learning_rate"] == 2e-3);

  REQUIRE(train(folder, "--seed 18446744073709551615").code == 0);
  CHECK(config_of(folder)["training"]["seed"] == 18446744073709551615u);
  const Result test = seq2seq(folder, "test --run run --json --count 02e1 --seed 08 --threads 01");
  CHECK(nlohmann::json::parse(test.out)["sequences"] == 20);
}

TEST_CASE("seq2seq rejects invalid numbers and numbers out of range") {
  const TemporaryFolder folder;
  const char* texts[] = {"0x10", "1.5", "1.5e0", "1,000", "' 5'", "5x", "nan", "inf", "-1", "''"};
  for (const char* flag : {"--steps", "--seed", "--hidden", "--max-length", "--threads"})
    for (const char* text : texts) {
      CAPTURE(flag, text);
      const Result result = train(folder, std::string(flag) + "=" + text);
      check_error(result, std::string(flag) + ": '");
      CHECK(result.code == 2);
    }
  for (const char* text : {"nan", "inf", "-1", "1e400", "1e-400", "0x1p-3", "''"})
    check_error(train(folder, std::string("--learning-rate ") + text), "--learning-rate: '");
  check_error(train(folder, "--hidden 4294967297"), "--hidden: '4294967297' is too large");
  check_error(train(folder, "--seed 18446744073709551616"),
              "--seed: '18446744073709551616' is not");
  check_error(train(folder, "--steps 1e30"), "--steps: '1e30' is not a whole number");
  check_error(train(folder, "--bidirectional=maybe"),
              "--bidirectional: 'maybe' is neither true nor false");
}

TEST_CASE("seq2seq translate does not interpret sources as flags") {
  const TemporaryFolder folder;
  folder.write("pairs.tsv", "[a,b]\tx\n++\ty\n{}%\\\"'-\tz\ntest train\tx\n");
  REQUIRE(train(folder, "--data pairs.tsv").code == 0);
  const std::vector<std::pair<std::string, std::string>> sources = {
      {"'[a,b]'", "[a,b]"}, {"'[a]'", "[a]"},     {"'[]'", "[]"},   {"++", "++"},
      {"%%", "%%"},         {"'{}'", "{}"},       {"test", "test"}, {"train", "train"},
      {"-- -x", "-x"},      {"-- --", "--"},      {"'\\'", "\\"},   {"'\"'", "\""},
      {"\"'\"", "'"},       {"-- --run", "--run"}};
  for (const auto& [argument, line] : sources) {
    CAPTURE(argument);
    const Result given = seq2seq(folder, "translate --run run " + argument);
    INFO(given.err);
    CHECK(given.code == 0);
    CHECK(lines_of(given.out).size() == 1);
    CHECK(given.out == seq2seq(folder, "translate --run run", line + "\n").out);
  }
  CHECK(lines_of(seq2seq(folder, "translate '[a,b]' --run run '[b,a]' -- '[a]' -a").out).size() ==
        4);
  CHECK(lines_of(seq2seq(folder, "translate --run run a '' b").out).size() == 3);
}

TEST_CASE("seq2seq errors name the command whose --help has details") {
  const TemporaryFolder folder;
  check_error(seq2seq(folder, "train --run r --steps 0"), "see seq2seq train --help");
  check_error(seq2seq(folder, "train"), "see seq2seq train --help");
  check_error(seq2seq(folder, "train --run r x"), "x; see seq2seq train --help");
  check_error(seq2seq(folder, "test --run r --bogus"), "--bogus; see seq2seq test --help");
  check_error(seq2seq(folder, "translate --run r -x"),
              "go behind --; see seq2seq translate --help");
  check_error(seq2seq(folder, "translate --threads x"), "see seq2seq translate --help");
  check_error(seq2seq(folder, "trian"), "no command 'trian'");
  check_error(seq2seq(folder, "trian"), "see seq2seq --help");
  check_error(seq2seq(folder, ""), "see seq2seq --help");
  check_error(seq2seq(folder, "train --run --steps 5"), "--run: there is no value");
  check_error(seq2seq(folder, "train --run"), "--run");
}

TEST_CASE("seq2seq prints its version and flags, or fails if it cannot write them") {
  const TemporaryFolder folder;
  CHECK(seq2seq(folder, "--version").out == "seq2seq " + std::string(attune::version()) + "\n");
  CHECK(attune::version().find_first_not_of("0123456789.") == std::string::npos);
  for (const char* arguments : {"--version", "--help", "train --help", "test --help",
                                "translate --help", "align --help", "explain --help"}) {
    CAPTURE(arguments);
    const Result shown = seq2seq(folder, arguments);
    CHECK(shown.code == 0);
    CHECK_FALSE(shown.out.empty());
    check_error(seq2seq(folder, std::string(arguments) + " >/dev/full"), "standard output");
  }
  for (const char* command : {"train", "test", "translate", "align", "explain"}) {
    const Result help = seq2seq(folder, std::string(command) + " --help");
    CHECK_THAT(help.out, contains("Examples:"));
    CHECK_THAT(help.out, contains(std::string("seq2seq ") + command + " --config"));
  }
}

TEST_CASE("seq2seq reads flags from a file, and flags on the command line override them") {
  const TemporaryFolder folder;
  folder.write("flags.toml",
               "\xEF\xBB\xBF# a comment\r\n"
               "run = \"run\"   # where\r\n"
               "[train]\n"
               "task = sort\n"
               "steps = 3e0\n"
               "hidden=8\n"
               "embedding = 04\n"
               "batch = '8'\n"
               "bidirectional = false\n"
               "[ test ]\n"
               "count = 7\n"
               "json = true\n");
  REQUIRE(seq2seq(folder, "train --config flags.toml --steps 2").code == 0);
  nlohmann::json config = config_of(folder);
  CHECK(config["task"] == "sort");
  CHECK(config["training"]["steps"] == 2);
  CHECK(config["model"]["hidden"] == 8);
  CHECK(config["model"]["embedding"] == 4);
  CHECK(config["model"]["bidirectional"] == false);
  const Result test = seq2seq(folder, "test --config flags.toml");
  CHECK(nlohmann::json::parse(test.out)["sequences"] == 7);
  CHECK(lines_of(seq2seq(folder, "translate '[a]' --config flags.toml b").out).size() == 2);

  // --data on the command line overrides the file's task.
  folder.write("a #, b.tsv", "a\tb\n");
  REQUIRE(seq2seq(folder, "train --data 'a #, b.tsv' --config flags.toml").code == 0);
  CHECK(config_of(folder)["task"] == "");
  folder.write("data.toml", "data = \"a #, b.tsv\"\nsteps = 1\nno-bidirectional = true\n");
  REQUIRE(seq2seq(folder, "train --run run --hidden 8 --config data.toml").code == 0);
  config = config_of(folder);
  CHECK(config["training"]["data"] == "a #, b.tsv");
  CHECK(config["model"]["bidirectional"] == false);
}

TEST_CASE("seq2seq names file and line of an error in a file of flags") {
  const TemporaryFolder folder;
  const std::vector<std::pair<std::string, std::string>> lines = {
      {"stepz = 5", "unknown key 'stepz'"},
      {"sources = a", "unknown key 'sources'"},
      {"config = a", "unknown key 'config'"},
      {"steps = 1.5", "--steps: '1.5' is not a whole number"},
      {"steps = 0x10", "--steps: '0x10' is not a whole number"},
      {"hidden = 4294967297", "--hidden: '4294967297' is too large"},
      {"learning-rate = nan", "--learning-rate: 'nan' is not"},
      {"task = swim", "--task: swim not in"},
      {"steps", "not a line such as"},
      {"steps =", "no value"},
      {"steps = [1, 2]", "a list or a table"},
      {"steps = \"5", "not closed"},
      {"steps = \"5\" 6", "'6' behind the value"},
      {"task = \"\\q\"", "unknown escape"},
      {"bidirectional = maybe", "neither true nor false"},
      {"[other]", "none of the sections"},
  };
  for (const auto& [line, reason] : lines) {
    CAPTURE(line);
    folder.write("flags.toml", "# first\n" + line + "\n");
    const Result result = seq2seq(folder, "train --run run --config flags.toml");
    check_error(result, "flags.toml:2: ");
    check_error(result, reason);
  }
  folder.write("flags.toml", "steps = 1\nsteps = 2\n");
  check_error(seq2seq(folder, "train --run run --config flags.toml"),
              "flags.toml:2: 'steps' is given twice");
  check_error(seq2seq(folder, "train --run run --config none.toml"), "none.toml");
}

TEST_CASE("seq2seq rejects invalid values in config.json and names the key") {
  const TemporaryFolder folder;
  REQUIRE(train(folder, "").code == 0);
  const std::string good = folder.read("run/config.json");
  const std::vector<std::pair<std::string, std::string>> faults = {
      {"\"hidden\": 8", "\"hidden\": 8.9"},
      {"\"hidden\": 8", "\"hidden\": 4294967304"},
      {"\"hidden\": 8", "\"hidden\": 18446744073709551624"},
      {"\"hidden\": 8", "\"hidden\": -8"},
      {"\"hidden\": 8", "\"hidden\": \"8\""},
      {"\"embedding\": 4", "\"embedding\": null"},
      {"\"layers\": 1", "\"layers\": true"},
      {"\"dropout\": 0.0", "\"dropout\": 1"},
      {"\"bidirectional\": true", "\"bidirectional\": 1"},
      {"\"cell\": \"gru\"", "\"cell\": \"grue\""},
      {"\"max_length\": 20", "\"max_length\": 0"},
      {"\"max_length\": 20", "\"max_length\": 20.5"},
      {"\"min_length\": 1", "\"min_length\": 1e30"},
      {"\"task\": \"reverse\"", "\"task\": 1"},
  };
  for (const auto& [from, to] : faults) {
    CAPTURE(to);
    folder.write("run/config.json", replaced(good, from, to));
    const std::string key = to.substr(1, to.find('"', 1) - 1);
    check_error(seq2seq(folder, "translate --run run a"), key + "\" is ");
  }
  folder.write("run/config.json", replaced(good, "\"hidden\": 8", "\"hiden\": 8"));
  check_error(seq2seq(folder, "test --run run"), "\"model.hidden\" is missing");
  folder.write("run/config.json", replaced(good, "\"hidden\": 8", "\"hidden\": 8, \"width\": 8"));
  check_error(seq2seq(folder, "test --run run"), "\"model.width\" is not a key");
  folder.write("run/config.json", replaced(good, "\"hidden\": 8", "\"hidden\": 2000000000"));
  check_error(seq2seq(folder, "test --run run"), "is of another run");  // before 10^19 bytes
  folder.write("run/config.json", good);
  CHECK(seq2seq(folder, "translate --run run a").code == 0);
}

TEST_CASE("seq2seq makes control characters visible, except in a file or a pipe") {
  const TemporaryFolder folder;
  folder.write("pairs.tsv", "a\tx\x1b[31my\n");
  REQUIRE(train(folder, "--data pairs.tsv --target-tokens words --steps 100 --learning-rate 0.02")
              .code == 0);
  CHECK(seq2seq(folder, "translate --run run a").out.find("x\x1b[31my") == 0);
  const Result shown = on_terminal(folder, "translate --run run --heatmap a");
  CHECK_THAT(shown.out, contains("xU+001B[31my"));
  CHECK(shown.out.find("\x1b[31m") == std::string::npos);

  for (const char* arguments :
       {"test --run $'r\\e[31m\\x9b'", "train --run r --steps $'\\e[31m'",
        "train --run r $'\\e[31m'", "translate --run run $'\\e'", "train --run r --data $'\\e[31m'",
        "train --run r --config $'\\e[31m'"}) {
    CAPTURE(arguments);
    const Result result = seq2seq(folder, arguments);
    CHECK(result.err.find('\x1b') == std::string::npos);
    CHECK_THAT(result.err, contains("U+001B"));
  }
}

TEST_CASE("seq2seq draws without colour if NO_COLOR or TERM=dumb is set") {
  const TemporaryFolder folder;
  REQUIRE(train(folder, "").code == 0);
  const std::string draw = "translate --run run --heatmap abc";
  const std::string color = "TERM=xterm-256color COLORTERM=truecolor ";
  CHECK_THAT(on_terminal(folder, draw, color + "NO_COLOR=").out, contains("\x1b[48;2;"));
  for (const char* none : {"NO_COLOR=1", "TERM=dumb"}) {
    CAPTURE(none);
    const Result result = on_terminal(folder, draw, color + none);
    CHECK_THAT(result.out, contains("░"));
    CHECK(result.out.find('\x1b') == std::string::npos);
  }
}

TEST_CASE("seq2seq train --live draws loss and attention on a terminal, and changes no bit") {
  const TemporaryFolder folder;
  const std::string small = std::string(program::kSmall) + "--steps 200 --max-length 5 --run ";
  const std::string color = "TERM=xterm-256color COLORTERM=truecolor ";
  REQUIRE(seq2seq(folder, "train" + small + "plain").code == 0);
  const Result drawn = on_terminal(folder, "train --live" + small + "live", color);
  REQUIRE(drawn.code == 0);
  CHECK_THAT(drawn.out, contains("loss 3.") && contains("█") && contains("\x1b[48;2;"));
  CHECK(folder.read("plain/model.safetensors") == folder.read("live/model.safetensors"));
  const Result grey = on_terminal(folder, "train --live" + small + "grey", color + "NO_COLOR=1");
  CHECK_THAT(grey.out, contains("loss 3.") && contains("░"));
  CHECK_THAT(grey.out, !contains("\x1b[48"));
  const Result dumb = on_terminal(folder, "train --live" + small + "dumb", "TERM=dumb");
  CHECK_THAT(dumb.out, contains("training 200/200") && !contains("\x1b") && !contains("loss 3.4 "));
  CHECK_THAT(seq2seq(folder, "train --live" + small + "file").err,
             contains("training 200/200") && !contains("\x1b"));
}

TEST_CASE("the recipes have flags that fit together") {
  const TemporaryFolder folder;
  std::size_t recipes = 0;
  for (const char* kind : {"translation", "summarization"}) {
    const std::filesystem::path examples = std::filesystem::path(ATTUNE_ROOT) / "examples" / kind;
    for (const auto& entry : std::filesystem::directory_iterator(examples)) {
      if (entry.path().extension() != ".toml") continue;
      ++recipes;
      INFO(entry.path());
      // All that is missing is the data.
      check_error(seq2seq(folder, "train --config '" + entry.path().string() + "'"),
                  "cannot open 'datasets/");
    }
  }
  CHECK(recipes >= 8);
}
