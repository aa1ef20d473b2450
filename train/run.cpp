#include "attune/train/run.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <limits>
#include <numeric>
#include <utility>

#include "attune/autograd/array/digest.h"
#include "attune/data/lines.h"
#include "attune/data/messages.h"
#include "attune/train/checkpoint.h"
#include "attune/train/run_config.h"
#include "attune/train/run_folder.h"
#include "attune/train/safetensors.h"

namespace attune {
namespace {

// The model is last: is_described() leaves it out.
constexpr std::array kFiles = {"config.json", "source.vocab", "target.vocab", "model.safetensors"};

Run read_run(const std::string& folder) {
  for (const char* name : kFiles)
    ATTUNE_CHECK(std::filesystem::exists(run_file(folder, name)),
                 "run folder '{}' is incomplete: it has no {}; was the training cut short?", folder,
                 name);
  Run run{folder, read_config(run_file(folder, "config.json")),
          Vocabulary::load(run_file(folder, "source.vocab")),
          Vocabulary::load(run_file(folder, "target.vocab")), nullptr};
  run.config.model.copied_as = run.source.ids_in(run.target);

  const std::string path = run_file(folder, "model.safetensors");
  const Safetensors saved = load_safetensors(path);
  const auto mark = saved.metadata.find("run");
  ATTUNE_CHECK(mark != saved.metadata.end() && mark->second == fingerprint(run),
               "'{}' is of another run than config.json, source.vocab and target.vocab beside it; "
               "expected files of one training",
               path);
  ATTUNE_CHECK(saved.metadata.size() == 1, "'{}' is damaged: it has a text that is not known",
               path);
  // Only now are the sizes in config.json known to be those of the model, and not a typing error.
  run.model = make_model(run.config.model);
  try {
    run.model->load(with_current_names(*run.model, saved.arrays));
  } catch (const Error& error) {
    fail("{} (in '{}')", error.what(), path);
  }
  return run;
}

// Identifies the files of the run: changes when a training replaces them.
std::string files_of(const std::string& folder) {
  std::string files;
  for (const char* name : kFiles) {
    struct stat status = {};
    ::stat(run_file(folder, name).c_str(), &status);
    files += fmt::format("{}:{}:{}.{} ", status.st_dev, status.st_ino, status.st_mtim.tv_sec,
                         status.st_mtim.tv_nsec);
  }
  return files;
}

// A token in brackets, which follow the space that a subword may begin with.
std::string in_brackets(std::string_view token) {
  const std::string_view before = token.starts_with(SubwordModel::space) ? SubwordModel::space : "";
  return fmt::format("{}[{}]", before, token.substr(before.size()));
}

// The tokens of a hypothesis.
std::vector<std::string> tokens_of(const Run& run, const Hypothesis& found, std::string_view line,
                                   bool mark_copied) {
  const ExtendedVocabulary words = words_of(run, line);
  std::vector<std::string> tokens;
  for (std::size_t i = 0; i < found.tokens.size(); ++i) {
    tokens.push_back(words.target_token(found.tokens[i]));
    if (mark_copied && !found.copied.empty() && found.copied[i])
      tokens.back() = in_brackets(tokens.back());
  }
  return tokens;
}

}  // namespace

std::string fingerprint(const Run& run) {
  Digest digest;
  const auto take_in = [&](std::string_view text) {
    digest.add(text).add(std::string_view("", 1));  // a zero byte, between texts
  };
  take_in(model_json(run.config.model));
  for (const Vocabulary* vocabulary : {&run.source, &run.target}) {
    take_in(name_of(vocabulary->kind()));
    if (const TextForm& form = vocabulary->form(); form != TextForm{}) {
      take_in(form.lowercase ? "lowercase" : "");
      take_in(name_of(form.normalization));
    }
    if (vocabulary->subwords() != nullptr) take_in(vocabulary->subwords()->bytes());
    for (int id = 0; id < vocabulary->size(); ++id) take_in(vocabulary->token(id));
  }
  return digest.text();
}

void save_description(const Run& run, const TrainOptions& options,
                      const std::vector<std::string>& chosen) {
  write_file_atomically(run.file("config.json"), config_json(run.config, options, chosen));
  run.source.save(run.file("source.vocab"));
  run.target.save(run.file("target.vocab"));
}

bool is_described(const Run& run) {
  return std::all_of(kFiles.begin(), kFiles.end() - 1,
                     [&](const char* name) { return std::filesystem::exists(run.file(name)); });
}

void save_model(const Run& run, const NamedArrays& values) {
  save_safetensors(run.file("model.safetensors"),
                   {values, {{"run", fingerprint(run)}}, /*digest=*/true});
}

Run load_run(const std::string& folder) {
  ATTUNE_CHECK(std::filesystem::is_directory(folder),
               "there is no run folder '{0}'; a training with {1} {0} writes one", folder,
               option_name("run"));
  // A training may replace the files while they are being read.
  constexpr int kMostTimes = 10;
  for (int times = 1;; ++times) {
    const std::string before = files_of(folder);
    const auto unchanged = [&] { return times == kMostTimes || files_of(folder) == before; };
    try {
      Run run = read_run(folder);
      if (unchanged()) return run;
    } catch (const Error&) {
      if (unchanged()) throw;
    }
  }
}

ExtendedVocabulary words_of(const Run& run, std::string_view line) {
  if (!run.copies_tokens()) return {run.source, run.target};
  return {run.source, run.target, line};
}

std::vector<int> encode_source(const Run& run, const std::string& line, int max_length,
                               UnknownTokens* unknown) {
  const std::string fault = utf8::fault_of(line);
  if (!fault.empty()) throw BadLine(BadLine::Kind::malformed, fault);
  std::vector<int> ids = run.source.encode(line, unknown);
  if (run.copies_tokens()) ids = words_of(run, line).source();
  if (ids.empty())
    throw BadLine(BadLine::Kind::malformed, "the source is empty; expected at least one token");
  if (std::ssize(ids) > max_length)
    throw BadLine(
        BadLine::Kind::too_long,
        fmt::format("the source has {} tokens, more than the limit of {}; raise it with {}",
                    ids.size(), max_length, option_name("max_source_length")));
  return ids;
}

std::vector<int> encode_target(const Run& run, const std::string& target, std::string_view line,
                               UnknownTokens* unknown) {
  const std::string option = option_name("target");
  if (const std::string fault = utf8::fault_of(target); !fault.empty())
    throw OptionError(option + ": " + fault);
  std::vector<int> ids = words_of(run, line).encode_target(target, unknown);
  if (ids.empty()) throw OptionError(option + ": it is empty; expected at least one token");
  return ids;
}

void warn_of_unknown(const UnknownTokens& unknown) {
  const std::vector<std::string>& tokens = unknown.tokens();
  if (tokens.empty()) return;
  constexpr std::size_t kShown = 20;
  std::string list;
  for (std::size_t i = 0; i < std::min(kShown, tokens.size()); ++i)
    list += fmt::format("{}'{}'", i == 0 ? "" : ", ", utf8::visible(tokens[i]));
  if (tokens.size() > kShown) list += fmt::format(" and {} more", tokens.size() - kShown);
  warn("training never showed {}; read as <unk>, {} in all", list, unknown.occurrences());
}

int RunConfig::max_output_length(std::size_t source_length) const {
  const auto length = static_cast<double>(source_length);
  double limit = std::max<double>(max_target_length, 2 * length + 10);
  if (max_source_length > 0)
    limit = std::max(limit, std::ceil(length * max_target_length / max_source_length));
  return static_cast<int>(std::min<double>(limit, std::numeric_limits<int>::max()));
}

std::vector<Hypothesis> answer(const Run& run, std::span<const std::vector<int>> sources,
                               std::optional<int> max_output_length, const SearchOptions& options) {
  std::vector<SearchInput> inputs;
  for (const std::vector<int>& source : sources)
    inputs.push_back(
        {.source = source,
         .max_length = max_output_length.value_or(run.config.max_output_length(source.size()))});
  std::vector<Hypothesis> answers;
  for (std::vector<Hypothesis>& best : search(*run.model, inputs, options))
    answers.push_back(std::move(best.front()));
  return answers;
}

std::string target_text(const Run& run, std::span<const int> tokens, std::string_view line) {
  return words_of(run, line).decode_target(tokens);
}

std::string marked_text(const Run& run, const Hypothesis& found, std::string_view line,
                        bool mark_copied) {
  const std::string text = run.target.join(tokens_of(run, found, line, mark_copied));
  if (found.finished) return text;
  const bool needs_space = run.target.kind() != Tokens::chars && !text.empty();
  return fmt::format("{}{}{}", text, needs_space ? " " : "", kUnfinishedMark);
}

void warn_of_unfinished(std::int64_t unfinished, std::int64_t outputs) {
  if (unfinished == 0) return;
  warn(
      "{} of {} outputs cut at their longest, without an end (marked {}); {} sets how long they "
      "may "
      "become",
      unfinished, outputs, kUnfinishedMark, option_name("max_output_length"));
}

Alignment alignment_of(const Run& run, std::span<const int> source, const Hypothesis& hypothesis,
                       std::string_view line, bool mark_copied) {
  const ExtendedVocabulary words = words_of(run, line);
  Alignment alignment;
  for (const int id : source) alignment.source.push_back(words.source_token(id));
  alignment.target = tokens_of(run, hypothesis, line, mark_copied);
  alignment.weights = hypothesis.weights;
  return alignment;
}

std::vector<int> word_positions(const Vocabulary& vocabulary, std::span<const std::string> tokens) {
  if (vocabulary.kind() == Tokens::subwords) return words_of_pieces(tokens);
  std::vector<int> positions(tokens.size());
  std::iota(positions.begin(), positions.end(), 0);
  return positions;
}

std::vector<int> word_positions(const Vocabulary& vocabulary, std::string_view line) {
  return word_positions(vocabulary, vocabulary.tokenize(line));
}

Alignment alignment_of_words(const Run& run, const Alignment& tokens) {
  return merge_pieces(tokens, word_positions(run.source, tokens.source),
                      word_positions(run.target, tokens.target));
}

AlignmentFigure figure_of(const Run& run, std::span<const int> source, const Hypothesis& hypothesis,
                          std::string_view line) {
  const Alignment alignment = alignment_of(run, source, hypothesis, line);
  return {alignment_title(run.source.join(alignment.source), marked_text(run, hypothesis, line)),
          {{alignment}}};
}

}  // namespace attune
