#include "attune/layers/attention/attention_recorder.h"

#include <algorithm>

#include "attune/autograd/all.h"
#include "attune/data/all.h"
#include "attune/models/all.h"
#include "catch.h"
#include "compare.h"

using namespace attune;

namespace {

const std::vector<Example> kExamples = {{{4, 5, 6}, {6, 5}}, {{8}, {4, 4, 4}}, {{7, 4}, {}}};

std::shared_ptr<Seq2Seq> small(EncoderDecoderOptions options) {
  seed(1);
  options.source_vocabulary = 9;
  options.target_vocabulary = 7;
  options.embedding = 6;
  options.hidden = 4;
  options.layers = options.model == "transformer" ? 2 : 1;
  return make_model(options);
}

std::vector<RecordedAttention> record(const Seq2Seq& model, const Batch& batch) {
  const NoGrad no_grad;
  const Eval eval;
  const AttentionRecorder recorder(model);
  model(batch);
  return recorder.recorded();
}

std::vector<std::string> names_of(const std::vector<RecordedAttention>& recorded) {
  std::vector<std::string> names;
  for (const RecordedAttention& attention : recorded) names.push_back(attention.name);
  return names;
}

// The largest difference between weights [B, H, T, S] within the targets of kExamples.
double difference(const Tensor& a, const Tensor& b) {
  REQUIRE(a.shape() == b.shape());
  double largest = 0;
  for (std::size_t i = 0; i < kExamples.size(); ++i) {
    const auto row = static_cast<std::int64_t>(i);
    const auto steps = static_cast<std::int64_t>(kExamples[i].target.size()) + 1;
    const auto part = [&](const Tensor& x) { return slice(x[row], 1, 0, steps).value(); };
    largest = std::max(largest, distance(part(a), part(b)));
  }
  return largest;
}

// The weights of all steps of decode, [B, H, T, S], as predict() returns them: those of the layer's
// attention to the source.
Tensor predicted_weights(const Seq2Seq& model, const Batch& batch, std::size_t layer) {
  const NoGrad no_grad;
  const Eval eval;
  DecoderState state = model.decoder().start(model.encode(Source(batch.source)));
  state.weights = true;
  std::vector<Tensor> steps;
  const std::int64_t length = batch.target_input.shape()[0];
  for (std::int64_t t = 0; t < length; ++t) {
    const Indices previous = batch.target_input.block(t, 1).reshape({batch.sequences()});
    steps.push_back(model.decoder().predict(previous, state).weights.at(layer));
  }
  return stack(steps, 2);
}

}  // namespace

TEST_CASE("the name of a layer within another one") {
  const auto model = small({.model = "transformer", .heads = 2});
  CHECK(model->name_of(*model) == "");
  CHECK(model->name_of(model->decoder()) == "decoder");
  CHECK(model->decoder().name_of(model->decoder()) == "");
  CHECK_FALSE(model->decoder().name_of(*model).has_value());
  CHECK_FALSE(model->name_of(Linear(2, 2)).has_value());
}

TEST_CASE("an AttentionRecorder records each attention of a Transformer under its name") {
  const auto model = small({.model = "transformer", .heads = 2});
  const Batch batch = make_batch(kExamples);
  const auto recorded = record(*model, batch);
  CHECK(names_of(recorded) ==
        std::vector<std::string>{"encoder.transformer.layer0.self_attention",
                                 "encoder.transformer.layer1.self_attention",
                                 "decoder.transformer.layer0.self_attention",
                                 "decoder.transformer.layer0.cross_attention",
                                 "decoder.transformer.layer1.self_attention",
                                 "decoder.transformer.layer1.cross_attention"});
  CHECK(recorded[0].weights.shape() == Shape({3, 2, 3, 3}));
  CHECK(recorded[2].weights.shape() == Shape({3, 2, 4, 4}));
  CHECK(recorded[3].weights.shape() == Shape({3, 2, 4, 3}));
  for (const std::size_t layer : {0U, 1U})
    CHECK(difference(recorded[3 + 2 * layer].weights, predicted_weights(*model, batch, layer)) <
          1e-6);
  // The decoder does not look ahead.
  const Array self = recorded[2].weights.value();
  for (std::int64_t t = 0; t < 4; ++t)
    for (std::int64_t s = t + 1; s < 4; ++s) CHECK(self.at(t * 4 + s) == 0);
}

