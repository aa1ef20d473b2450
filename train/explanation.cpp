#include "attune/train/explanation.h"

#include <cstddef>
#include <utility>

#include "attune/data/messages.h"
#include "attune/train/explanation_builder.h"
#include "attune/train/run.h"
#include "attune/train/stage_equations.h"

namespace attune {
namespace {

// A decoding of one source, step by step.
struct Decoding {
  StageValues preparation;
  std::vector<DecodedStep> steps;
};

Decoding decode(const Seq2Seq& model, const std::vector<int>& source,
                const std::vector<int>& written) {
  const NoGrad no_grad;
  const Eval eval;
  StageRecorder recorder;
  const Decoder& decoder = model.decoder();
  DecoderState state = decoder.start(model.encode(make_sources({&source, 1})));
  Decoding decoding{StageValues(recorder.take()), {}};
  std::int32_t previous = Vocabulary::start;
  for (const int token : written) {
    NextTokens next(decoder.predict({previous}, state));
    decoding.steps.push_back({StageValues(recorder.take()), std::move(next)});
    previous = token;
  }
  return decoding;
}

// Errors: `number` is more than there are: "the model has one layer with attention".
void check_number(const char* option, std::int64_t number, std::int64_t count, const char* has,
                  const std::string& what, const char* rest = "") {
  if (number > count)
    throw OptionError(fmt::format("{} {}: {} {}{}", option_name(option), number, has,
                                  count == 1 ? "one " + what : fmt::format("{} {}s", count, what),
                                  rest));
}

// The head to explain, given the attentions to the source and what was recorded of a step.
HeadPlace place_of_head(const Run& run, const ExplainOptions& options,
                        const std::vector<std::string>& attentions, const StageValues& step,
                        std::size_t source_length) {
  const auto layers = std::ssize(attentions);
  const std::int64_t layer = options.layer.value_or(static_cast<int>(layers));
  check_number("layer", layer, layers, "the model has", "layer", " with attention to the source");
  const std::string& attention = attentions[static_cast<std::size_t>(layer - 1)];
  const std::size_t weights = step.weights(attention).back().size();
  const auto heads = static_cast<std::int64_t>(weights / source_length);
  check_number("head", options.head, heads, "its attention has", "head");
  const EncoderDecoderOptions& model = run.config.model;
  const bool is_transformer = model.decoder_name() == "transformer";
  const std::int64_t head = options.head - 1;
  const std::int64_t shared = is_transformer ? model.key_value_head_count() : heads;
  return {.attention = attention, .own = {heads, head}, .shared = {shared, head * shared / heads}};
}

std::string subject_of(const HeadPlace& of) {
  return of.own.count == 1
             ? of.attention
             : fmt::format("{}, head {} of {}", of.attention, of.own.index + 1, of.own.count);
}

}  // namespace

std::vector<Field> fields(ExplainOptions& o) {
  return {
      trained_run_field(o.run),
      {.name = "target",
       .value = &o.target,
       .help = "the target to explain instead of the model's own output",
       .excludes = {"max_output_length"}},
      {.name = "layer",
       .value = &o.layer,
       .help = "the layer of attention to the source, 1 being the first; by default the last one",
       .range = {.low = 1}},
      {.name = "head",
       .value = &o.head,
       .help = "the head of its attention, 1 being the first",
       .range = {.low = 1}},
      {.name = "step",
       .value = &o.step,
       .help = "this step only, 1 being the first; by default all",
       .range = {.low = 1}},
      max_source_length_field(o.max_source_length),
      max_output_length_field(o.max_output_length),
      threads_field(o.threads),
  };
}

Explanation explain(const ExplainOptions& given, const std::string& source) {
  ExplainOptions options = given;
  check_values(fields(options));
  set_threads(options.threads);
  const Run run = load_run(options.run);
  ATTUNE_CHECK(run.config.model.has_attention(),
               "the model in '{}' has no attention (it was trained with {} none), so there is "
               "nothing to explain",
               options.run, option_name("attention"));
  UnknownTokens unknown;
  const std::vector<int> ids = encode_source(
      run, source, options.max_source_length.value_or(run.config.max_length), &unknown);
  const bool is_given = !options.target.empty();
  const Hypothesis found =
      is_given ? Hypothesis{.tokens = encode_target(run, options.target, source, &unknown),
                            .weights = {},
                            .finished = true}
               : answer(run, {&ids, 1}, options.max_output_length).front();
  std::vector<int> written = found.tokens;
  if (found.finished) written.push_back(Vocabulary::end);
  if (options.step)
    check_number("step", *options.step, std::ssize(written), "the decoding has", "step");

  const Decoding decoding = decode(*run.model, ids, written);
  const StageValues& first = decoding.steps.front().values;
  const std::vector<std::string> attentions = first.source_attentions();
  ATTUNE_CHECK(!attentions.empty(),
               "the decoder of the model in '{}' does not attend to the source", options.run);
  const HeadPlace place = place_of_head(run, options, attentions, first, ids.size());
  ExplanationBuilder builder(run, source, ids, written, attentions, place);
  Explanation explanation{
      .run = run.folder,
      .title = alignment_title(source, is_given ? options.target : marked_text(run, found, source)),
      .model = description_of(run.config.model),
      .subject = subject_of(place),
      .step_count = static_cast<int>(written.size()),
      .target_is_given = is_given,
      .preparation = builder.preparation(decoding.preparation),
      .steps = {}};
  for (std::size_t i = 0; i < written.size(); ++i)
    if (!options.step || *options.step == static_cast<int>(i) + 1)
      explanation.steps.push_back(builder.step(decoding.steps[i], i));
  warn_of_unknown(unknown);
  if (!is_given) warn_of_unfinished(!found.finished, 1);
  return explanation;
}

}  // namespace attune
