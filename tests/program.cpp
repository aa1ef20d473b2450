#include "program.h"

#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <sstream>

namespace program {
namespace {

// Signal handling must not depend on how the tests were started: nohup ignores SIGHUP, and some
// callers ignore SIGPIPE.
class DefaultSignals {
 public:
  DefaultSignals() {
    for (std::size_t i = 0; i < kSignals.size(); ++i)
      before_[i] = std::signal(kSignals[i], SIG_DFL);
  }
  ~DefaultSignals() {
    for (std::size_t i = 0; i < kSignals.size(); ++i) std::signal(kSignals[i], before_[i]);
  }

 private:
  static constexpr std::array kSignals = {SIGHUP, SIGPIPE, SIGTERM};
  std::array<void (*)(int), kSignals.size()> before_;
};

}  // namespace

Result shell(const TemporaryFolder& folder, const std::string& command, const std::string& input) {
  const std::string in = folder.write("in", input), out = folder.path("out"),
                    err = folder.path("err"), script = folder.write("script", command);
  const std::string line = "seq2seq='" ATTUNE_PROGRAMS "/seq2seq' language_model='" ATTUNE_PROGRAMS
                           "/language_model' bash '" +
                           script + "' <'" + in + "' >'" + out + "' 2>'" + err + "'";
  const DefaultSignals signals;
  const int status = std::system(line.c_str());
  Result result{WIFEXITED(status) ? WEXITSTATUS(status) : -1, folder.read("out"),
                folder.read("err")};
  for (const std::string& file : {in, out, err, script}) std::filesystem::remove(file);
  return result;
}

Result seq2seq(const TemporaryFolder& folder, const std::string& arguments,
               const std::string& input) {
  return shell(folder, "cd '" + folder.path("") + "' && \"$seq2seq\" " + arguments, input);
}

Result language_model(const TemporaryFolder& folder, const std::string& arguments,
                      const std::string& input) {
  return shell(folder, "cd '" + folder.path("") + "' && \"$language_model\" " + arguments, input);
}

Result train(const TemporaryFolder& folder, const std::string& arguments) {
  return seq2seq(folder, "train --run run --steps 3" + std::string(kSmall) + arguments);
}

void check_error(const Result& result, const std::string& part, const std::string& name) {
  INFO("code " << result.code << ", out: " << result.out << "\nerr: " << result.err);
  CHECK(result.code > 0);
  CHECK(result.code < 126);
  CHECK_THAT(result.err, Catch::Matchers::StartsWith(name + ": error: "));
  CHECK_THAT(result.err, contains(part));
  CHECK(std::count(result.err.begin(), result.err.end(), '\n') == 1);
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::vector<std::string> names_in(const std::string& path) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(path))
    names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace program
