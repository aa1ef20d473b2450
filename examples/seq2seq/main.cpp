#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <variant>

#include "attune/autograd/array/error.h"
#include "commands.h"
#include "flags.h"

namespace {

constexpr int kFailed = 1, kWrongUse = 2;  // exit codes

int report(std::string message, int code) {
  while (!message.empty() && message.back() == '\n') message.pop_back();
  std::replace(message.begin(), message.end(), '\n', ' ');
  std::fputs(fmt::format("seq2seq: error: {}\n", message).c_str(), stderr);
  return code;
}

// A file that is opened must not get the number of a standard stream that is closed: what is meant
// for that stream would go into it. Writing to one that was closed stays an error.
void occupy_standard_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    while (::fcntl(stream, F_GETFD) < 0 && ::open("/dev/null", O_RDONLY) >= 0) {
    }
}

int run(const seq2seq::Command& command) {
  if (const auto* train = std::get_if<seq2seq::TrainOptions>(&command))
    return seq2seq::train(*train);
  if (const auto* test = std::get_if<seq2seq::TestOptions>(&command)) return seq2seq::test(*test);
  if (const auto* translate = std::get_if<seq2seq::TranslateOptions>(&command))
    return seq2seq::translate(*translate);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  occupy_standard_streams();
  try {
    const int code = run(seq2seq::parse_command_line(argc, argv));
    // What was printed may wait in a buffer: a full disk is noticed only now.
    ATTUNE_CHECK(std::fflush(stdout) == 0, "cannot write to standard output");
    return code;
  } catch (const seq2seq::WrongUse& error) {
    return report(fmt::format("{}; see seq2seq --help", error.what()), kWrongUse);
  } catch (const std::bad_alloc&) {
    return report("out of memory; try a smaller --batch, --hidden or --max-length", kFailed);
  } catch (const std::exception& error) {
    return report(error.what(), kFailed);
  }
}
