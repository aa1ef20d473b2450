#include "attune/train/recorded_alignment.h"

#include "attune/train/all.h"
#include "catch.h"
#include "temporary_folder.h"

using namespace attune;

namespace {

TrainOptions small(const std::string& run) {
  return {
      .run = run,
      .data = {.task = "reverse", .max_length = 6},
      .model = {.model = "transformer", .layers = 2, .embedding = 8, .heads = 4, .feed_forward = 8},
      .batch = 4,
      .steps = 12,
      .record = 2};
}

}  // namespace

TEST_CASE("a recorded alignment is the last layer's weights after a step, averaged over heads") {
  const TemporaryFolder folder;
  const std::string run = folder.path("run");
  train(small(run));
  const AttentionRecording recording = load_recording(run);
  const RecordedPair& pair = recording.pairs.at(1);
  const AlignmentFigure figure = recorded_alignment(run, {10, 2}, 2);
  REQUIRE(figure.panels.size() == 2);
  CHECK(figure.columns == 2);
  CHECK(figure.panels[0].caption == "step 10");
  CHECK(figure.panels[1].caption == "step 2");
  const auto rows = static_cast<std::int64_t>(pair.target.size()) - 1;
  const auto columns = static_cast<std::int64_t>(pair.source.size());
  for (std::size_t panel = 0; panel < 2; ++panel) {
    const Alignment& found = figure.panels[panel].alignment;
    CHECK(found.source == pair.source);
    CHECK(found.target == std::vector<std::string>(pair.target.begin(), pair.target.end() - 1));
    CHECK_NOTHROW(found.check());
    const RecordedStep& step = recording.steps.at(panel == 0 ? 3 : 1);
    REQUIRE(step.step == (panel == 0 ? 10 : 2));
    for (const RecordedArray& array : step.pairs.at(1)) {
      if (array.attention != "decoder.transformer.layer1.cross_attention") continue;
      REQUIRE(array.values.shape() == Shape({4, rows + 1, columns}));
      for (std::int64_t i = 0; i < rows * columns; ++i) {
        double mean = 0;
        for (std::int64_t head = 0; head < 4; ++head)
          mean += array.values.at(head * (rows + 1) * columns + i) / 4;
        CHECK(found.weights.at(static_cast<std::size_t>(i)) == Approx(mean).epsilon(1e-5));
      }
    }
  }
  CHECK(figure.panels[0].alignment.weights != figure.panels[1].alignment.weights);
}

TEST_CASE("without steps, all recorded ones are drawn, at most six in a row") {
  const TemporaryFolder folder;
  const std::string run = folder.path("run");
  TrainOptions options = small(run);
  train(options);
  const AlignmentFigure all = recorded_alignment(run, {});  // 1, 2, 5, 10 and 12
  CHECK(all.panels.size() == 5);
  CHECK(all.columns == 5);
  CHECK(recorded_alignment(run, {1, 2, 5, 10, 12, 1, 2}).columns == 4);
  CHECK_THROWS_WITH(recorded_alignment(run, {1, 3}),
                    "nothing was recorded at step 3; expected one of 1, 2, 5, 10, 12");
  CHECK_THROWS_WITH(recorded_alignment(run, {1}, 3),
                    "there is no example 3; expected one of the 2 that were recorded");
  CHECK_THROWS_WITH(recorded_alignment(run, {1}, 0),
                    "there is no example 0; expected one of the 2 that were recorded");
  options.record = 0;
  train(options);
  CHECK_THROWS_WITH(recorded_alignment(run, {1}),
                    "no attention was recorded in '" + run + "', so there is no alignment to draw");
}
