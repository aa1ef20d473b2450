#include "attune/alignment/alignment.h"
#include "attune/data/all.h"
#include "attune/models/all.h"
#include "attune/search/all.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "attune/autograd/all.h"
#include "attune/autograd/array/threads.h"
#include "attune/autograd/shards.h"
#include "attune/optim/adam.h"
#include "attune/train/safetensors.h"
#include "catch.h"
#include "temporary_folder.h"

using namespace attune;

namespace {

using Ids = std::vector<int>;

EncoderDecoderOptions small(std::string cell = "gru", std::string attention = "additive") {
  return {.source_vocabulary = 9,
          .target_vocabulary = 7,
          .cell = std::move(cell),
          .attention = std::move(attention),
          .embedding = 5,
          .hidden = 3};
}

const std::vector<Example> kExamples = {{{4, 5, 6}, {6, 5}}, {{8}, {4, 4, 4}}, {{7, 4}, {}}};

Array logits_of(const EncoderDecoderOptions& options, double teacher_forcing, std::uint64_t draws) {
  seed(3);
  const Seq2Seq model = *make_model(options);
  seed(draws);
  return model(make_batch(kExamples), teacher_forcing).value();
}

bool equal(const Array& a, const Array& b) { return a.to_vector() == b.to_vector(); }

// `count` examples of copying 1 to 6 letters.
std::vector<Example> copies(int count) {
  Generator random(11);
  std::vector<Example> examples;
  for (int i = 0; i < count; ++i) {
    Ids ids(static_cast<std::size_t>(1 + random.below(6)));
    for (int& id : ids) id = static_cast<int>(Vocabulary::specials + random.below(5));
    examples.push_back({ids, ids});
  }
  return examples;
}

// Gives the tokens themselves as states [S, B, 1].
struct Reader : Encoder {
  Encoded operator()(const Source& source) const override {
    const auto& [ids, lengths] = std::get<Sources>(source);
    Array states(ids.shape().with(2, 1));
    for (std::int64_t i = 0; i < ids.elements(); ++i) states.set(i, ids.at(i));
    return {Tensor(states), lengths, {}};
  }
  std::int64_t state_size() const override { return 1; }
};

// Copies each source to the output: the logit of the next token is 1, all others are 0.
struct Echo : Decoder {
  int raised = -1;  // a token whose logit is `raise_to` at all times
  double raise_to = 9;

  DecoderState start(const Encoded& encoded) const override {
    DecoderState state;
    state.source = {{encoded.states, encoded.states, encoded.lengths}};
    return state;
  }
  Prediction predict(const Indices&, DecoderState& state) const override {
    const Tensor& ids = state.source[0].keys;
    const Indices& lengths = state.source[0].lengths;
    const std::int64_t batch = lengths.elements(), vocabulary = 9, t = state.position++;
    Array logits = Array::zeros({batch, vocabulary});
    for (std::int64_t b = 0; b < batch; ++b) {
      const auto token = t < lengths.at(b)
                             ? static_cast<std::int64_t>(ids.value().at(t * batch + b))
                             : std::int64_t{Vocabulary::end};
      logits.set(b * vocabulary + token, 1);
      if (raised >= 0) logits.set(b * vocabulary + raised, raise_to);
    }
    return {.logits = Tensor(logits), .weights = {}};
  }
  Decoded operator()(const Encoded&, const Targets&) const override { return {}; }
};

Seq2Seq echo(int raised = -1, double raise_to = 9) {
  const auto decoder = std::make_shared<Echo>();
  decoder->raised = raised;
  decoder->raise_to = raise_to;
  return Seq2Seq(std::make_shared<Reader>(), decoder);
}

}  // namespace

// Batches

TEST_CASE("a batch is time-major, with targets one step ahead of the decoder's inputs") {
  const Batch batch = make_batch(kExamples);
  CHECK(batch.source.ids.shape() == Shape({3, 3}));
  CHECK(batch.source.ids.to_vector() == Ids{4, 8, 7, 5, 0, 4, 6, 0, 0});
  CHECK(batch.source.lengths.to_vector() == Ids{3, 1, 2});
  CHECK(batch.target_input.shape() == Shape({4, 3}));
  CHECK(batch.target_input.to_vector() == Ids{1, 1, 1, 6, 4, 0, 5, 4, 0, 0, 4, 0});
  const int x = kIgnore;
  CHECK(batch.target_output.to_vector() == Ids{6, 4, 2, 5, 4, x, 2, 4, x, x, 2, x});
  CHECK(target_lengths(batch).to_vector() == Ids{3, 4, 1});
  CHECK(batch.tokens == 3 + 4 + 1);
}

