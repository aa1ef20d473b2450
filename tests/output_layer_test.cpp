#include "attune/models/output_layer.h"

#include <cmath>

#include "attune/autograd/all.h"
#include "attune/data/all.h"
#include "attune/models/all.h"
#include "catch.h"
#include "compare.h"

using namespace attune;

namespace {

constexpr std::int64_t kVocabulary = 8, kSource = 3, kBatch = 2, kCombined = 5, kState = 4;

OutputLayerOptions options_with(std::vector<std::int32_t> copied_as = {}) {
  return {.combined = kCombined,
          .state = kState,
          .embedding = 2,
          .source_size = 3,
          .vocabulary = kVocabulary,
          .copied_as = std::move(copied_as)};
}

// Two sources: tokens 5 6 5, and 7.
Encoded two_sources() {
  return {.states = random_normal({kSource, kBatch, 3}, DType::f64),
          .lengths = Indices({3, 1}),
          .last = {},
          .tokens = Indices({5, 7, 6, 0, 5, 0}).reshape({kSource, kBatch})};
}

// Two steps.
OutputInput two_steps() {
  return {.combined = random_normal({2, kBatch, kCombined}, DType::f64),
          .state = random_normal({2, kBatch, kState}, DType::f64),
          .previous = random_normal({2, kBatch, 2}, DType::f64),
          .weights = reshape(
              Tensor(Array::from({0.5, 0.2, 0.3, 1, 0, 0, 0.1, 0.9, 0, 1, 0, 0}, DType::f64)),
              {2, kBatch, kSource})};
}

double sigmoid_of(double x) { return 1 / (1 + std::exp(-x)); }

// w x + b for row `row` of x, where w and b are parameters of `layer`.
double affine(const Layer& layer, const std::string& name, std::int64_t unit, const Tensor& x,
              std::int64_t row) {
  double sum = 0;
  for (const Param& param : layer.parameters()) {
    const std::int64_t in = x.size(-1);
    if (param.name == name + ".bias") sum += param.value.value().at(unit);
    if (param.name == name + ".weight")
      for (std::int64_t i = 0; i < in; ++i)
        sum += param.value.value().at(unit * in + i) * x.value().at(row * in + i);
  }
  return sum;
}

// The share that each target token gets if a source token is copied, in row `row` of two_steps().
double copied(std::int64_t row, std::int64_t token) {
  const double shares[4][3] = {{0.8, 0.2, 0}, {0, 0, 1}, {0.1, 0.9, 0}, {0, 0, 1}};  // of 5, 6, 7
  return token < 5 ? 0 : shares[row][token - 5];
}

}  // namespace

TEST_CASE("the pointer output copies by the weights, or ends") {
  const DefaultDType float64(DType::f64);
  seed(1);
  const auto layer = make_output_layer("pointer", options_with());
  const OutputInput input = two_steps();
  const Tensor logits = (*layer)(input, layer->read(two_sources()));
  REQUIRE(logits.shape() == Shape({2, kBatch, kVocabulary}));
  for (std::int64_t row = 0; row < 4; ++row) {
    const double end = sigmoid_of(affine(*layer, "end", 0, input.combined, row));
    for (std::int64_t token = 0; token < kVocabulary; ++token) {
      const double p = token == Vocabulary::end ? end : (1 - end) * copied(row, token);
      CHECK(std::exp(logits.value().at(row * kVocabulary + token)) ==
            Approx(std::max(p, kLeastProbability)));
    }
  }
}

TEST_CASE("the pointer-generator output mixes the vocabulary's distribution with a copy") {
  const DefaultDType float64(DType::f64);
  seed(2);
  const auto layer = make_output_layer("pointer_generator", options_with());
  const OutputInput input = two_steps();
  const Tensor logits = (*layer)(input, layer->read(two_sources()));
  const Tensor gate_input = concat({input.combined, input.previous}, -1);
  for (std::int64_t row = 0; row < 4; ++row) {
    const double generate = sigmoid_of(affine(*layer, "generate", 0, gate_input, row));
    double sum = 0, total = 0;
    for (std::int64_t token = 0; token < kVocabulary; ++token)
      sum += std::exp(affine(*layer, "vocabulary", token, input.combined, row));
    for (std::int64_t token = 0; token < kVocabulary; ++token) {
      const double p =
          generate * std::exp(affine(*layer, "vocabulary", token, input.combined, row)) / sum +
          (1 - generate) * copied(row, token);
      CHECK(std::exp(logits.value().at(row * kVocabulary + token)) == Approx(p));
      total += p;
    }
    CHECK(total == Approx(1));
  }
}

