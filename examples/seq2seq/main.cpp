#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <variant>

#include "attune/autograd/array/error.h"
#include "attune/autograd/array/pool.h"
#include "attune/data/files.h"
#include "attune/data/messages.h"
#include "attune/data/utf8.h"
#include "commands.h"
#include "flags.h"

namespace {

constexpr int kFailed = 1, kWrongUse = 2;  // exit codes

// One line, whatever a message quotes of the user's data.
int report(std::string message, int code) {
  while (!message.empty() && message.back() == '\n') message.pop_back();
  std::replace(message.begin(), message.end(), '\n', ' ');
  std::fputs(fmt::format("seq2seq: error: {}\n", attune::utf8::printable(message)).c_str(), stderr);
  return code;
}

// What needs less memory, of that which the command lets its user choose.
std::string way_out(const seq2seq::Command& command) {
  if (const auto* train = std::get_if<attune::TrainOptions>(&command))
    return train->resume ? "; to go on, a training needs as much as when it was begun"
                         : "; a smaller --batch, shorter sequences (--max-length) or a smaller "
                           "model need less";
  if (std::holds_alternative<seq2seq::TestCommand>(command))
    return "; fewer or shorter sources need less, and so does a model with smaller sizes";
  if (std::holds_alternative<seq2seq::TranslateCommand>(command) ||
      std::holds_alternative<seq2seq::AlignCommand>(command) ||
      std::holds_alternative<seq2seq::ExplainCommand>(command))
    return "; shorter sources need less, and so does a model with smaller sizes";
  if (std::holds_alternative<seq2seq::AlignWordsCommand>(command))
    return "; fewer or shorter pairs (--max-length) need less";
  return "";  // it did not come to a command
}

int run(const seq2seq::Command& command) {
  return std::visit(
      [](const auto& chosen) {
        if constexpr (requires { seq2seq::run(chosen); })
          return seq2seq::run(chosen);
        else
          return 0;  // --help has been answered
      },
      command);
}

}  // namespace

int main(int argc, char** argv) {
  attune::occupy_standard_streams();
  attune::set_option_names(attune::flag_of);
  seq2seq::Command command;
  try {
    command = seq2seq::parse_command_line(argc, argv);
    const int code = run(command);
    // What was printed may wait in a buffer: a full disk is noticed only now, or was before by a
    // library that does not tell.
    ATTUNE_CHECK(std::fflush(stdout) == 0 && std::ferror(stdout) == 0,
                 "cannot write to standard output");
    return code;
  } catch (const seq2seq::WrongUse& error) {
    return report(error.what(), kWrongUse);
  } catch (const attune::pool::OutOfMemory& error) {  // its message has the size of the request
    return report(error.what() + way_out(command), kFailed);
  } catch (const std::bad_alloc&) {
    return report("out of memory" + way_out(command), kFailed);
  } catch (const std::exception& error) {
    return report(error.what(), kFailed);
  }
}