TEST_CASE("a batch rejects an empty source and names its index") {
  const std::vector<Ids> sources = {{4}, {}};
  REQUIRE_THROWS_WITH(make_sources(sources), contains("source 1 is empty"));
  REQUIRE_THROWS_WITH(make_batch({}), contains("there are no sources"));
}

TEST_CASE("every epoch of a batch stream has each example once, in a new order") {
  std::vector<Example> examples;
  for (int i = 0; i < 50; ++i)
    examples.push_back({Ids(static_cast<std::size_t>(1 + i % 7), i), {i}});
  BatchStream stream(examples, 8, 5);
  std::vector<std::vector<int>> epochs;
  for (int epoch = 0; epoch < 3; ++epoch) {
    std::vector<int> seen;
    while (seen.size() < 50) {
      const Ids first = stream.next().source.ids[0].to_vector();
      seen.insert(seen.end(), first.begin(), first.end());
    }
    CHECK(std::set<int>(seen.begin(), seen.end()).size() == 50);
    epochs.push_back(seen);
  }
  CHECK(epochs[0] != epochs[1]);
  CHECK(epochs[1] != epochs[2]);
}

TEST_CASE("a batch stream depends only on its seed and groups examples of similar length") {
  const auto make = [](std::uint64_t index) {
    return Example{Ids(1 + index * index % 20, static_cast<int>(index)),
                   Ids(1 + index * index % 20)};
  };
  const auto tokens = [&](std::uint64_t seed) {
    BatchStream stream(make, 8, seed);
    std::vector<int> ids;
    std::int64_t places = 0, used = 0;
    for (int i = 0; i < 40; ++i) {
      const Batch batch = stream.next();
      const Ids some = batch.source.ids[0].to_vector();
      ids.insert(ids.end(), some.begin(), some.end());
      places += batch.target_output.elements();
      used += batch.tokens;
    }
    CHECK(std::set<int>(ids.begin(), ids.end()).size() == ids.size());
    CHECK(static_cast<double>(used) > 0.6 * static_cast<double>(places));
    return ids;
  };
  CHECK(tokens(1) == tokens(1));
  CHECK(tokens(1) != tokens(2));
}

TEST_CASE("a batch stream rejects an empty set and a batch size of 0") {
  REQUIRE_THROWS_WITH(BatchStream(std::vector<Example>{}, 4, 0), contains("no examples"));
  REQUIRE_THROWS_WITH(BatchStream(kExamples, 0, 0), contains("batch size 0"));
}

// The model

TEST_CASE("gradients of an encoder-decoder match finite differences for every cell and score") {
  const DefaultDType float64(DType::f64);
  const Batch batch = make_batch(kExamples);
  for (const std::string& cell : cell_names())
    for (const std::string attention : {"dot", "general", "additive", "cosine", "none"}) {
      if (cell == "rnn_relu") continue;  // finite differences fail at its kink
      INFO(cell << " with attention " << attention);
      seed(1);
      const Seq2Seq model = *make_model(small(cell, attention));
      std::vector<std::pair<std::string, Tensor>> leaves;
      for (const Param& param : model.parameters()) leaves.emplace_back(param.name, param.value);
      const auto result = gradcheck([&] { return std::vector<Tensor>{model.loss(batch)}; }, leaves);
      INFO(result.message);
      CHECK(result.ok);
    }
}

TEST_CASE("a stacked unidirectional encoder-decoder trains every parameter") {
  EncoderDecoderOptions options = small("lstm", "general");
  options.layers = 3;
  options.bidirectional = false;
  options.dropout = 0.2;
  seed(1);
  const Seq2Seq model = *make_model(options);
  const Batch batch = make_batch(kExamples);
  CHECK(model(batch).shape() == Shape({4, 3, 7}));
  model.loss(batch).backward();
  for (const Param& param : model.parameters()) {
    INFO(param.name);
    REQUIRE(param.value.grad().defined());
    const std::vector<float> gradient = param.value.grad().to_vector();
    CHECK(std::any_of(gradient.begin(), gradient.end(), [](float g) { return g != 0; }));
  }
}