TEST_CASE("the marginal output sums the predictions of all positions") {
  const DefaultDType float64(DType::f64);
  seed(3);
  const auto layer = make_output_layer("marginal", options_with());
  const OutputInput input = two_steps();
  Encoded encoded = two_sources();
  for (const std::int64_t beyond : {9, 10, 11, 15, 16, 17})  // positions 1 and 2 of source 1
    encoded.states.value().set(beyond, std::nan(""));
  const Tensor logits = (*layer)(input, layer->read(encoded));
  for (std::int64_t row = 0; row < 4; ++row) {
    const std::int64_t b = row % kBatch;
    std::vector<double> expected(kVocabulary, 0);
    for (std::int64_t s = 0; s < kSource; ++s) {
      const double weight = input.weights.value().at(row * kSource + s);
      if (weight == 0) continue;
      std::vector<double> score;
      double sum = 0;
      for (std::int64_t token = 0; token < kVocabulary; ++token) {
        score.push_back(std::exp(affine(*layer, "state", token, input.state, row) +
                                 affine(*layer, "source", token, encoded.states, s * kBatch + b)));
        sum += score.back();
      }
      for (std::size_t token = 0; token < kVocabulary; ++token)
        expected[token] += weight * score[token] / sum;
    }
    for (std::size_t token = 0; token < kVocabulary; ++token)
      CHECK(std::exp(logits.value().at(row * kVocabulary + static_cast<std::int64_t>(token))) ==
            Approx(expected[token]));
  }
}

TEST_CASE("tokens are copied as the same token of the target's vocabulary") {
  const std::vector<std::string> sources{"a b"}, targets{"c b a b"};
  const Vocabulary source = Vocabulary::build(Tokens::words, sources);
  const Vocabulary target = Vocabulary::build(Tokens::words, targets);
  const std::vector<std::int32_t> ids = source.ids_in(target);
  REQUIRE(std::ssize(ids) == source.size());
  for (int id = 0; id < source.size(); ++id)
    CHECK(target.token(ids[static_cast<std::size_t>(id)]) == source.token(id));
  CHECK(target.ids_in(source)[static_cast<std::size_t>(target.id("c"))] == Vocabulary::unknown);

  const Encoded encoded = two_sources();
  const CopiedTokens tokens =
      tokens_to_copy("test", encoded, options_with({0, 1, 2, 3, 4, 6, 3, 5}));
  CHECK(tokens.ids.to_vector() == std::vector<std::int32_t>{6, 8, 6, 5, 0, 0});
  CHECK(tokens.vocabulary.to_vector() == std::vector<std::int32_t>{9, 8});
  CHECK(tokens.size() == 9);
  const CopiedTokens second = tokens.select({1, 1});
  CHECK(second.ids.to_vector() == std::vector<std::int32_t>{5, 0, 0, 5, 0, 0});
  CHECK(second.size() == 8);
  CHECK_THROWS_WITH(tokens_to_copy("test", encoded, options_with({0, 1, 2, 3, 4})),
                    contains("test: source token 5 is none of the 5 source tokens, and as one of "
                             "this source alone it would be copied as 0; expected 4 to 8"));
  CHECK_THROWS_WITH(tokens_to_copy("test", encoded, options_with({0, 1, 2, 3, 4, 8, 3, 5})),
                    contains("test: source token 5 is copied as 8, which is none of the 8 target "
                             "tokens; correct copied_as"));
  CHECK_THROWS_WITH(tokens_to_copy("test", Encoded{}, options_with()),
                    contains("the source has no tokens that could be copied"));
}

TEST_CASE("decoders refuse outputs and queries without attention") {
  const auto made = [](RecurrentDecoderOptions options) {
    options.vocabulary = 8, options.source_size = 6;
    return RecurrentDecoder(options);
  };
  CHECK_THROWS_WITH(made({.attention = "none", .output_layer = "pointer"}),
                    contains("output layer 'pointer' reads the weights of attention"));
  CHECK_THROWS_WITH(made({.query = "current", .attention = "none"}),
                    contains("there is no attention"));
  CHECK_THROWS_WITH(made({.query = "next"}), contains("expected previous or current"));
  CHECK_THROWS_WITH(made({.input_feeding = true}), contains("needs the query 'current'"));
  CHECK_THROWS_WITH(made({.output_layer = "points"}), contains("'points' is unknown"));
}

TEST_CASE("input feeding makes each step depend on the attentional state before it") {
  const DefaultDType float64(DType::f64);
  seed(4);
  const auto model = make_model({.source_vocabulary = 8,
                                 .target_vocabulary = 8,
                                 .query = "current",
                                 .input_feeding = true,
                                 .embedding = 4,
                                 .hidden = 3});
  const std::vector<Example> examples = {{{4, 5, 6}, {6, 5, 4}}};
  const Batch batch = make_batch(examples);
  DecoderState state = model->decoder().start(model->encode(batch.source));
  REQUIRE(state.combined.shape() == Shape({1, 6}));
  CHECK(distance(state.combined.value(), Array::zeros({1, 6}, DType::f64)) == 0);
  model->decoder().predict(batch.target_input[0], state);
  DecoderState changed = state;
  changed.combined = changed.combined * 0.5;
  const Array next = model->decoder().predict(batch.target_input[1], state).logits.value();
  CHECK(distance(next, model->decoder().predict(batch.target_input[1], changed).logits.value()) >
        1e-6);
}
