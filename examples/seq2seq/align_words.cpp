#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "attune/alignment/measures.h"
#include "attune/alignment/reference_alignment.h"
#include "attune/alignment/symmetrization.h"
#include "attune/alignment/word_aligner.h"
#include "attune/autograd/array/threads.h"
#include "attune/data/files.h"
#include "attune/data/lines.h"
#include "attune/data/messages.h"
#include "attune/data/pairs.h"
#include "attune/data/utf8_words.h"
#include "attune/data/vocabulary.h"
#include "commands.h"

namespace seq2seq {

using namespace attune;

namespace {

// Numbers the tokens of one side. They count as the same in upper and lower case.
class Numbers {
 public:
  explicit Numbers(const std::string& kind) : tokenizer_(tokens_named(kind)) {}

  std::vector<int> of(const std::string& line) {
    std::vector<int> numbers;
    for (const std::string& token : tokenizer_.tokenize(line))
      numbers.push_back(
          numbers_.emplace(utf8::lower(token), static_cast<int>(numbers_.size())).first->second);
    return numbers;
  }

 private:
  Vocabulary tokenizer_;
  std::unordered_map<std::string, int> numbers_;
};

struct Corpus {
  std::vector<WordPair> learned = {};
  std::vector<WordPair> to_align = {};  // of the first file; without words if they are too long
  std::int64_t too_long = 0;
};

void read(const PairFiles& files, const AlignWordsCommand& command, Numbers& sources,
          Numbers& targets, Corpus& corpus, bool is_first) {
  PairReader reader(files);
  std::int64_t lines = 0;
  for (PairLine line; reader.next(line); ++lines) {
    if (!line.fault.empty()) fail("{}: {}", files.place_of(line.number), line.fault);
    WordPair words{.source = sources.of(line.source), .target = targets.of(line.targets.front())};
    if (std::max(std::ssize(words.source), std::ssize(words.target)) > command.max_length) {
      ++corpus.too_long;
      words = {};
    }
    if (is_first) corpus.to_align.push_back(words);
    if (!words.source.empty()) corpus.learned.push_back(std::move(words));
  }
  files.check_not_empty(lines);
}

std::vector<WordPair> reversed(std::vector<WordPair> pairs) {
  for (WordPair& pair : pairs) std::swap(pair.source, pair.target);
  return pairs;
}

// The alignments of pairs by an aligner that learned from them.
std::vector<std::vector<int>> positions_of(const std::vector<WordPair>& learned,
                                           const std::vector<WordPair>& pairs,
                                           const AlignWordsCommand& command, const char* way) {
  const WordAligner aligner(learned, command.options);
  std::int64_t words = 0;
  for (const WordPair& pair : learned) words += std::ssize(pair.target);
  const auto perplexity = [&](double log_likelihood) {
    return std::exp(-log_likelihood / static_cast<double>(words));
  };
  tell("{}: {} words; perplexity {:.2f} at first, {:.2f} at last\n", way, words,
       perplexity(aligner.log_likelihoods().front()), perplexity(aligner.log_likelihoods().back()));
  return aligner.align(pairs);
}

// The files to read, first those to align. Errors: sources without targets; standard input twice.
std::vector<PairFiles> inputs_of(const AlignWordsCommand& command) {
  std::vector<PairFiles> inputs;
  if (!command.data.empty()) inputs.push_back({.pairs = command.data});
  for (const std::string& path : command.more) inputs.push_back({.pairs = path});
  ATTUNE_CHECK(command.sources.size() == command.targets.size(),
               "{} files for --source and {} for --target; expected as many",
               command.sources.size(), command.targets.size());
  for (std::size_t i = 0; i < command.sources.size(); ++i)
    inputs.push_back({.source = command.sources[i], .targets = {command.targets[i]}});
  ATTUNE_CHECK(!inputs.empty(), "no pairs to align; name them by --data, or --source and --target");
  std::ptrdiff_t standard_inputs = 0;
  for (const PairFiles& files : inputs) {
    const std::vector<std::string> paths = files.paths();
    standard_inputs += std::count(paths.begin(), paths.end(), "-");
  }
  ATTUNE_CHECK(standard_inputs <= 1, "{} files are -, standard input; expected one at most",
               standard_inputs);
  return inputs;
}

// The correct alignments of pairs, if there are any.
std::vector<ReferenceAlignment> references_of(const AlignWordsCommand& command,
                                              const std::string& name,
                                              const std::vector<WordPair>& pairs) {
  if (command.reference.empty()) return {};
  std::vector<ReferenceAlignment> references = read_moses(command.reference);
  ATTUNE_CHECK(references.size() == pairs.size(),
               "--reference-alignment: '{}' has {}, but {} has {}; expected as many",
               command.reference, lines_text(std::ssize(references)), name,
               lines_text(std::ssize(pairs)));
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (pairs[i].source.empty()) continue;  // too long
    try {
      check_positions(references[i], pairs[i].source.size(), pairs[i].target.size());
    } catch (const Error& error) {
      fail("{}: {}", place_of(command.reference, static_cast<std::int64_t>(i) + 1), error.what());
    }
  }
  return references;
}

std::string table_of(const AlignmentScores& scores) {
  std::string table;
  for (const auto& [name, share] : {std::pair{"alignment error rate", scores.error_rate()},
                                    std::pair{"alignment precision", scores.precision()},
                                    std::pair{"alignment recall", scores.recall()}})
    table += fmt::format("{:<21} {:6.2f}%\n", name, 100 * share);
  return table;
}

}  // namespace

int run(const AlignWordsCommand& command) {
  const Symmetrization how = symmetrization_named(command.symmetrization);
  const std::vector<PairFiles> inputs = inputs_of(command);
  if (command.output != "-") check_output("--output", command.output);
  set_threads(command.threads);
  Numbers sources(command.source_tokens), targets(command.target_tokens);
  Corpus corpus;
  for (const PairFiles& files : inputs)
    read(files, command, sources, targets, corpus, &files == &inputs.front());
  ATTUNE_CHECK(!corpus.learned.empty(),
               "each pair has more than {} tokens on a side; raise --max-length",
               command.max_length);

  const std::vector<ReferenceAlignment> references =
      references_of(command, inputs.front().name(), corpus.to_align);
  const std::vector<std::vector<int>> forward =
      positions_of(corpus.learned, corpus.to_align, command, "source to target");
  const std::vector<std::vector<int>> backward =
      positions_of(reversed(std::move(corpus.learned)), reversed(std::move(corpus.to_align)),
                   command, "target to source");
  std::string lines;
  AlignmentScores scores;
  for (std::size_t i = 0; i < forward.size(); ++i) {
    const ReferenceAlignment links = symmetrized(forward[i], backward[i], how);
    lines += to_moses(links) + "\n";
    if (!references.empty()) scores.add(links.sure, references[i]);
  }
  const bool prints_links = command.output == "-";
  if (prints_links)
    fmt::print("{}", lines);
  else
    write_file_atomically(command.output, lines);
  if (!references.empty()) fmt::print(prints_links ? stderr : stdout, "{}", table_of(scores));
  if (corpus.too_long > 0)
    warn(
        "{} with more than {} tokens on a side (--max-length) left out; the lines of those of "
        "{} are blank",
        corpus.too_long == 1 ? "1 pair" : fmt::format("{} pairs", corpus.too_long),
        command.max_length, inputs.front().name());
  return 0;
}

}  // namespace seq2seq
