// Decoding speed: random sources of 32 tokens are translated into 32 tokens by a Transformer with
// random weights, or the lines of a file by the model of a run. bench/decode.py compares it with
// CTranslate2, which reads the same weights.

#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "attune/autograd/all.h"
#include "attune/data/lines.h"
#include "attune/data/vocabulary.h"
#include "attune/models/seq2seq.h"
#include "attune/search/search.h"
#include "attune/train/checkpoint.h"
#include "attune/train/run.h"
#include "examples/cli11_numbers.h"

using namespace attune;

namespace {

struct Options {
  int layers = 2, width = 128, heads = 4, vocabulary = 1000;
  int sentences = 256, batch = 32, length = 32, beam = 1;
  int threads = attune::threads();
  double seconds = 2;
  std::string run, sources, save;
};

// Special tokens are never the most probable, so that every output has `length` tokens.
std::shared_ptr<Seq2Seq> make_model(const Options& o) {
  seed(1);
  auto model = attune::make_model({.model = "transformer",
                                   .source_vocabulary = o.vocabulary,
                                   .target_vocabulary = o.vocabulary,
                                   .layers = o.layers,
                                   .embedding = o.width,
                                   .heads = o.heads});
  for (const auto& [name, parameter] : model->parameters()) {
    if (name != "decoder.output.bias") continue;
    Array bias = parameter.value();
    for (int token = 0; token < Vocabulary::specials; ++token) bias.set(token, -1e4);
  }
  return model;
}

std::vector<SearchInput> make_inputs(const Options& o) {
  Generator random(1);
  std::vector<SearchInput> inputs(static_cast<std::size_t>(o.sentences));
  for (SearchInput& input : inputs) {
    input.max_length = o.length;
    for (int i = 0; i < o.length; ++i)
      input.source.push_back(Vocabulary::specials +
                             static_cast<int>(random.below(
                                 static_cast<std::uint64_t>(o.vocabulary - Vocabulary::specials))));
  }
  return inputs;
}

struct Task {
  std::shared_ptr<Seq2Seq> model;
  std::vector<SearchInput> inputs;
};

// Translating the first lines of a file with the model of a run.
Task task_of_run(const Options& o) {
  const Run run = load_run(o.run);
  std::vector<std::string> lines = read_text_lines(o.sources, "sources");
  if (std::ssize(lines) > o.sentences) lines.resize(static_cast<std::size_t>(o.sentences));
  Task task{run.model, {}};
  for (const std::string& line : lines)
    task.inputs.push_back(
        {.source = encode_source(run, line, run.config.max_length), .max_length = o.length});
  return task;
}

nlohmann::json measure(const Options& o) {
  set_threads(o.threads);
  const auto [model, inputs] = o.run.empty() ? Task{make_model(o), make_inputs(o)} : task_of_run(o);
  if (!o.save.empty()) save_parameters(o.save, *model);
  using Clock = std::chrono::steady_clock;
  std::vector<std::vector<Hypothesis>> found;
  double best = 1e300;
  const auto begin = Clock::now();
  do {
    const auto start = Clock::now();
    found = search(*model, inputs, {.beam = o.beam, .weights = false, .batch_size = o.batch});
    best = std::min(best, std::chrono::duration<double>(Clock::now() - start).count());
  } while (std::chrono::duration<double>(Clock::now() - begin).count() < o.seconds);
  std::int64_t tokens = 0;
  nlohmann::json outputs;
  for (const auto& hypotheses : found) {
    tokens += std::ssize(hypotheses.front().tokens);
    outputs.push_back(hypotheses.front().tokens);
  }
  nlohmann::json sources;
  for (const SearchInput& input : inputs) sources.push_back(input.source);
  return {{"tokens_per_second", static_cast<double>(tokens) / best},
          {"best_seconds", best},
          {"threads", o.threads},
          {"sources", sources},
          {"outputs", outputs}};
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  CLI::App app{
      "Times the decoding of random sources by a Transformer with random weights, or of a file by "
      "the model of a run. Prints one JSON object: the tokens a second of the fastest round, its "
      "seconds, the sources and the outputs."};
  const auto count = flags::in_range(1, 1 << 20, "a whole number from 1 to 1048576");
  const auto add = [&](const char* flag, int& value, const char* help) {
    app.add_option(flag, value, help)->check(count)->capture_default_str();
  };
  add("--layers", o.layers, "of the encoder, and of the decoder");
  add("--width", o.width, "of all states");
  add("--heads", o.heads, "of attention");
  add("--vocabulary", o.vocabulary, "tokens, with the four special ones");
  add("--sentences", o.sentences, "sources");
  add("--batch", o.batch, "most sources decoded at the same time");
  add("--length", o.length, "tokens of each source and each output");
  add("--beam", o.beam, "hypotheses of each source");
  add("--threads", o.threads, "threads to use");
  CLI::Option* run = app.add_option("--run", o.run, "a run folder, whose model decodes --sources");
  CLI::Option* sources = app.add_option("--sources", o.sources, "a text, one source a line");
  run->type_name("DIR")->needs(sources);
  sources->type_name("FILE")->needs(run);
  app.add_option("--seconds", o.seconds, "how long to measure")->capture_default_str();
  app.add_option("--save", o.save, "write the model's parameters to this file (safetensors)");
  app.footer("Example: decode --layers 6 --width 512 --heads 8 --beam 5");
  try {
    app.parse(argc, argv);
    fmt::print("{}\n", measure(o).dump());
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    fmt::print(stderr, "decode: error: {}; see --help\n", flags::reason_of(error));
    return 2;
  } catch (const std::exception& error) {
    fmt::print(stderr, "decode: error: {}\n", error.what());
    return 1;
  }
  return std::fflush(stdout) == 0 ? 0 : 1;
}
