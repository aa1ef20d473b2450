#include "attune/report/report.h"

#include "attune/data/files.h"
#include "attune/data/messages.h"
#include "commands.h"

namespace seq2seq {

std::string report_file(const std::string& folder) { return folder + "/report.html"; }

int run(const ReportCommand& command) {
  const std::vector<std::string>& runs = command.options.runs;
  const std::string path = !command.output.empty() ? command.output
                           : runs.size() == 1      ? report_file(runs.front())
                                                   : runs.front() + "/comparison.html";
  attune::write_file_atomically(path, attune::report_html(command.options));
  fmt::print("The report is {}\n", attune::shown(path));
  return 0;
}

}  // namespace seq2seq