TEST_CASE("the loss is the mean over the target tokens, whatever the padding") {
  seed(1);
  const Seq2Seq model = *make_model(small());
  double sum = 0;
  for (const Example& example : kExamples) {
    const Batch batch = make_batch({&example, 1});
    sum += model.loss(batch).item() * static_cast<double>(batch.tokens);
  }
  CHECK(model.loss(make_batch(kExamples)).item() == Approx(sum / 8).epsilon(1e-6));
}

TEST_CASE("dropout applies to the encoder's network but not to its embedding residual") {
  EncoderDecoderOptions options = small("rnn");
  options.dropout = 0.5;
  seed(1);
  const auto encoder = make_encoder("recurrent", options);
  const Sources sources = make_batch(kExamples).source;
  const Array dropped = (*encoder)(sources).states.value();
  {
    const Eval eval;
    CHECK_FALSE(equal((*encoder)(sources).states.value(), dropped));
  }
  // Without the recurrent network only the embedding residual is left.
  for (const Param& param : encoder->parameters())
    if (param.name.starts_with("recurrent")) Array(param.value.value()).fill(0);
  const Array marks = (*encoder)(sources).states.value();
  const std::int64_t features = marks.shape().last();
  for (std::int64_t i = 0; i < marks.elements(); ++i) {
    const std::int64_t row = i / features, batch = sources.lengths.elements();
    CHECK((marks.at(i) != 0) == (row / batch < sources.lengths.at(row % batch)));
  }
  const Eval eval;
  CHECK(equal((*encoder)(sources).states.value(), marks));
}

TEST_CASE("without teacher forcing the input of a step is the model's own last token") {
  const Array told = logits_of(small(), 1, 1), own = logits_of(small(), 0, 1);
  CHECK(equal(told[0], own[0]));
  CHECK_FALSE(equal(told, own));

  // The same with explicit inputs: the model's own choices.
  seed(3);
  const Seq2Seq model = *make_model(small());
  const Batch batch = make_batch(kExamples);
  std::vector<int> input = batch.target_input.to_vector();
  for (std::int64_t t = 1; t < 4; ++t) {
    const Indices chosen = argmax(own[t - 1]);
    for (std::int64_t b = 0; b < 3; ++b) input[static_cast<std::size_t>(t * 3 + b)] = chosen.at(b);
  }
  const Tensor again =
      model
          .decoder()(model.encode(batch.source),
                     {.input = Indices(input, {4, 3}), .lengths = target_lengths(batch)})
          .logits;
  const std::vector<float> expected = own.to_vector(), found = again.value().to_vector();
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK(found[i] == Approx(expected[i]));
}

TEST_CASE("partial teacher forcing draws from the generator") {
  CHECK(equal(logits_of(small(), 0.5, 1), logits_of(small(), 0.5, 1)));
  std::set<std::vector<float>> outcomes;
  for (std::uint64_t draws = 0; draws < 20; ++draws)
    outcomes.insert(logits_of(small(), 0.5, draws).to_vector());
  CHECK(outcomes.size() > 2);
  CHECK(outcomes.size() <= 8);  // three steps, each with either kind of input
}

TEST_CASE("token accuracy ignores padding") {
  const Array logits = Array::from(std::vector<float>{1, 0, 0, 1, 1, 0, 0, 1}, {2, 2, 2});
  CHECK(token_accuracy(logits, Indices(Ids{0, 0, kIgnore, 1}, {2, 2})) == Approx(2.0 / 3));
  CHECK(token_accuracy(logits, Indices(Ids{kIgnore, kIgnore, kIgnore, kIgnore}, {2, 2})) == 0);
  REQUIRE_THROWS_WITH(token_accuracy(logits, Indices{0, 1}), contains("do not fit"));
}

