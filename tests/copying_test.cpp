// Models that copy tokens which no vocabulary has (See et al. 2017).
#include <algorithm>
#include <cmath>

#include "attune/autograd/all.h"
#include "attune/data/all.h"
#include "attune/models/all.h"
#include "attune/optim/all.h"
#include "attune/search/all.h"
#include "attune/train/train_step.h"
#include "catch.h"
#include "compare.h"
#include "model_gradients.h"

using namespace attune;

namespace {

using Ids = std::vector<int>;

Vocabulary words(const std::vector<std::string>& lines) {
  return Vocabulary::build(Tokens::words, lines);
}

EncoderDecoderOptions small(const Vocabulary& source, const Vocabulary& target,
                            const std::string& output_layer = "pointer_generator") {
  return {.source_vocabulary = source.size(),
          .target_vocabulary = target.size(),
          .output_layer = output_layer,
          .embedding = 6,
          .hidden = 4,
          .feed_forward = 9,
          .copied_as = source.ids_in(target)};
}

// Pairs of sources with tokens that the vocabularies of "a b c d" and "a b e" do not have.
struct Pairs {
  Vocabulary source = words({"a b c d"}), target = words({"a b e"});
  std::vector<Example> examples;

  Pairs() {
    for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
             {"a x c x b e", "x a c e"}, {"b", "a"}, {"d y z", "z y"}, {"c c y", "y d"}}) {
      const ExtendedVocabulary both(source, target, from);
      examples.push_back({both.source(), both.encode_target(to)});
    }
  }
};

}  // namespace

TEST_CASE("a vocabulary is extended by the tokens of one source, in their order") {
  const Vocabulary source = words({"a b c"}), target = words({"a b e"});
  const int s = source.size(), v = target.size();  // 7 each: a, b and c or e are 4, 5, 6
  const ExtendedVocabulary both(source, target, "a x c x e <unk> </s>");
  // x, c, <unk> and </s> are no target tokens; e is, but no source token.
  CHECK(both.source() == Ids{4, s + v, 6, s + v, s + 6, s + v + 2, s + v + 3});
  CHECK(both.encode_target("e x q c a <unk>") == Ids{6, v, Vocabulary::unknown, v + 1, 4, v + 2});
  UnknownTokens unknown;
  both.encode_target("e x q c a q", &unknown);
  CHECK(unknown.tokens() == std::vector<std::string>{"q"});
  CHECK(unknown.occurrences() == 2);

  const std::vector<std::string> tokens = {"a", "x", "c", "x", "e", "<unk>", "</s>"};
  for (std::size_t i = 0; i < tokens.size(); ++i)
    CHECK(both.source_token(both.source()[i]) == tokens[i]);
  CHECK(both.target_token(v + 1) == "c");
  CHECK(both.target_token(v + 9) == "<unk>");
  CHECK(both.decode_target(Ids{6, v, v + 1, v + 3, Vocabulary::end, 4}) == "e x c </s>");

  const ExtendedVocabulary plain(source, target);
  CHECK(plain.source().empty());
  CHECK(plain.encode_target("a x") == Ids{4, Vocabulary::unknown});
  CHECK(plain.decode_target(Ids{4, v}) == "a <unk>");
  CHECK_THROWS_WITH(ExtendedVocabulary(source, target, "\xFF"), contains("expected UTF-8 text"));
}

TEST_CASE("the ids of an extended vocabulary are what output layers copy") {
  const Vocabulary source = words({"a b c d"}), target = words({"a b e"});
  for (const std::string line : {"a x c x b e d", "c d c", "x e y", "a b"}) {
    const ExtendedVocabulary both(source, target, line);
    const Sources sources = make_sources(std::vector<Ids>{both.source()});
    const CopiedTokens copied = tokens_to_copy(
        "test", {.states = {}, .lengths = sources.lengths, .last = {}, .tokens = sources.ids},
        {.vocabulary = target.size(), .copied_as = source.ids_in(target)});
    std::string text;
    for (const std::int32_t id : copied.ids.to_vector())
      text += (text.empty() ? "" : " ") + both.target_token(id);
    CHECK(text == line);
  }
}

