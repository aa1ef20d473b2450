#include <cmath>

#include "attune/autograd/all.h"
#include "attune/data/all.h"
#include "attune/models/all.h"
#include "attune/search/all.h"
#include "catch.h"

using namespace attune;

namespace {

using Ids = std::vector<int>;

EncoderDecoderOptions small() {
  return {.model = "transformer",
          .source_vocabulary = 9,
          .target_vocabulary = 7,
          .layers = 2,
          .embedding = 6,
          .heads = 2,
          .feed_forward = 7};
}

const std::vector<Example> kExamples = {{{4, 5, 6}, {6, 5}}, {{8}, {4, 4, 4}}, {{7, 4}, {}}};

// Draws all parameters anew, so that none has a special initial value, such as 0 for biases.
void scatter(const Layer& model) {
  for (const Param& param : model.parameters()) {
    Array value = param.value.value();
    generator().normal(value, 0, 0.7);
  }
}

}  // namespace

TEST_CASE("gradients of a Transformer match finite differences") {
  const DefaultDType float64(DType::f64);
  seed(1);
  const Seq2Seq model = *make_model(small());
  const Batch batch = make_batch(kExamples);
  std::vector<std::pair<std::string, Tensor>> leaves;
  for (const Param& param : model.parameters()) leaves.emplace_back(param.name, param.value);
  const auto result = gradcheck([&] { return std::vector<Tensor>{model.loss(batch)}; }, leaves);
  INFO(result.message);
  CHECK(result.ok);
}

TEST_CASE("step-by-step decoding of a Transformer gives the logits of the whole sequence") {
  const DefaultDType float64(DType::f64);
  seed(2);
  const Seq2Seq model = *make_model(small());
  scatter(model);
  const Batch batch = make_batch(kExamples);
  const Indices lengths = target_lengths(batch);
  const Array whole = model(batch).value();  // [T, B, V]
  DecoderState state = model.decoder().start(model.encode(batch.source));
  for (std::int64_t t = 0; t < whole.shape()[0]; ++t) {
    const Array step = model.decoder().predict(batch.target_input[t], state).logits.value();
    REQUIRE(step.shape() == whole[t].shape());
    for (std::int64_t i = 0; i < step.elements(); ++i)
      if (t < lengths.at(i / step.shape()[1]))
        CHECK(step.at(i) == Approx(whole[t].at(i)).epsilon(1e-12));
  }
}

TEST_CASE("greedy search with cached keys and values matches recomputing the whole sequence") {
  seed(3);
  const Seq2Seq model = *make_model(small());
  scatter(model);
  const std::vector<Ids> sources = {{4, 5, 6, 7}, {8}, {7, 4}};
  constexpr int kLongest = 9;
  const std::vector<Hypothesis> found = greedy_search(model, sources, kLongest);
  const NoGrad no_grad;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    Ids target = {Vocabulary::start};
    for (int t = 0; t < kLongest; ++t) {
      const Indices input(target, {std::ssize(target), 1});
      const Encoded encoded = model.encode(make_sources({&sources[i], 1}));
      Array logits =
          model.decoder()(encoded, {.input = input, .lengths = {}}).logits[t].value().clone();
      for (const int id : {Vocabulary::pad, Vocabulary::start, Vocabulary::unknown})
        logits.set(id, -1e9);  // the search never generates these
      target.push_back(argmax(Tensor(logits)).at(0));
      if (target.back() == Vocabulary::end) break;
    }
    const bool finished = target.back() == Vocabulary::end;
    CHECK(found[i].finished == finished);
    CHECK(found[i].tokens == Ids(target.begin() + 1, target.end() - (finished ? 1 : 0)));
  }
}

TEST_CASE(
    "a Transformer's alignment is the mean of its last layer's heads, all of which are kept") {
  seed(4);
  const Seq2Seq model = *make_model(small());
  const Batch batch = make_batch(kExamples);
  DecoderState state = model.decoder().start(model.encode(batch.source));
  const Prediction next = model.decoder().predict(batch.target_input[0], state);
  REQUIRE(next.weights.size() == 2);
  REQUIRE(next.weights[1].shape() == Shape({3, 2, 3}));
  const Array alignment = next.alignment().value();
  REQUIRE(alignment.shape() == Shape({3, 3}));
  for (std::int64_t b = 0; b < 3; ++b) {
    double total = 0;
    for (std::int64_t s = 0; s < 3; ++s) {
      const Array heads = next.weights[1].value()[b];
      CHECK(alignment[b].at(s) == Approx((heads.at(s) + heads.at(3 + s)) / 2));
      total += alignment[b].at(s);
    }
    CHECK(total == Approx(1));
  }
  CHECK(alignment.at(3 + 1) == 0);  // beyond the length of source 1
}

TEST_CASE("a Transformer depends on the order of tokens in source and target") {
  seed(5);
  const Seq2Seq model = *make_model(small());
  const auto logits = [&](const Ids& source, const Ids& target) {
    const Example example{source, target};
    return model(make_batch({&example, 1})).value().to_vector();
  };
  CHECK(logits({4, 5}, {4})[0] != logits({5, 4}, {4})[0]);
  const auto twice = logits({4, 5}, {4, 4});
  CHECK(twice[7] != twice[14]);
}

TEST_CASE("a Transformer handles sequences longer than any earlier one") {
  seed(5);
  const Seq2Seq model = *make_model(small());
  const std::vector<Ids> sources = {Ids(300, 4)};
  CHECK(greedy_search(model, sources, 40)[0].tokens.size() <= 40);
}

TEST_CASE("a Transformer's loss is the mean over the target tokens, whatever the padding") {
  seed(6);
  const Seq2Seq model = *make_model(small());
  double sum = 0;
  for (const Example& example : kExamples) {
    const Batch batch = make_batch({&example, 1});
    sum += model.loss(batch).item() * static_cast<double>(batch.tokens);
  }
  CHECK(model.loss(make_batch(kExamples)).item() == Approx(sum / 8).epsilon(1e-6));
}

TEST_CASE("models are made by name, and mismatched options are explained") {
  EncoderDecoderOptions options = small();
  for (const std::string& kind : model_names()) {
    options.model = kind;
    CHECK(make_model(options)->parameter_count() > 100);
  }
  options.model = "perceptron";
  CHECK_THROWS_WITH(make_model(options),
                    "encoder: 'perceptron' is unknown; known are " + joined(encoders().names()));
  options.model = "transformer";
  options.heads = 4;
  CHECK_THROWS_WITH(make_model(options), contains("6 features cannot be divided among 4 heads"));
  CHECK_THROWS_WITH((*make_model(small()))(make_batch(kExamples), 0.5),
                    contains("Transformer: teacher forcing is 0.5") && contains("so it must be 1"));
}