TEST_CASE("an encoder-decoder rejects tokens outside its vocabulary and unknown names") {
  const Seq2Seq model = *make_model(small());
  const std::vector<Example> beyond = {{{4, 9}, {4}}};
  REQUIRE_THROWS_WITH(model(make_batch(beyond)), contains("9"));
  REQUIRE_THROWS_WITH(make_model(small("grew")), contains("'grew'"));
  REQUIRE_THROWS_WITH(make_model(small("gru", "dots")), contains("'dots'"));
}

// Greedy search

TEST_CASE("greedy search results do not depend on the other sources in the batch") {
  std::vector<Ids> sources;
  for (const Example& example : copies(60)) sources.push_back(example.source);
  EncoderDecoderOptions options = small();
  options.dropout = 0.5;  // which a search must not apply
  seed(2);
  const Seq2Seq model = *make_model(options);
  const auto alone = greedy_search(model, sources, 9, 1);
  const auto together = greedy_search(model, sources, 9, 60);
  for (std::size_t i = 0; i < sources.size(); ++i) {
    CHECK(alone[i].tokens == together[i].tokens);
    CHECK(alone[i].finished == together[i].finished);
    REQUIRE(alone[i].weights.size() == alone[i].tokens.size() * sources[i].size());
    REQUIRE(together[i].weights.size() == alone[i].weights.size());
    for (std::size_t k = 0; k < alone[i].weights.size(); ++k)
      CHECK(together[i].weights[k] == Approx(alone[i].weights[k]).margin(1e-6));
  }
}

TEST_CASE("greedy search gives one row of weights for each token, which adds up to 1") {
  seed(2);
  const Seq2Seq model = *make_model(small());
  const std::vector<Ids> sources = {{4, 5, 6, 7}, {8, 4}};
  const std::vector<Hypothesis> found = greedy_search(model, sources, 5);
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const auto& [tokens, weights, copied, finished, log_probability, score] = found[i];
    const std::size_t length = sources[i].size();
    CHECK((finished || tokens.size() == 5));
    REQUIRE(weights.size() == tokens.size() * length);
    for (std::size_t t = 0; t < tokens.size(); ++t)
      CHECK(std::accumulate(&weights[t * length], &weights[t * length] + length, 0.0f) ==
            Approx(1));
  }
}

TEST_CASE("greedy search distinguishes truncated targets from those that end at the limit") {
  const Seq2Seq model = echo();
  const std::vector<Ids> sources = {{4, 5, 6}, {7}, {4, 5}};
  const auto at = [&](int limit) { return greedy_search(model, sources, limit); };
  CHECK(at(3)[0].tokens == Ids{4, 5, 6});
  CHECK(at(3)[0].finished);
  CHECK(at(2)[0].tokens == Ids{4, 5});
  CHECK_FALSE(at(2)[0].finished);
  CHECK(at(2)[2].finished);
  CHECK(at(0)[1].tokens.empty());
  CHECK_FALSE(at(0)[1].finished);

  const auto each = greedy_search(model, sources, Ids{1, 9, 2}, 3);
  CHECK(each[0].tokens == Ids{4});
  CHECK_FALSE(each[0].finished);
  CHECK(each[1].tokens == Ids{7});
  CHECK((each[1].finished && each[2].finished));
  CHECK_THROWS_WITH(greedy_search(model, sources, Ids{1, 2}), contains("2 limits for 3 sources"));
  CHECK_THROWS_WITH(at(-1), contains("limit of -1"));
}

TEST_CASE("greedy search never generates padding, start or unknown tokens") {
  for (const int special : {Vocabulary::pad, Vocabulary::start, Vocabulary::unknown}) {
    const Seq2Seq model = echo(special);
    const auto found = greedy_search(model, std::vector<Ids>{{4, 5, 6}}, 5);
    CHECK(found[0].tokens == Ids{4, 5, 6});
    CHECK(found[0].finished);
  }
}

TEST_CASE("greedy search reports NaN logits as an error") {
  for (const int id : {Vocabulary::end, 4, 7}) {
    const Seq2Seq model = echo(id, std::nan(""));
    CHECK_THROWS_WITH(greedy_search(model, std::vector<Ids>{{4, 5, 6}}, 5),
                      contains("search: a logit is NaN"));
  }
}

