#include "run.h"

#include <cstdio>
#include <filesystem>

#include "attune/train.h"
#include "run_config.h"

namespace seq2seq {
namespace {

// Tells apart models that go with other vocabularies or other options, even of equal sizes:
// FNV-1a (Fowler, Noll and Vo) over all that the parameters mean something with.
std::string fingerprint(const RunConfig& config, const attune::Vocabulary& source,
                        const attune::Vocabulary& target) {
  std::uint64_t hash = 0xCBF29CE484222325;
  const auto take_in = [&](std::string_view text) {
    for (const char byte : text) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001B3;
    hash *= 0x100000001B3;  // a zero byte, between texts
  };
  take_in(model_json(config.model));
  for (const attune::Vocabulary* vocabulary : {&source, &target}) {
    take_in(attune::name_of(vocabulary->kind()));
    for (int id = 0; id < vocabulary->size(); ++id) take_in(vocabulary->token(id));
  }
  return fmt::format("{:016x}", hash);
}

}  // namespace

void save_model(const Run& run) {
  attune::save_safetensors(
      run.file("model.safetensors"),
      {run.model->values(), {{"run", fingerprint(run.config, run.source, run.target)}}});
}

Run load_run(const std::string& folder) {
  ATTUNE_CHECK(std::filesystem::is_directory(folder),
               "there is no run folder '{0}'; train writes one: seq2seq train --run {0}", folder);
  for (const char* name : {"config.json", "source.vocab", "target.vocab", "model.safetensors"})
    ATTUNE_CHECK(std::filesystem::exists(folder + "/" + name),
                 "run folder '{}' is incomplete: it has no {}; was the training cut short?", folder,
                 name);
  const RunConfig config = read_config(folder + "/config.json");
  Run run{folder, config, attune::Vocabulary::load(folder + "/source.vocab"),
          attune::Vocabulary::load(folder + "/target.vocab"), attune::make_model(config.model)};

  const std::string path = run.file("model.safetensors");
  const attune::Safetensors saved = attune::load_safetensors(path);
  const auto mark = saved.metadata.find("run");
  ATTUNE_CHECK(
      mark != saved.metadata.end() && mark->second == fingerprint(config, run.source, run.target),
      "'{}' is of another run than config.json, source.vocab and target.vocab beside it; "
      "expected files of one training",
      path);
  try {
    run.model->load(saved.arrays);
  } catch (const attune::Error& error) {
    attune::fail("{} (in '{}')", error.what(), path);
  }
  return run;
}

std::vector<int> encode_source(const Run& run, const std::string& line, const std::string& where,
                               std::vector<std::string>* unknown) {
  const auto bad = attune::utf8::first_invalid_byte(line);
  ATTUNE_CHECK(!bad, "{}: not UTF-8: byte 0x{:02x} at column {}", where,
               static_cast<unsigned char>(line[*bad]), *bad + 1);
  std::vector<int> ids = run.source.encode(line, unknown);
  ATTUNE_CHECK(!ids.empty(), "{}: the source is empty; expected at least one token", where);
  ATTUNE_CHECK(std::ssize(ids) <= run.config.max_length,
               "{}: the source has {} tokens, more than the limit of {} that this model was "
               "trained with (--max-length)",
               where, ids.size(), run.config.max_length);
  return ids;
}

void warn_of_unknown(const std::vector<std::string>& tokens) {
  if (tokens.empty()) return;
  constexpr std::size_t kShown = 20;
  std::string list;
  for (std::size_t i = 0; i < std::min(kShown, tokens.size()); ++i)
    list += fmt::format("{}'{}'", i == 0 ? "" : ", ", attune::utf8::visible(tokens[i]));
  if (tokens.size() > kShown) list += fmt::format(" and {} more", tokens.size() - kShown);
  fmt::print(stderr, "seq2seq: warning: training never showed {}; read as <unk>\n", list);
}

attune::Alignment alignment_of(const Run& run, std::span<const int> source,
                               const attune::Hypothesis& hypothesis) {
  attune::Alignment alignment;
  for (const int id : source) alignment.source.push_back(run.source.token(id));
  for (const int id : hypothesis.tokens) alignment.target.push_back(run.target.token(id));
  alignment.weights = hypothesis.weights;
  return alignment;
}

}  // namespace seq2seq
