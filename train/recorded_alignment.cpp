#include "attune/train/recorded_alignment.h"

#include <algorithm>
#include <cstddef>

#include "attune/autograd/all.h"
#include "attune/train/attention_recording.h"
#include "attune/train/run.h"

namespace attune {
namespace {

constexpr std::size_t kMostColumns = 6;

// Of the last layer that attends to the source; null if none does.
const RecordedArray* last_weights(const std::vector<RecordedArray>& arrays) {
  const RecordedArray* last = nullptr;
  for (const RecordedArray& array : arrays)
    if (array.name == "weights" && !array.has_source_queries() && array.has_source_keys())
      last = &array;
  return last;
}

const RecordedStep& find_step(const AttentionRecording& recording, std::int64_t step) {
  std::string recorded;
  for (const RecordedStep& each : recording.steps) {
    if (each.step == step) return each;
    recorded += fmt::format("{}{}", recorded.empty() ? "" : ", ", each.step);
  }
  fail("nothing was recorded at step {}; expected one of {}", step, recorded);
}

}  // namespace

AlignmentFigure recorded_alignment(const std::string& folder,
                                   const std::vector<std::int64_t>& steps, std::int64_t example) {
  const Run run = load_run(folder);
  const AttentionRecording recording = load_recording(folder);
  ATTUNE_CHECK(!recording.steps.empty() && !recording.pairs.empty(),
               "no attention was recorded in '{}', so there is no alignment to draw", folder);
  const auto count = static_cast<std::int64_t>(recording.pairs.size());
  ATTUNE_CHECK(example >= 1 && example <= count,
               "there is no example {}; expected one of the {} that were recorded", example, count);
  std::vector<const RecordedStep*> chosen;
  for (const std::int64_t step : steps) chosen.push_back(&find_step(recording, step));
  if (steps.empty())
    for (const RecordedStep& step : recording.steps) chosen.push_back(&step);

  const auto at = static_cast<std::size_t>(example - 1);
  const std::vector<std::string>& source = recording.pairs[at].source;
  std::vector<std::string> target = recording.pairs[at].target;
  target.pop_back();  // </s>
  AlignmentFigure figure{alignment_title(run.source.join(source), run.target.join(target)), {}};
  for (const RecordedStep* step : chosen) {
    const RecordedArray* array = last_weights(step->pairs[at]);
    ATTUNE_CHECK(array != nullptr, "the model in '{}' has no attention to the source", folder);
    const Array weights = mean(Tensor(array->values), 0).value();  // [T, S]
    Alignment alignment{source, target, {}};
    const auto cells = static_cast<std::int64_t>(source.size() * target.size());
    for (std::int64_t i = 0; i < cells; ++i)
      alignment.weights.push_back(static_cast<float>(weights.at(i)));
    figure.panels.push_back({std::move(alignment), fmt::format("step {}", step->step)});
  }
  const std::size_t rows = (chosen.size() + kMostColumns - 1) / kMostColumns;
  figure.columns = static_cast<int>((chosen.size() + rows - 1) / rows);
  return figure;
}

}  // namespace attune