TEST_CASE("only output layers that copy extend a vocabulary") {
  for (const std::string& name : output_layer_names())
    CHECK(copies_tokens(name) == name.starts_with("pointer"));
  CHECK_THROWS_WITH(copies_tokens("points"), contains("'points' is unknown"));

  const Pairs pairs;
  seed(1);
  const auto plain = make_model(small(pairs.source, pairs.target, "linear"));
  CHECK_THROWS_WITH(plain->loss(make_batch(pairs.examples)), contains("is outside [0, 8)"));
}

TEST_CASE("gradients of models that copy their sources' own tokens are correct") {
  const DefaultDType float64(DType::f64);
  const Pairs pairs;
  const Batch batch = make_batch(pairs.examples);
  for (const std::string output_layer : {"pointer_generator", "pointer"})
    for (const std::string encoder : {"recurrent", "convolutional", "transformer"})
      for (const double coverage : {0.0, 0.7}) {
        INFO(output_layer << " after " << encoder << ", coverage loss " << coverage);
        EncoderDecoderOptions options = small(pairs.source, pairs.target, output_layer);
        options.encoder = encoder;
        options.heads = 2;
        seed(2);
        const auto model = make_model(options);
        const LossOptions how{.label_smoothing = 0.1, .coverage_loss = coverage};
        CHECK(model->forward(batch.source, batch).logits.size(2) ==
              pairs.target.size() + 3);  // x, c and e
        CHECK(fault_of_gradients(*model, [&] { return model->loss(batch, how); }) == "");
      }
}

TEST_CASE("the coverage loss adds the overlap of each step's weights with those before") {
  const DefaultDType float64(DType::f64);
  const Pairs pairs;
  const Batch batch = make_batch(pairs.examples);
  EncoderDecoderOptions options = small(pairs.source, pairs.target);
  options.heads = 2;
  seed(3);
  const auto model = make_model(options);
  const double plain = model->loss(batch).item();
  double expected = 0;
  for (const Example& example : pairs.examples) {
    Example with_end = example;  // attention_weights() has a step for each token
    with_end.target.push_back(Vocabulary::end);
    const Tensor weights = mean(attention_weights(*model, with_end)[0], 0);  // [T, S]
    std::vector<double> covered(example.source.size(), 0);
    for (std::int64_t t = 0; t < weights.size(0); ++t)
      for (std::int64_t s = 0; s < weights.size(1); ++s) {
        const double weight = weights.value().at(t * weights.size(1) + s);
        expected += std::min(weight, covered[static_cast<std::size_t>(s)]);
        covered[static_cast<std::size_t>(s)] += weight;
      }
  }
  CHECK(expected > 0);
  for (const double factor : {1.0, 0.25})
    CHECK(model->loss(batch, {.coverage_loss = factor}).item() - plain ==
          Approx(factor * expected / static_cast<double>(batch.tokens)));

  // That of the coverage score is the same loss.
  options.heads = 1;
  options.attention = "coverage:loss=0";
  seed(4);
  const auto outside = make_model(options);
  options.attention = "coverage:loss=0.5";
  seed(4);
  const auto inside = make_model(options);
  CHECK(outside->loss(batch, {.coverage_loss = 0.5}).item() ==
        Approx(inside->loss(batch).item()).epsilon(1e-12));

  options.attention = "none", options.output_layer = "linear", options.copied_as = {};
  const std::vector<Example> known = {{{4, 5}, {5}}};
  CHECK_THROWS_WITH(make_model(options)->loss(make_batch(known), {.coverage_loss = 1}),
                    contains("there is no attention for a coverage loss of 1"));
  options.decoder = "transformer";
  CHECK_THROWS_WITH(make_model(options)->loss(make_batch(known), {.coverage_loss = 1}),
                    contains("use a recurrent decoder, or a coverage loss of 0 instead of 1"));
}

