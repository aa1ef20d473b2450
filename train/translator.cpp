#include "attune/train/translator.h"

#include <utility>

#include "attune/data/messages.h"

namespace attune {
namespace {

// Returns `options`, with the sampling that they ask for. Errors: as check().
TranslateOptions checked(TranslateOptions options) {
  check(options);
  if (options.sample) options.search.sampling = options.sampling;
  return options;
}

// The tokens of a prefix. Errors: some are unknown, or there are more than outputs may have.
std::vector<int> encode_prefix(const Run& run, const TranslateOptions& options) {
  if (const std::string fault = utf8::fault_of(options.prefix); !fault.empty())
    throw OptionError(option_name("prefix") + ": " + fault);
  UnknownTokens unknown;
  std::vector<int> prefix = run.target.encode(options.prefix, &unknown);
  if (!unknown.tokens().empty())
    throw OptionError(fmt::format("{}: '{}' is not in the target vocabulary of '{}'",
                                  option_name("prefix"), utf8::visible(unknown.tokens().front()),
                                  run.folder));
  const int limit = options.max_output_length.value_or(run.config.max_output_length(1));
  if (std::ssize(prefix) > limit)
    throw OptionError(
        fmt::format("{}: {} tokens are more than the {} of an output; {} sets how "
                    "many it may have",
                    option_name("prefix"), prefix.size(), limit, option_name("max_output_length")));
  return prefix;
}

std::vector<Field> sampling_fields(TranslateOptions& o) {
  return {
      {.name = "sample",
       .value = &o.sample,
       .help = "draw outputs at random instead of searching the most probable ones",
       .excludes = {"beam"}},
      {.name = "temperature",
       .value = &o.sampling.temperature,
       .help = "divides the logits: below 1 for more probable outputs, above 1 for more variety",
       .range = {.low = 0, .above_low = true},
       .needs = "sample"},
      {.name = "top_k",
       .value = &o.sampling.top_k,
       .help = "draw from the k most probable tokens only; 0: from all",
       .range = {.low = 0},
       .needs = "sample"},
      {.name = "top_p",
       .value = &o.sampling.top_p,
       .help = "draw from the most probable tokens only that have this probability together "
               "(nucleus sampling)",
       .range = {.low = 0, .high = 1, .above_low = true},
       .needs = "sample"},
      {.name = "seed",
       .value = &o.sampling.seed,
       .help = "which random outputs",
       .needs = "sample"},
  };
}

}  // namespace

std::vector<Field> fields(TranslateOptions& o) {
  std::vector<Field> list = {
      trained_run_field(o.run),
      max_source_length_field(o.max_source_length),
      max_output_length_field(o.max_output_length),
  };
  const auto add = [&](std::vector<Field> more) {
    for (Field& field : more) list.push_back(std::move(field));
  };
  add(beam_fields(o.search));
  add({{.name = "n_best",
        .value = &o.search.n_best,
        .help = "write so many outputs for each source, a line for each, with TABs between the "
                "source's number, the score and the output; at most `beam`, or any number with "
                "`sample`",
        .range = {.low = 1}}});
  add(sampling_fields(o));
  add({{.name = "prefix", .value = &o.prefix, .help = "what each output begins with"},
       {.name = "batch",
        .value = &o.search.batch_size,
        .help = "most sources to decode at the same time; results do not depend on it",
        .range = {.low = 1}},
       {.name = "mark_copied",
        .value = &o.mark_copied,
        .help = "put tokens that were copied from the source in brackets: an [aardvark]; of models "
                "whose output layer copies"},
       threads_field(o.threads)});
  return list;
}

void check(const TranslateOptions& given) {
  TranslateOptions options = given;
  check_values(fields(options));
  if (!options.sample && options.search.n_best > options.search.beam)
    throw OptionError(fmt::format(
        "{} {} is more than {} {}: a search finds as many outputs as its "
        "beam is wide",
        option_name("n_best"), options.search.n_best, option_name("beam"), options.search.beam));
}

Translator::Translator(TranslateOptions options)
    : options_(checked(std::move(options))),
      run_(load_run(options_.run)),
      prefix_(encode_prefix(run_, options_)) {
  set_threads(options_.threads);
  ATTUNE_CHECK(!options_.mark_copied || run_.copies_tokens(),
               "{}: the model in '{}' copies no tokens; expected one trained with {} "
               "pointer_generator or pointer, rather than {}",
               option_name("mark_copied"), options_.run, option_name("output_layer"),
               run_.config.model.output_layer);
}

Translation Translator::operator()(const std::string& source) {
  Translations found = std::move(all({&source, 1}).front());
  if (!found.fault.empty()) throw BadLine(BadLine::Kind::malformed, found.fault);
  return std::move(found.best.front());
}

std::vector<Translations> Translator::all(std::span<const std::string> sources) {
  const int longest = options_.max_source_length.value_or(run_.config.max_length);
  std::vector<Translations> results(sources.size());
  std::vector<SearchInput> inputs;
  std::vector<Place> places;  // of each input
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const auto stream = static_cast<std::uint64_t>(sources_++);
    try {
      std::vector<int> ids = encode_source(run_, sources[i], longest, &unknown_);
      const int limit =
          options_.max_output_length.value_or(run_.config.max_output_length(ids.size()));
      inputs.push_back(
          {.source = std::move(ids), .max_length = limit, .prefix = prefix_, .stream = stream});
      places.push_back({sources[i], &results[i]});
    } catch (const BadLine& fault) {
      results[i].fault = fault.what();
    }
  }
  translate(inputs, places);
  return results;
}

// Sources that cannot be decoded together are decoded one by one, to find out which are at fault.
void Translator::translate(std::span<const SearchInput> inputs, std::span<const Place> places) {
  std::vector<std::vector<Hypothesis>> found;
  try {
    found = search(*run_.model, inputs, options_.search);
  } catch (const Error& error) {
    if (inputs.size() == 1)
      places.front().result->fault = error.what();
    else
      for (std::size_t i = 0; i < inputs.size(); ++i)
        translate(inputs.subspan(i, 1), places.subspan(i, 1));
    return;
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    ++outputs_;
    unfinished_ += !found[i].front().finished;
    tokens_ += std::ssize(found[i].front().tokens);
    const auto [line, result] = places[i];
    const bool mark = options_.mark_copied;
    for (const Hypothesis& best : found[i])
      result->best.push_back({.text = marked_text(run_, best, line, mark),
                              .alignment = alignment_of(run_, inputs[i].source, best, line, mark),
                              .copied = best.copied,
                              .log_probability = best.log_probability,
                              .score = best.score});
  }
}

void Translator::warn_of_all() const {
  warn_of_unknown(unknown_);
  warn_of_unfinished(unfinished_, outputs_);
}

}  // namespace attune
