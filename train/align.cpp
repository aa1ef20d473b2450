#include "attune/train/align.h"

#include <cstddef>
#include <utility>

#include "attune/data/messages.h"
#include "attune/train/run.h"

namespace attune {
namespace {

// The model's output for a source, or the given target: a search whose prefix is the whole target
// has no choice.
Hypothesis hypothesis_of(const Run& run, const AlignOptions& options,
                         const std::vector<int>& source, std::vector<int> target) {
  if (target.empty())
    return answer(run, {&source, 1}, options.max_output_length, options.search).front();
  const SearchInput input{
      .source = source, .max_length = static_cast<int>(target.size()), .prefix = std::move(target)};
  return search(*run.model, {&input, 1}).front().front();
}

// The number of heads in a row: as few rows for a layer as have four each, if they can be equal.
int columns_of(int heads) {
  const int rows = (heads + 3) / 4;
  return heads % rows == 0 ? heads / rows : heads;
}

// Each head of the layers, or of one of them.
void add_heads(AlignmentFigure& figure, const Alignment& tokens, const std::vector<Tensor>& weights,
               std::optional<int> only) {
  const int layers = static_cast<int>(weights.size());
  if (only && *only > layers)
    throw OptionError(fmt::format("{} {}: the model has {} with attention to the source",
                                  option_name("layer"), *only,
                                  layers == 1 ? "one layer" : fmt::format("{} layers", layers)));
  const int heads = static_cast<int>(weights.front().size(0));
  for (int layer = 1; layer <= layers; ++layer) {
    if (only && layer != *only) continue;
    for (int head = 0; head < heads; ++head) {
      const Array of_head = weights[static_cast<std::size_t>(layer - 1)].value()[head];
      Alignment alignment = tokens;
      for (std::int64_t i = 0; i < of_head.elements(); ++i)
        alignment.weights[static_cast<std::size_t>(i)] = static_cast<float>(of_head.at(i));
      figure.panels.push_back(
          {std::move(alignment), layers > 1 ? fmt::format("layer {}, head {}", layer, head + 1)
                                            : fmt::format("head {}", head + 1)});
    }
  }
  figure.columns = columns_of(heads);
}

}  // namespace

std::vector<Field> fields(AlignOptions& o) {
  std::vector<Field> list = {
      trained_run_field(o.run),
      {.name = "target",
       .value = &o.target,
       .help = "the target to align instead of the model's own output",
       .excludes = {"beam", "max_output_length"}},
      {.name = "heads",
       .value = &o.heads,
       .help = "draw every head of attention to the source, layer by layer, instead of the mean of "
               "the last layer's"},
      {.name = "layer",
       .value = &o.layer,
       .help = "draw the heads of this layer only, 1 being the first",
       .range = {.low = 1},
       .needs = "heads"},
      max_source_length_field(o.max_source_length),
      max_output_length_field(o.max_output_length),
  };
  for (Field& field : beam_fields(o.search)) list.push_back(std::move(field));
  list.push_back(threads_field(o.threads));
  return list;
}

AlignmentFigure align(const AlignOptions& given, const std::string& source) {
  AlignOptions options = given;
  check_values(fields(options));
  set_threads(options.threads);
  const Run run = load_run(options.run);
  ATTUNE_CHECK(run.config.model.has_attention(),
               "the model in '{}' has no attention (it was trained with {} none), so there is no "
               "alignment to draw",
               options.run, option_name("attention"));
  UnknownTokens unknown;
  const std::vector<int> ids = encode_source(
      run, source, options.max_source_length.value_or(run.config.max_length), &unknown);
  std::vector<int> target;
  if (!options.target.empty()) target = encode_target(run, options.target, source, &unknown);
  const Hypothesis found = hypothesis_of(run, options, ids, target);

  const Alignment alignment = alignment_of(run, ids, found, source);
  const bool is_given = !target.empty();
  AlignmentFigure figure{
      alignment_title(source, is_given ? options.target : marked_text(run, found, source)), {}};
  const std::vector<Tensor> weights =
      options.heads ? attention_weights(*run.model, {ids, found.tokens}) : std::vector<Tensor>();
  if (weights.empty())  // one alignment, or an output without tokens
    figure.panels.push_back({alignment});
  else
    add_heads(figure, alignment, weights, options.layer);
  warn_of_unknown(unknown);
  if (!is_given) warn_of_unfinished(!found.finished, 1);
  return figure;
}

}  // namespace attune