TEST_CASE("padding of a batch has no influence on what is copied, or on the coverage loss") {
  const Pairs pairs;
  const auto run = [&](std::int32_t padding) {
    seed(5);
    const auto model = make_model(small(pairs.source, pairs.target));
    Batch batch = make_batch(pairs.examples);
    std::vector<std::int32_t> ids = batch.source.ids.to_vector();
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const auto row = static_cast<std::int64_t>(i % pairs.examples.size());
      if (static_cast<std::int64_t>(i / pairs.examples.size()) >= batch.source.lengths.at(row))
        ids[i] = padding;
    }
    batch.source.ids = Indices(ids, batch.source.ids.shape());
    const Tensor loss = model->loss(batch, {.coverage_loss = 1});
    loss.backward();
    std::vector<float> numbers = loss.value().to_vector<float>();
    for (const Param& param : model->parameters()) {
      const std::vector<float> more = param.value.grad().to_vector<float>();
      numbers.insert(numbers.end(), more.begin(), more.end());
    }
    return numbers;
  };
  const std::vector<float> clean = run(Vocabulary::pad);
  CHECK(std::all_of(clean.begin(), clean.end(), [](float v) { return std::isfinite(v); }));
  for (const std::int32_t padding : {5, 6, pairs.source.size() + pairs.target.size() + 7})
    CHECK(run(padding) == clean);

  // Steps without a gradient may hold anything.
  Tensor logits = Tensor::parameter(Array::full({2, 1, 3}, 0.5));
  Array gate = Array::full({2, 1, 1}, 0.5), copies = Array::full({2, 1, 2}, 0.25);
  logits.value().set(3, std::nan(""));
  gate.set(1, std::nan("")), copies.set(2, std::nan(""));
  const Tensor p = log_copy_mixture(logits, Tensor(gate), Tensor(copies),
                                    Indices({0, 3}).reshape({1, 2}), 4, 1e-9);
  sum(p[0]).backward();
  CHECK(logits.grad().all_finite());
}

TEST_CASE("searches write and force tokens that only the source has, as alone") {
  const Pairs pairs;
  for (const std::string output_layer : {"pointer_generator", "pointer"}) {
    INFO(output_layer);
    seed(6);
    const auto model = make_model(small(pairs.source, pairs.target, output_layer));
    std::vector<SearchInput> inputs;
    for (const Example& example : pairs.examples)
      inputs.push_back({.source = example.source, .max_length = 4});
    bool wrote_own = false;
    for (const SearchOptions& options :
         {SearchOptions{}, SearchOptions{.beam = 40, .n_best = 40},
          SearchOptions{.n_best = 9, .sampling = SamplingOptions{.temperature = 3}},
          SearchOptions{.n_best = 9, .sampling = SamplingOptions{.top_k = 3, .top_p = 0.9}}}) {
      const auto together = search(*model, inputs, options);
      for (std::size_t i = 0; i < inputs.size(); ++i) {
        const CopiedTokens copied = model->decoder()
                                        .start(model->encode(make_sources({&inputs[i].source, 1})))
                                        .output.tokens;
        const auto alone = search(*model, {&inputs[i], 1}, options)[0];
        REQUIRE(alone.size() == together[i].size());
        for (std::size_t k = 0; k < alone.size(); ++k) {
          const Hypothesis& found = together[i][k];
          CHECK(alone[k].tokens == found.tokens);
          CHECK(alone[k].log_probability == Approx(found.log_probability).margin(1e-5));
          CHECK(alone[k].copied == found.copied);
          REQUIRE(found.copied.size() == found.tokens.size());
          for (std::size_t t = 0; t < found.tokens.size(); ++t) {
            CHECK(found.tokens[t] < copied.size());
            if (found.tokens[t] < pairs.target.size()) continue;
            wrote_own = true;
            CHECK(found.copied[t]);
          }
          if (found.log_probability < -60) continue;  // has tokens of kLeastProbability
          const Example example{inputs[i].source, found.tokens};
          const TargetProbability forced = forced_decoding(*model, {&example, 1})[0];
          const double end = found.finished ? 0 : forced.tokens.back();
          CHECK(forced.sum - end == Approx(found.log_probability).margin(1e-4));
        }
      }
    }
    CHECK(wrote_own);
    const auto greedy = search(*model, inputs, {.beam = 1});
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const Hypothesis one = greedy_search(*model, {&inputs[i].source, 1}, inputs[i].max_length)[0];
      CHECK(one.tokens == greedy[i][0].tokens);
    }
  }
}

