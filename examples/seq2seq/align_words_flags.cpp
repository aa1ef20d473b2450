#include "align_words_flags.h"

#include <cmath>
#include <limits>
#include <tuple>

#include "attune/alignment/symmetrization.h"
// Above, since it must come before other headers of CLI11.
#include "examples/cli11_numbers.h"

namespace seq2seq {
namespace {

constexpr const char* kHelp = R"(
Aligns the words of pairs by what often occurs together in all of them and where, without a
model: a hidden Markov model in each direction (Vogel et al. 1996), learned by EM, and the
links of both joined. Upper and lower case count as the same. Each line of output has the
links of a pair in Moses form, such as 0-0 1-2 2-1, source-target positions from 0, which
test and train compare attention with (--reference-alignment).

The more pairs, the better the alignment: align the pairs of a test with those of the
training as --more. Ways to join the links of both directions:

  forward, backward    those of one direction: one for each target word, or source word
  intersection, union  those of both, of either
  grow-diag-final-and  the intersection and neighbours in the union (Koehn et al. 2005)
  graded               the same, but only those of the intersection are sure: 0-0 1p2

Examples:
  seq2seq align-words --data test.tsv --more train.tsv --output test.align
  seq2seq align-words --data datasets/gruut-fr/test.tsv --more datasets/gruut-fr/train.tsv \
    --source-tokens chars --reference-alignment datasets/gruut-fr/test.align
  seq2seq align-words --source test.de --target test.en --source train.de --target train.en
  seq2seq test --run runs/mine --data test.tsv --reference-alignment test.align)";

}  // namespace

void add_align_words(CLI::App& app, AlignWordsCommand& words) {
  CLI::App& command = *app.add_subcommand(
      "align-words", "Align the words of pairs by statistics, to compare attention with.");
  CLI::Option* data =
      command
          .add_option("--data", words.data,
                      "pairs to align, one a line: source TAB target; - reads standard input")
          ->type_name("FILE");
  command
      .add_option("--more", words.more, "pairs to learn from besides; may be given several times")
      ->take_all()
      ->expected(1)
      ->needs(data)
      ->type_name("FILE");
  for (const auto& [flag, files, help] :
       {std::tuple{"--source", &words.sources,
                   "instead of --data, a file of sources; given again, more to learn from"},
        std::tuple{"--target", &words.targets, "a file of targets for each of --source"}})
    command.add_option(flag, *files, help)
        ->take_all()
        ->expected(1)
        ->excludes(data)
        ->type_name("FILE");
  command
      .add_option("--output", words.output,
                  "a line of links for each pair; - writes to standard output")
      ->type_name("FILE")
      ->capture_default_str();
  command
      .add_option("--reference-alignment", words.reference,
                  "the correct alignment of each line of --data, as for test; prints the error "
                  "rate, precision and recall of sure links")
      ->type_name("FILE");
  for (const auto& [flag, value, help] :
       {std::tuple{"--source-tokens", &words.source_tokens, "how to cut sources"},
        std::tuple{"--target-tokens", &words.target_tokens, "how to cut targets"}})
    command.add_option(flag, *value, help)
        ->check(CLI::IsMember({"chars", "words"}))
        ->capture_default_str();
  command
      .add_option("--symmetrization", words.symmetrization,
                  "how to join the links of both directions, see below")
      ->check(CLI::IsMember(attune::symmetrization_names()))
      ->capture_default_str();

  const auto add_count = [&](const char* flag, int low, int& value, const char* help) {
    command.add_option(flag, value, help)
        ->check(flags::in_range(low, std::numeric_limits<int>::max(),
                                fmt::format("a whole number from {}", low)))
        ->capture_default_str();
  };
  add_count("--word-iterations", 0, words.options.word_iterations,
            "iterations of EM for words alone, IBM model 1");
  add_count("--iterations", 0, words.options.iterations,
            "iterations of EM for words and jumps, after them");
  command
      .add_option("--empty", words.options.empty,
                  "the probability that a word comes from none of the other side")
      ->check(flags::in_range(std::nextafter(0.0, 1.0), std::nextafter(1.0, 0.0),
                              "a number between 0 and 1"))
      ->capture_default_str();
  add_count("--max-length", 1, words.max_length,
            "pairs with more tokens on a side are left out: time grows with the length cubed");
  command.add_option("--threads", words.threads, "threads to use")
      ->check(flags::in_range(1, 1024, "a whole number from 1 to 1024"))
      ->capture_default_str();
  command.footer(kHelp);
}

}  // namespace seq2seq
