#include <nlohmann/json.hpp>

#include "attune/data/messages.h"
#include "attune/search/search.h"
#include "attune/train/run.h"
#include "model.h"

namespace language_model {

using namespace attune;

namespace {

// Writes texts piece by piece: a model sees at most `context` tokens, so each piece continues the
// last half of them.
class Writer {
 public:
  Writer(const LanguageModel& run, const SamplingOptions& sampling)
      : run_(run), sampling_(sampling) {}

  // `ids` and `length` tokens behind them.
  std::vector<int> continued(std::vector<int> ids, int length, std::uint64_t text) const {
    const std::size_t wanted = ids.size() + static_cast<std::size_t>(length);
    const auto context = static_cast<std::size_t>(run_.options.context);
    for (std::uint64_t piece = 0; ids.size() < wanted; ++piece) {
      const std::size_t kept = std::min(ids.size(), context / 2);
      const std::size_t most = std::min(context - 1, kept + wanted - ids.size());
      const SearchInput input{.max_length = static_cast<int>(most),
                              .prefix = {ids.end() - static_cast<std::ptrdiff_t>(kept), ids.end()},
                              .stream = (text << 16) + piece};
      const auto found = search(*run_.model, {&input, 1}, {.sampling = sampling_});
      const std::vector<int>& tokens = found.front().front().tokens;
      ids.insert(ids.end(), tokens.begin() + static_cast<std::ptrdiff_t>(kept), tokens.end());
    }
    return ids;
  }

 private:
  const LanguageModel& run_;
  SamplingOptions sampling_;
};

}  // namespace

int run(const SampleCommand& command) {
  set_threads(command.threads);
  const LanguageModel run = load_language_model(command.run);
  if (const std::string fault = utf8::fault_of(command.prompt); !fault.empty())
    throw OptionError(option_name("prompt") + ": " + fault);
  UnknownTokens unknown;
  const std::vector<int> prompt = run.tokens.encode(command.prompt, &unknown);
  warn_of_unknown(unknown);
  const Writer writer(run, command.sampling);
  for (int i = 0; i < command.count; ++i) {
    const std::vector<int> ids =
        writer.continued(prompt, command.length, static_cast<std::uint64_t>(i));
    fmt::print("{}{}\n", i > 0 ? "---\n" : "", shown(run.tokens.decode(ids)));
  }
  return 0;
}

int run(const TestCommand& command) {
  set_threads(command.threads);
  const LanguageModel run = load_language_model(command.run);
  const Text text = read_text(command.data);
  const std::vector<int> ids = text.encode(run.tokens);
  ATTUNE_CHECK(!ids.empty(), "{} has no words", name_of_input(command.data));
  const std::int64_t unknown = std::count(ids.begin(), ids.end(), Vocabulary::unknown);
  const Fit found = fit(run, ids);
  if (command.json) {
    const nlohmann::ordered_json json = {{"tokens", found.tokens},
                                         {"unknown_tokens", unknown},
                                         {"loss", found.loss()},
                                         {"perplexity", found.perplexity()},
                                         {"bits_per_character", found.bits_per_character(text)}};
    fmt::print("{}\n", json.dump());
    return 0;
  }
  fmt::print("{} tokens{}: perplexity {:.4f} a token, {:.4f} bits a character\n", found.tokens,
             unknown > 0 ? fmt::format(", {} of them unknown", unknown) : "", found.perplexity(),
             found.bits_per_character(text));
  return 0;
}

}  // namespace language_model