TEST_CASE("a token counts as copied if copying has more than half of its probability") {
  const Pairs pairs;
  seed(7);
  const auto model = make_model(small(pairs.source, pairs.target));
  const auto copied_with = [&](double gate_bias) {
    for (const Param& param : model->parameters())
      if (param.name == "decoder.output.generate.bias")
        Array(param.value.value()).set(0, gate_bias);
    const std::vector<SearchInput> inputs = {
        {.source = pairs.examples[0].source, .max_length = 3, .prefix = {4, 5, 6}}};
    return search(*model, inputs)[0][0].copied;
  };
  CHECK(copied_with(-30) == std::vector<bool>{true, true, true});
  CHECK(copied_with(30) == std::vector<bool>{false, false, false});
  const auto plain = make_model(small(pairs.source, pairs.target, "linear"));
  const std::vector<SearchInput> inputs = {{.source = {4, 5}, .max_length = 3}};
  CHECK(search(*plain, inputs)[0][0].copied.empty());
}

TEST_CASE("shards of a batch keep the tokens of their sources, for any number of threads") {
  const Pairs pairs;
  std::vector<Example> many;
  for (int i = 0; i < 12; ++i)
    many.insert(many.end(), pairs.examples.begin(), pairs.examples.end());
  const Batch batch = make_batch(many);
  seed(8);
  const auto model = make_model(small(pairs.source, pairs.target));
  const auto gradients = [&](int threads) {
    set_threads(threads);
    std::vector<Array> found;
    for (const Param& param : model->parameters()) Tensor(param.value).zero_grad();
    const double loss = add_gradients(*model, {&batch, 1}, {.coverage_loss = 0.3}).loss;
    found.push_back(Array::full({1}, loss));
    for (const Param& param : model->parameters()) found.push_back(param.value.grad().clone());
    return found;
  };
  const int before = threads();
  REQUIRE(suitable_shards(batch.sequences()) == 3);
  const std::vector<Array> expected = gradients(1);
  CHECK(expected[0].item() ==
        Approx(model->loss(batch, {.coverage_loss = 0.3}).item()).epsilon(1e-5));
  for (const int threads : {2, 3, 8}) {
    const std::vector<Array> found = gradients(threads);
    for (std::size_t i = 0; i < found.size(); ++i) CHECK(distance(found[i], expected[i]) == 0);
  }
  set_threads(before);
}

TEST_CASE("a model learns to copy words that training never showed") {
  // The word after "please" is to be written; there are 40 words, and 20 more in the test.
  const auto line_of = [](int word, int other) {
    return std::pair(fmt::format("so w{} then please w{} now", other, word),
                     fmt::format("ok w{}", word));
  };
  Vocabulary source = words({"so then please now"}), target = words({"ok"});
  const auto example = [&](const std::pair<std::string, std::string>& pair) {
    const ExtendedVocabulary both(source, target, pair.first);
    return Example{both.source(), both.encode_target(pair.second)};
  };
  EncoderDecoderOptions options = small(source, target);
  options.hidden = 16, options.embedding = 16;
  seed(9);
  const auto model = make_model(options);
  Adam adam(model->parameters(), {.learning_rate = 0.01});
  Generator random(1);
  for (int step = 0; step < 120; ++step) {
    std::vector<Example> examples;
    for (int i = 0; i < 16; ++i)
      examples.push_back(
          example(line_of(static_cast<int>(random.below(40)), static_cast<int>(random.below(40)))));
    adam.zero_grad();
    model->loss(make_batch(examples)).backward();
    adam.step();
  }
  for (int word = 50; word < 70; ++word) {
    const auto pair = line_of(word, word + 30);
    const ExtendedVocabulary both(source, target, pair.first);
    const Hypothesis found = greedy_search(*model, std::vector<Ids>{both.source()}, 5)[0];
    CHECK(both.decode_target(found.tokens) == pair.second);
    CHECK(found.copied == std::vector<bool>{false, true});
  }
}
