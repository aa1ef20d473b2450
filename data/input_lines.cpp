#include "attune/data/input_lines.h"

#include <poll.h>
#include <unistd.h>

#include <iostream>
#include <utility>

#include "attune/data/lines.h"

namespace attune {
namespace {

// Whether reading from standard input would not wait: there is input, or the end of it.
bool input_is_there() {
  pollfd input = {.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
  return ::poll(&input, 1, /*timeout=*/0) > 0;
}

}  // namespace

InputLines::InputLines(std::int64_t most)
    : most_(most),
      is_terminal_(::isatty(STDIN_FILENO) == 1),
      reader_(std::cin, name_of_input("-")) {}

std::vector<InputLine> InputLines::next() {
  std::vector<InputLine> lines;
  std::string line;
  while (!failure_) {
    try {
      if (!reader_.next(line)) return lines;
    } catch (const Error&) {
      failure_ = std::current_exception();
      break;
    }
    lines.push_back({std::move(line), place_of("-", reader_.number())});
    if (is_terminal_ || std::ssize(lines) >= most_ || !input_is_there()) return lines;
  }
  if (lines.empty()) std::rethrow_exception(failure_);
  return lines;
}

}  // namespace attune