TEST_CASE("recorded self-attention is the same if the target is decoded step by step") {
  const auto model = small({.model = "transformer", .heads = 2});
  const Batch batch = make_batch(std::vector<Example>{{{4, 5, 6}, {6, 5, 4, 5}}});
  const auto whole = record(*model, batch);
  const NoGrad no_grad;
  const Eval eval;
  const AttentionRecorder recorder(*model);
  predicted_weights(*model, batch, 0);
  const auto stepwise = recorder.recorded();
  REQUIRE(names_of(stepwise) == names_of(whole));
  for (std::size_t i = 0; i < whole.size(); ++i)
    CHECK(distance(whole[i].weights.value(), stepwise[i].weights.value()) < 1e-6);
}

TEST_CASE("an AttentionRecorder records the steps of a recurrent decoder") {
  const std::int64_t heads = GENERATE(1, 2);
  const auto model = small({.model = "recurrent", .heads = heads});
  const Batch batch = make_batch(kExamples);
  const auto recorded = record(*model, batch);
  REQUIRE(names_of(recorded) == std::vector<std::string>{"decoder.attention"});
  CHECK(recorded[0].weights.shape() == Shape({3, heads, 4, 3}));
  CHECK(difference(recorded[0].weights, predicted_weights(*model, batch, 0)) < 1e-6);
}

TEST_CASE("recording changes no bit of a model's results and gradients") {
  const std::string kind = GENERATE("recurrent", "transformer");
  const auto model = small({.model = kind, .dropout = 0.2, .heads = 2});
  const Batch batch = make_batch(kExamples);
  const auto run = [&] {
    seed(3);
    model->zero_grad();
    const Tensor loss = model->loss(batch);
    loss.backward();
    std::vector<std::vector<float>> all = {loss.value().to_vector()};
    for (const Param& param : model->parameters()) all.push_back(param.value.grad().to_vector());
    return all;
  };
  const auto without = run();
  const AttentionRecorder recorder(*model);
  CHECK(run() == without);
  CHECK_FALSE(recorder.recorded().empty());
}

TEST_CASE("an AttentionRecorder records the quantities of a mechanism") {
  const Batch batch = make_batch(kExamples);
  SECTION("coverage is the sum of the weights so far") {
    const auto recorded = record(*small({.attention = "coverage"}), batch);
    const auto* const coverage = recorded.at(0).quantity("coverage");
    REQUIRE(coverage != nullptr);
    REQUIRE(coverage->values.shape() == recorded[0].weights.shape());
    const Array expected = cumsum(recorded[0].weights, 2).value();
    CHECK(distance(coverage->values.value(), expected) < 1e-6);
  }
  SECTION("the position of local attention is within the source") {
    const auto recorded = record(*small({.locality = "local_p"}), batch);
    const auto* const position = recorded.at(0).quantity("position");
    REQUIRE(position != nullptr);
    REQUIRE(position->values.shape() == Shape({3, 1, 4}));
    for (std::int64_t b = 0; b < 3; ++b)
      for (std::int64_t t = 0; t < 4; ++t) {
        const double p = position->values.value().at(b * 4 + t);
        CHECK((p > 0 &&
               p < static_cast<double>(kExamples[static_cast<std::size_t>(b)].source.size())));
      }
  }
  SECTION("monotonic attention stops with a probability") {
    const auto recorded = record(*small({.normalizer = "monotonic"}), batch);
    const auto* const stopping = recorded.at(0).quantity("stopping probability");
    REQUIRE(stopping != nullptr);
    REQUIRE(stopping->values.shape() == recorded[0].weights.shape());
    for (const float p : stopping->values.value().to_vector()) CHECK((p >= 0 && p < 1));
    CHECK(stopping->values.value().at(0) > 0);
  }
  SECTION("others have none") {
    const auto recorded = record(*small({}), batch);
    CHECK(recorded.at(0).quantities.empty());
    CHECK(recorded[0].quantity("coverage") == nullptr);
  }
}

TEST_CASE("an AttentionRecorder records its own model, until it ends") {
  const auto model = small({}), other = small({});
  const Batch batch = make_batch(kExamples);
  const AttentionRecorder recorder(*model);
  (*other)(batch);
  CHECK(recorder.recorded().empty());
  {
    const AttentionRecorder inner(*other);
    (*model)(batch);
    (*other)(batch);
    CHECK(inner.recorded().size() == 1);
  }
  CHECK(recorder.recorded().empty());
  (*model)(batch);
  CHECK(recorder.recorded().size() == 1);
  CHECK_THROWS_WITH((*model)(make_batch(std::vector<Example>{{{4}, {5}}})),
                    "AttentionRecorder: decoder.attention attended for batches of 3 and 1 "
                    "sequences; record one batch at a time");
}
