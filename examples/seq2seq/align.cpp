#include "attune/data/files.h"
#include "attune/train/recorded_alignment.h"
#include "commands.h"

namespace seq2seq {

using namespace attune;

int run(const AlignCommand& command) {
  ATTUNE_CHECK(!command.svg.empty() || !command.png.empty() || !command.pdf.empty(),
               "there is no picture to draw; name a file with --svg, --png or --pdf");
  if (!command.png.empty()) require_cairo("--png");
  if (!command.pdf.empty()) require_cairo("--pdf");
  check_output("--svg", command.svg);
  check_output("--png", command.png);
  check_output("--pdf", command.pdf);
  const AlignmentFigure figure =
      command.steps.empty()
          ? align(command.options, command.source)
          : recorded_alignment(command.options.run, command.steps, command.example);
  if (!command.svg.empty()) write_file_atomically(command.svg, to_svg(figure));
  if (!command.png.empty()) write_file_atomically(command.png, to_png(figure));
  if (!command.pdf.empty()) write_file_atomically(command.pdf, to_pdf(figure));
  return 0;
}

}  // namespace seq2seq
