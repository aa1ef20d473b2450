#include "attune/layers/attention/stage_recorder.h"

#include <algorithm>

#include "attention_members.h"
#include "attune/autograd/all.h"
#include "attune/data/all.h"
#include "attune/layers/attention/attention_recorder.h"
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
  options.embedding = 8;
  options.hidden = 4;
  return make_model(options);
}

// The value of that symbol that was computed last.
Tensor last(const std::vector<RecordedStage>& stages, const std::string& symbol) {
  Tensor found;
  for (const RecordedStage& stage : stages)
    if (stage.symbol == symbol) found = stage.value;
  return found;
}

// Logits of the first two steps of a target.
std::vector<float> two_steps(const Seq2Seq& model) {
  const NoGrad no_grad;
  const Eval eval;
  const Batch batch = make_batch(kExamples);
  DecoderState state = model.decoder().start(model.encode(Source(batch.source)));
  std::vector<float> logits;
  for (const std::int32_t token : {1, 5}) {
    const Prediction next = model.decoder().predict({token, token, token}, state);
    const std::vector<float> values = next.logits.value().to_vector();
    logits.insert(logits.end(), values.begin(), values.end());
  }
  return logits;
}

double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  REQUIRE(a.size() == b.size());
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    largest = std::max(largest, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  return largest;
}

}  // namespace

TEST_CASE("a StageRecorder records what each stage of attention computed, in order") {
  const Attention attention("dot", {.query_size = 2});
  const Tensor h = Array::from({{{1.0F, 0.0F}}, {{0.0F, 1.0F}}, {{1.0F, 1.0F}}});  // [S, 1, 2]
  const Tensor query = Array::from({{1.0F, 2.0F}});
  StageRecorder recorder;
  const AttentionResult result = attention.attend(query, attention.memorize(h));
  const std::vector<RecordedStage> stages = recorder.take();
  std::vector<std::string> symbols;
  for (const RecordedStage& stage : stages) symbols.push_back(stage.symbol);
  CHECK(symbols == std::vector<std::string>{"k", "v", "q", "e", "e", "a", "a", "z", "c"});
  CHECK(last(stages, "q").value().to_vector() == query.value().to_vector());
  CHECK(last(stages, "k").value().to_vector() == h.value().to_vector());
  CHECK(last(stages, "e").value().to_vector() == std::vector<float>{1, 2, 3});
  CHECK(distance(last(stages, "a").value(), softmax(last(stages, "e")).value()) < 1e-7);
  CHECK(last(stages, "c").value().to_vector() == result.context.value().to_vector());
  CHECK(recorder.take().empty());
}

TEST_CASE("recorded stages have the layers that computed them") {
  const auto model = small({.model = "transformer", .layers = 1, .heads = 2});
  StageRecorder recorder;
  two_steps(*model);
  std::vector<std::string> contexts;
  for (const RecordedStage& stage : recorder.take()) {
    CHECK(stage.line > 0);
    CHECK((stage.file.starts_with("layers/") || stage.file.starts_with("models/")));
    if (stage.stage == AttentionStage::context) contexts.push_back(stage.layer);
  }
  const std::string self = "decoder.transformer.layer0.self_attention",
                    cross = "decoder.transformer.layer0.cross_attention";
  CHECK(contexts == std::vector<std::string>{"encoder.transformer.layer0.self_attention", self,
                                             cross, self, cross});
}

TEST_CASE("recording stages changes results of all mechanisms by rounding at most") {
  std::vector<EncoderDecoderOptions> all;
  for (const auto& [score, normalizer] : scores_with_normalizers())
    all.push_back({.attention = score, .normalizer = normalizer});
  for (const std::string& locality : locality_names()) all.push_back({.locality = locality});
  all.push_back({.attention = "scaled_dot", .heads = 2});
  all.push_back({.attention = "general", .query = "current", .input_feeding = true});
  for (const char* mixer : {"none", "talking", "differential"})
    all.push_back({.model = "transformer", .heads = 2, .head_mixer = mixer});
  all.push_back(
      {.model = "transformer", .heads = 4, .key_value_heads = 2, .gated_attention = true});
  for (const std::string& positions : positional_encoding_names())
    all.push_back({.model = "transformer", .heads = 2, .positions = positions});
  for (const EncoderDecoderOptions& options : all) {
    INFO(options.attention << " " << options.normalizer << " " << options.locality << " "
                           << options.head_mixer << " " << options.positions);
    const auto model = small(options);
    const std::vector<float> without = two_steps(*model);
    StageRecorder recorder;
    const std::vector<float> with = two_steps(*model);
    CHECK(largest_difference(with, without) < 1e-5);
    if (!options.is_transformer() && options.head_count() == 1) CHECK(with == without);
    const std::vector<RecordedStage> stages = recorder.take();
    for (const char* symbol : {"h", "k", "v", "q", "e", "a", "z", "c", "logits"}) {
      INFO(symbol);
      CHECK(last(stages, symbol).defined());
    }
  }
}

TEST_CASE("an AttentionRecorder records the same beside a StageRecorder") {
  const std::string kind = GENERATE("recurrent", "transformer");
  const auto model = small({.model = kind, .heads = 2});
  const auto record = [&] {
    const AttentionRecorder recorder(*model);
    two_steps(*model);
    return recorder.recorded();
  };
  const auto alone = record();
  StageRecorder recorder;
  const auto beside = record();
  REQUIRE(alone.size() == beside.size());
  for (std::size_t i = 0; i < alone.size(); ++i) {
    CHECK(alone[i].name == beside[i].name);
    CHECK(distance(alone[i].weights.value(), beside[i].weights.value()) < 1e-6);
  }
}

TEST_CASE("only the innermost StageRecorder records, and only its thread") {
  const auto model = small({});
  StageRecorder outer;
  {
    StageRecorder inner;
    two_steps(*model);
    CHECK_FALSE(inner.take().empty());
    CHECK(StageRecorder::current() == &inner);
  }
  CHECK(outer.take().empty());
  CHECK(StageRecorder::current() == &outer);
}