TEST_CASE("greedy search gives the same results in float64 and float32") {
  for (const std::string kind : {"recurrent", "transformer"}) {
    EncoderDecoderOptions options = small();
    options.model = kind;
    options.embedding = 8;
    seed(2);
    const auto model = make_model(options);
    const DefaultDType float64(DType::f64);
    const auto wide = make_model(options);
    const TemporaryFolder folder;
    save_safetensors(folder.path("m"), {model->values(), {}});
    wide->load(load_safetensors(folder.path("m")).arrays);
    const std::vector<Ids> sources = {{4, 5, 6, 7}, {8, 4}};
    const auto narrow_found = greedy_search(*model, sources, 6);
    const auto found = greedy_search(*wide, sources, 6);
    for (std::size_t i = 0; i < sources.size(); ++i) {
      CHECK(found[i].tokens == narrow_found[i].tokens);
      REQUIRE(found[i].weights.size() == narrow_found[i].weights.size());
      for (std::size_t k = 0; k < found[i].weights.size(); ++k)
        CHECK(found[i].weights[k] == Approx(narrow_found[i].weights[k]).margin(1e-5));
    }
    const Batch batch = make_batch(kExamples);
    CHECK(token_accuracy((*wide)(batch), batch.target_output) ==
          Approx(token_accuracy((*model)(batch), batch.target_output)));
  }
}

TEST_CASE("scheduled sampling draws once per batch, the same in all of its shards") {
  seed(3);
  const Seq2Seq model = *make_model(small());
  const Example example{{4, 5, 6}, {6, 5, 4, 6, 5, 4, 6}};
  const Batch batch = make_batch(std::vector<Example>(8, example));
  const std::vector<Batch> shards = shards_of(batch, 4);
  std::set<double> different;
  for (std::uint64_t draws = 0; draws < 5; ++draws) {
    std::vector<double> first;
    for (const int count : {1, 2, 3}) {
      const int before = threads();
      set_threads(count);
      seed(draws);
      std::vector<double> losses(shards.size());
      sharded_backward(4, [&](std::int64_t i) {
        const Tensor loss =
            model.loss(shards[static_cast<std::size_t>(i)], {.teacher_forcing = 0.5});
        losses[static_cast<std::size_t>(i)] = loss.item();
        return loss;
      });
      set_threads(before);
      CHECK(losses == std::vector<double>(4, losses[0]));
      if (first.empty()) first = losses;
      CHECK(losses == first);
    }
    different.insert(first[0]);
  }
  CHECK(different.size() > 1);
}

TEST_CASE("without attention greedy search has no weights, and an encoder no states") {
  seed(2);
  const Seq2Seq model = *make_model(small("lstm", "none"));
  const std::vector<Ids> sources = {{4, 5}};
  const Hypothesis found = greedy_search(model, sources, 5).front();
  CHECK(found.weights.empty());
  CHECK_FALSE(model.encode(make_sources(sources)).states.defined());
}

TEST_CASE("a model learns to copy, with attention along the diagonal") {
  const auto check = [](const Seq2Seq& model, double learning_rate, int steps) {
    BatchStream batches(copies(2000), 32, 1);
    Adam adam(model.parameters(), {.learning_rate = learning_rate});
    for (int step = 0; step < steps; ++step) {
      adam.zero_grad();
      model.loss(batches.next()).backward();
      adam.step();
    }
    const std::vector<Ids> sources = {{4, 5, 6, 7, 8}, {8, 4, 4}, {6}};
    const auto found = greedy_search(model, sources, 10);
    for (std::size_t i = 0; i < sources.size(); ++i) {
      CHECK(found[i].finished);
      CHECK(found[i].tokens == sources[i]);
    }
    CHECK(hard_alignment(found[0].weights, 5) == Ids{0, 1, 2, 3, 4});
  };
  SECTION("an encoder-decoder") {
    seed(4);
    check(*make_model({.source_vocabulary = 9,
                       .target_vocabulary = 9,
                       .attention = "additive",
                       .embedding = 16,
                       .hidden = 16}),
          0.01, 600);
  }
  SECTION("a Transformer") {
    seed(7);
    check(*make_model({.model = "transformer",
                       .source_vocabulary = 9,
                       .target_vocabulary = 9,
                       .embedding = 32,
                       .heads = 2,
                       .feed_forward = 64}),
          0.003, 600);
  }
}
