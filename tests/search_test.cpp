#include "attune/search/all.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <numeric>
#include <set>

#include "attune/autograd/all.h"
#include "attune/autograd/array/threads.h"
#include "attune/autograd/kernels/gemm.h"
#include "attune/data/vocabulary.h"
#include "attune/models/all.h"
#include "attune/search/continuations.h"
#include "attune/search/target_search.h"
#include "catch.h"
#include "compare.h"

using namespace attune;

namespace {

using Ids = std::vector<int>;

constexpr int kVocabulary = 9;

struct Named {
  std::string name;
  Seq2Seq model;
};

EncoderDecoderOptions options_of(const std::string& model, const std::string& attention) {
  return {.model = model,
          .source_vocabulary = kVocabulary,
          .target_vocabulary = kVocabulary,
          .cell = "gru",
          .attention = attention,
          .layers = 2,
          .embedding = 8,
          .hidden = 8,
          .dropout = 0.3};  // which a search must not see
}

// Moves the parameters away from their first values, with which most tokens are equally probable.
void make_certain(const Seq2Seq& model) {
  for (const Param& param : model.parameters()) {
    Array values = param.value.value();
    for (std::int64_t i = 0; i < values.elements(); ++i) values.set(i, 2.5 * values.at(i));
    if (param.name.ends_with("output.bias")) values.set(Vocabulary::end, 3);
  }
}

Seq2Seq make(const std::string& model, const std::string& attention, std::uint64_t first = 3) {
  seed(first);
  Seq2Seq made = *make_model(options_of(model, attention));
  make_certain(made);
  return made;
}

Seq2Seq language_model(const std::string& model) {
  seed(4);
  Seq2Seq made(make_decoder(model, options_of(model, "none"), 0));
  make_certain(made);
  return made;
}

std::vector<Named> all_models() {
  return {{"recurrent, additive", make("recurrent", "additive")},
          {"recurrent, dot", make("recurrent", "dot")},
          {"recurrent, no attention", make("recurrent", "none")},
          {"transformer", make("transformer", "dot")},
          {"recurrent language model", language_model("recurrent")},
          {"transformer language model", language_model("transformer")}};
}

// A model for each member of the families that decoders choose from.
std::vector<Named> every_variant() {
  std::vector<Named> models;
  const auto add = [&](const std::string& name, const EncoderDecoderOptions& options) {
    seed(3);
    models.push_back({name, *make_model(options)});
    make_certain(models.back().model);
  };
  const EncoderDecoderOptions recurrent = options_of("recurrent", "dot");
  const EncoderDecoderOptions transformer = options_of("transformer", "dot");
  for (const std::string& name : score_names()) add(name, options_of("recurrent", name));
  const auto vary = [&](const EncoderDecoderOptions& base,
                        std::string EncoderDecoderOptions::*member,
                        const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      EncoderDecoderOptions options = base;
      options.*member = name;
      add(name, options);
    }
  };
  vary(recurrent, &EncoderDecoderOptions::normalizer, normalizer_names());
  vary(recurrent, &EncoderDecoderOptions::locality, locality_names());
  vary(recurrent, &EncoderDecoderOptions::output_layer, output_layer_names());
  vary(options_of("recurrent", "additive"), &EncoderDecoderOptions::encoder,
       {"convolutional", "transformer"});
  EncoderDecoderOptions fed = recurrent;
  fed.layers = 2, fed.query = "current";
  fed.input_feeding = fed.residual = fed.layer_norm = true;
  add("input feeding", fed);
  vary(transformer, &EncoderDecoderOptions::positions, positional_encoding_names());
  vary(transformer, &EncoderDecoderOptions::decoder_positions, {"none"});
  vary(transformer, &EncoderDecoderOptions::head_mixer, head_mixer_names());
  vary(transformer, &EncoderDecoderOptions::sequence_mixer, sequence_mixer_names());
  vary(transformer, &EncoderDecoderOptions::tied_embeddings, {"target"});
  EncoderDecoderOptions grouped = transformer;
  grouped.key_value_heads = 1;
  grouped.gated_attention = true;
  add("grouped queries", grouped);
  return models;
}

// `count` sources of 1 to 12 tokens, with limits of 3 to 12 tokens.
std::vector<SearchInput> some_inputs(int count) {
  Generator random(11);
  std::vector<SearchInput> inputs;
  for (int i = 0; i < count; ++i) {
    Ids ids(static_cast<std::size_t>(1 + random.below(12)));
    for (int& id : ids) id = static_cast<int>(Vocabulary::specials + random.below(kVocabulary - 4));
    inputs.push_back({.source = ids,
                      .max_length = static_cast<int>(3 + random.below(10)),
                      .stream = static_cast<std::uint64_t>(i)});
  }
  return inputs;
}

// OpenBLAS computes the rows of a product differently for different numbers of rows.
const bool kHasOwnKernel = kernels::rows_are_independent();

void check_equal(const Hypothesis& a, const Hypothesis& b) {
  CHECK(a.tokens == b.tokens);
  if (!kHasOwnKernel) return;
  CHECK(a.weights == b.weights);
  CHECK(a.finished == b.finished);
  CHECK(a.log_probability == b.log_probability);
  CHECK(a.score == b.score);
}

using Found = std::vector<std::vector<Hypothesis>>;

void check_equal(const Found& a, const Found& b) {
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    REQUIRE(a[i].size() == b[i].size());
    for (std::size_t k = 0; k < a[i].size(); ++k) check_equal(a[i][k], b[i][k]);
  }
}

std::vector<Hypothesis> search_one(const Seq2Seq& model, const SearchInput& input,
                                   const SearchOptions& options = {}) {
  return search(model, {&input, 1}, options).front();
}

const SearchOptions kGreedy{};
const SearchOptions kBeam{
    .beam = 4, .length_penalty = 0.6, .coverage_penalty = 0.2, .n_best = 3, .batch_size = 64};
const SearchOptions kSample{
    .n_best = 3, .sampling = SamplingOptions{.temperature = 0.8, .top_k = 4, .top_p = 0.9}};

// A language model of two steps with known probabilities: table[previous token][next token].
struct Chain : Decoder {
  std::map<int, std::map<int, double>> table;
  mutable std::vector<std::int64_t> batches;  // the number of rows of each step

  DecoderState start(const Encoded&) const override { return {}; }
  Prediction predict(const Indices& previous, DecoderState& state) const override {
    ++state.position;
    batches.push_back(previous.elements());
    Array logits =
        Array::full({previous.elements(), kVocabulary}, -std::numeric_limits<double>::infinity());
    for (std::int64_t b = 0; b < previous.elements(); ++b)
      for (const auto& [token, probability] : table.at(previous.at(b)))
        logits.set(b * kVocabulary + token, std::log(probability));
    return {.logits = Tensor(logits), .weights = {}};
  }
  Decoded operator()(const Encoded&, const Targets&) const override { return {}; }
};

constexpr int kStart = Vocabulary::start, kStop = Vocabulary::end;

std::shared_ptr<Chain> chain(std::map<int, std::map<int, double>> table) {
  auto made = std::make_shared<Chain>();
  made->table = std::move(table);
  return made;
}

// Calls `visit` with each target of at most `length` tokens.
void each_target(int length, const std::function<void(const Ids&)>& visit, const Ids& target = {}) {
  visit(target);
  if (std::ssize(target) == length) return;
  for (int token = Vocabulary::specials; token < kVocabulary; ++token) {
    Ids longer = target;
    longer.push_back(token);
    each_target(length, visit, longer);
  }
}

// Searches with a beam as wide as there are targets, and checks that it finds all targets that
// are allowed, in the order of their scores.
std::vector<Hypothesis> check_finds_all(const Seq2Seq& model, const SearchInput& input,
                                        const SearchOptions& options,
                                        const std::function<bool(const Ids&)>& is_allowed) {
  std::vector<std::pair<double, Ids>> expected;
  each_target(input.max_length, [&](const Ids& target) {
    if (!is_allowed(target)) return;
    const Example example{input.source, target};
    const double length = (6.0 + static_cast<double>(target.size())) / 6;
    expected.push_back(
        {forced_decoding(model, {&example, 1})[0].sum / std::pow(length, options.length_penalty),
         target});
  });
  std::sort(expected.rbegin(), expected.rend());
  const auto found = search_one(model, input, options);
  REQUIRE(found.size() >= expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CHECK(found[i].finished);
    CHECK(found[i].score == Approx(expected[i].first).epsilon(1e-5));
    CHECK(found[i].tokens == expected[i].second);
  }
  for (std::size_t i = expected.size(); i < found.size(); ++i) CHECK_FALSE(found[i].finished);
  return found;
}

}  // namespace

TEST_CASE("a search gives the same bits for any batch size and any number of threads") {
  const std::vector<SearchInput> inputs = some_inputs(40);
  const int before = threads();
  for (const auto& [name, model] : all_models())
    for (const SearchOptions& options : {kGreedy, kBeam, kSample}) {
      INFO(name << ", beam " << options.beam << ", samples " << options.sampling.has_value());
      Found expected;
      for (const SearchInput& input : inputs) expected.push_back(search_one(model, input, options));
      for (const int batch_size : {1, 3, 40})
        for (const int count : {1, 2, 3, 8}) {
          set_threads(count);
          SearchOptions with = options;
          with.batch_size = batch_size;
          check_equal(search(model, inputs, with), expected);
        }
    }
  set_threads(before);
}

TEST_CASE("a search with any kind of attention does not depend on the rest of the batch") {
  const std::vector<SearchInput> inputs = some_inputs(12);
  for (const auto& [name, model] : every_variant())
    for (const SearchOptions& options : {kGreedy, kBeam}) {
      INFO(name << ", beam " << options.beam);
      const Found together = search(model, inputs, options);
      for (std::size_t i = 0; i < inputs.size(); ++i)
        check_equal({search_one(model, inputs[i], options)}, {together[i]});
    }
}

TEST_CASE("greedy search and a beam of 1 choose the most probable token at every step") {
  const std::vector<SearchInput> inputs = some_inputs(12);
  for (const auto& [name, model] : all_models()) {
    INFO(name);
    for (const SearchInput& input : inputs) {
      const Hypothesis found = search_one(model, input, {.beam = 1})[0];
      check_equal(greedy_search(model, {&input.source, 1}, input.max_length)[0], found);
      const NoGrad no_grad;
      const Eval eval;
      const Encoded encoded =
          model.has_encoder() ? model.encode(make_sources({&input.source, 1})) : Encoded{};
      DecoderState state = model.decoder().start(encoded);
      Ids tokens;
      double log_probability = 0;
      for (int previous = kStart;;) {
        const Tensor logits = model.decoder().predict({previous}, state).logits;
        Array allowed = logits.value().clone();
        for (const int special : {Vocabulary::pad, Vocabulary::start, Vocabulary::unknown})
          allowed.set(special, -1e30);
        previous = argmax(allowed).at(0);
        if (previous != kStop && std::ssize(tokens) == input.max_length) break;
        log_probability += log_softmax(logits).value().at(previous);
        if (previous == kStop) break;
        tokens.push_back(previous);
      }
      CHECK(found.tokens == tokens);
      CHECK(found.log_probability == Approx(log_probability).margin(1e-5));
    }
  }
}

TEST_CASE("the log-probabilities of n-best lists and samples are those of forced decoding") {
  const std::vector<SearchInput> inputs = some_inputs(12);
  for (const DType dtype : {DType::f32, DType::f64}) {
    const DefaultDType scope(dtype);
    int finished = 0;
    for (const auto& [name, model] : all_models())
      for (const SearchOptions& options : {kGreedy, kBeam, kSample}) {
        INFO(name);
        const Found found = search(model, inputs, options);
        for (std::size_t i = 0; i < inputs.size(); ++i)
          for (const Hypothesis& hypothesis : found[i]) {
            const Example example{inputs[i].source, hypothesis.tokens};
            const TargetProbability forced = forced_decoding(model, {&example, 1})[0];
            REQUIRE(forced.tokens.size() == hypothesis.tokens.size() + 1);
            const std::ptrdiff_t unfinished = hypothesis.finished ? 0 : 1;
            const double sum =
                std::accumulate(forced.tokens.begin(), forced.tokens.end() - unfinished, 0.0);
            finished += hypothesis.finished;
            if (dtype == DType::f64)
              CHECK(hypothesis.log_probability == Approx(sum).margin(1e-6));
            else if (kHasOwnKernel)
              CHECK(hypothesis.log_probability == sum);
            else  // a model with dot scores magnifies roundings a thousand times
              CHECK(hypothesis.log_probability == Approx(sum).epsilon(1e-3).margin(1e-3));
          }
      }
    CHECK(finished > 100);
  }
}

TEST_CASE("the weights of all heads have the mean that a hypothesis has, in every layer") {
  seed(5);
  EncoderDecoderOptions heads = options_of("transformer", "dot");
  heads.heads = 4;
  EncoderDecoderOptions recurrent = options_of("recurrent", "additive");
  recurrent.heads = 2;
  for (const EncoderDecoderOptions& options : {heads, recurrent}) {
    const Seq2Seq model = *make_model(options);
    make_certain(model);
    INFO(options.model);
    for (const SearchInput& input : some_inputs(6)) {
      const Hypothesis found = search_one(model, input, kBeam)[0];
      const auto weights = attention_weights(model, {input.source, found.tokens});
      if (found.tokens.empty()) {
        CHECK(weights.empty());
        continue;
      }
      REQUIRE(weights.size() == (options.model == "transformer" ? 2 : 1));
      for (const Tensor& layer : weights) {
        CHECK(layer.shape() ==
              Shape{*options.heads, std::ssize(found.tokens), std::ssize(input.source)});
        const Tensor sums = sum(layer, -1);
        for (std::int64_t i = 0; i < sums.elements(); ++i) CHECK(sums.value().at(i) == Approx(1));
      }
      const Tensor average = mean(weights.back(), 0);
      for (std::size_t i = 0; i < found.weights.size(); ++i)
        CHECK(average.value().at(static_cast<std::int64_t>(i)) ==
              Approx(found.weights[i]).margin(1e-6));
    }
  }
  CHECK(attention_weights(make("recurrent", "none"), {{5, 6}, {5}}).empty());
  CHECK_THROWS_WITH(attention_weights(language_model("transformer"), {{5, 6}, {5}}),
                    contains("language model has no source"));
  CHECK_THROWS_AS(attention_weights(make("recurrent", "dot"), {{5, 6}, {kVocabulary, 5}}), Error);
}

TEST_CASE("forced decoding gives the same bits for any batch size, and adds up to the loss") {
  std::vector<Example> examples;
  for (const SearchInput& input : some_inputs(20)) {
    Ids target = input.source;
    std::reverse(target.begin(), target.end());
    target.resize(static_cast<std::size_t>(input.max_length), 5);
    examples.push_back({input.source, target});
  }
  for (const auto& [name, model] : all_models()) {
    INFO(name);
    const auto together = forced_decoding(model, examples, 20);
    double sum = 0;
    std::int64_t tokens = 0;
    for (std::size_t i = 0; i < examples.size(); ++i) {
      const TargetProbability alone = forced_decoding(model, {&examples[i], 1})[0];
      if (kHasOwnKernel) CHECK(together[i].tokens == alone.tokens);
      CHECK(together[i].sum == Approx(alone.sum));
      CHECK(alone.sum == std::accumulate(alone.tokens.begin(), alone.tokens.end(), 0.0));
      sum += alone.sum;
      tokens += std::ssize(alone.tokens);
    }
    const Eval eval;
    CHECK(model.loss(make_batch(examples)).item() ==
          Approx(-sum / static_cast<double>(tokens)).epsilon(1e-5));
  }
}

TEST_CASE("decoding step by step equals computing all steps from scratch") {
  const DefaultDType float64(DType::f64);
  const NoGrad no_grad;
  const Eval eval;
  const std::vector<Example> examples = {{{4, 5, 6, 7}, {6, 5, 8, 4, 4, 7}}, {{8}, {5, 6}}};
  const Batch batch = make_batch(examples);
  std::vector<Named> models = all_models();
  for (const Named& variant : every_variant()) models.push_back(variant);
  for (const auto& [name, model] : models) {
    INFO(name);
    const Encoded encoded = model.encode(batch.source);
    DecoderState state = model.decoder().start(encoded);
    for (std::int64_t t = 0; t < batch.target_input.shape()[0]; ++t) {
      const Tensor logits = model.decoder().predict(batch.target_input[t], state).logits;
      const Tensor all =
          model.decoder()(encoded, {.input = batch.target_input.block(0, t + 1)}).logits;
      for (std::int64_t i = 0; i < logits.elements(); ++i)
        CHECK(logits.value().at(i) == Approx(all[t].value().at(i)).margin(1e-12));
    }
  }
}

TEST_CASE("a beam as wide as there are targets finds all of them, in the order of their scores") {
  const SearchInput input{.source = {4, 8, 5}, .max_length = 2};
  for (const std::string kind : {"recurrent", "transformer"})
    for (const double alpha : {0.0, 1.0, 2.5}) {
      INFO(kind << ", alpha " << alpha);
      const Seq2Seq model = make(kind, "dot");
      SearchOptions options{.beam = 200, .length_penalty = alpha, .n_best = 200};
      const auto found = check_finds_all(model, input, options, [](const Ids&) { return true; });
      // Fewer are returned, and hypotheses dropped that cannot be among them.
      for (const int count : {1, 3}) {
        options.n_best = count;
        check_equal({search_one(model, input, options)}, {{found.begin(), found.begin() + count}});
      }
    }
}

TEST_CASE("no n tokens in a row are written twice if the options exclude it") {
  const SearchInput input{.source = {4, 8, 5}, .max_length = 3};
  const auto repeats = [](const Ids& target, int n) {
    std::set<Ids> seen;
    for (auto first = target.begin(); target.end() - first >= n; ++first)
      if (!seen.insert(Ids(first, first + n)).second) return true;
    return false;
  };
  for (const std::string kind : {"recurrent", "transformer"})
    for (const int n : {1, 2, 3}) {
      INFO(kind << ", n-grams of " << n);
      check_finds_all(make(kind, "dot"), input, {.beam = 800, .no_repeat_ngram = n, .n_best = 800},
                      [&](const Ids& target) { return !repeats(target, n); });
    }

  // Without the option, greedy search writes 4 5 4 5 until the limit.
  const Seq2Seq model(chain({{kStart, {{4, 0.9}, {kStop, 0.1}}},
                             {4, {{5, 0.7}, {6, 0.2}, {7, 0.1}}},
                             {5, {{4, 0.8}, {kStop, 0.2}}},
                             {6, {{4, 0.6}, {kStop, 0.4}}},
                             {7, {{kStop, 1.0}}}}));
  const auto greedy = [&](int n) {
    return search_one(model, {.max_length = 9}, {.no_repeat_ngram = n})[0].tokens;
  };
  CHECK(greedy(0) == Ids{4, 5, 4, 5, 4, 5, 4, 5, 4});
  CHECK(greedy(1) == Ids{4, 5});
  CHECK(greedy(2) == Ids{4, 5, 4, 6, 4, 7});
  CHECK(greedy(3) == Ids{4, 5, 4, 5});
  CHECK(greedy(99) == greedy(0));
  // The tokens of a prefix count, and are written even if they repeat each other.
  CHECK(search_one(model, {.max_length = 9, .prefix = {4, 5, 4, 5}}, {.no_repeat_ngram = 2})[0]
            .tokens == Ids{4, 5, 4, 5});

  const auto samples = [&](const SamplingOptions& sampling, int n) {
    return search_one(model, {.max_length = 9},
                      {.no_repeat_ngram = n, .n_best = 200, .sampling = sampling});
  };
  for (const SamplingOptions& sampling :
       {SamplingOptions{}, SamplingOptions{.top_k = 2}, SamplingOptions{.top_p = 0.8}}) {
    bool repeated = false;
    for (const Hypothesis& sample : samples(sampling, 0)) repeated |= repeats(sample.tokens, 2);
    CHECK(repeated);
    for (const Hypothesis& sample : samples(sampling, 2)) CHECK_FALSE(repeats(sample.tokens, 2));
  }
}

TEST_CASE("a beam finds a target that greedy search misses") {
  // 4 is the best first token, but all that follows it is improbable.
  const Seq2Seq model(chain({{kStart, {{4, 0.5}, {5, 0.4}, {kStop, 0.1}}},
                             {4, {{6, 0.3}, {7, 0.3}, {8, 0.4}}},
                             {5, {{6, 0.9}, {kStop, 0.1}}},
                             {6, {{kStop, 1.0}}},
                             {7, {{kStop, 1.0}}},
                             {8, {{kStop, 1.0}}}}));
  const SearchInput input{.max_length = 5};
  CHECK(search_one(model, input)[0].tokens == Ids{4, 8});
  const auto best = search_one(model, input, {.beam = 2, .n_best = 2});
  CHECK(best[0].tokens == Ids{5, 6});
  CHECK(best[0].log_probability == Approx(std::log(0.36)).epsilon(1e-5));
  CHECK(best[1].tokens == Ids{4, 8});
  // A wider beam than there are targets: the impossible ones are not among the results.
  CHECK(search_one(model, input, {.beam = 50, .n_best = 50}).size() == 6);
}

TEST_CASE("the beam becomes narrower when a hypothesis ends only if there is a length penalty") {
  // After the empty target, a beam of 2 still needs both extensions of 4 to find the best target.
  const Seq2Seq model(chain({{kStart, {{4, 0.7}, {kStop, 0.2}, {5, 0.1}}},
                             {4, {{6, 0.55}, {7, 0.45}}},
                             {5, {{kStop, 1.0}}},
                             {6, {{8, 0.6}, {kStop, 0.4}}},
                             {7, {{kStop, 1.0}}},
                             {8, {{kStop, 1.0}}}}));
  const SearchInput input{.max_length = 5};
  const auto best = [&](const SearchOptions& options) {
    return search_one(model, input, options)[0].tokens;
  };
  CHECK(best({.beam = 2}) == Ids{4, 7});
  CHECK(best({.beam = 2, .n_best = 2}) == Ids{4, 7});
  CHECK(best({.beam = 2, .length_penalty = 0.01}) == Ids{4, 6, 8});
}

TEST_CASE("without a length penalty the best target does not depend on n_best") {
  const std::vector<SearchInput> inputs = some_inputs(20);
  for (const auto& [name, model] : all_models()) {
    INFO(name);
    SearchOptions options{.beam = 4, .n_best = 4};
    const Found all = search(model, inputs, options);
    for (options.n_best = 1; options.n_best < 4; ++options.n_best) {
      const Found some = search(model, inputs, options);
      for (std::size_t i = 0; i < inputs.size(); ++i) check_equal(some[i][0], all[i][0]);
    }
  }
}

TEST_CASE("length normalisation prefers the longer target, as in Wu et al.") {
  CHECK(length_penalty(1, 0.6) == 1);
  CHECK(length_penalty(7, 0) == 1);
  CHECK(length_penalty(7, 0.6) == Approx(std::pow(12.0, 0.6) / std::pow(6.0, 0.6)));
  const Seq2Seq model(chain({{kStart, {{4, 0.55}, {kStop, 0.45}}},
                             {4, {{5, 0.9}, {kStop, 0.1}}},
                             {5, {{6, 0.9}, {kStop, 0.1}}},
                             {6, {{kStop, 0.9}, {7, 0.1}}},
                             {7, {{kStop, 1.0}}}}));
  const SearchInput input{.max_length = 5};
  const auto best = [&](double alpha) {
    return search_one(model, input, {.beam = 2, .length_penalty = alpha})[0];
  };
  CHECK(best(0).tokens.empty());
  CHECK(best(1).tokens == Ids{4, 5, 6});
  CHECK(best(1).score == Approx(best(1).log_probability / (9.0 / 6)));
}

TEST_CASE("the coverage penalty of a hypothesis is that of its weights") {
  CHECK(coverage_penalty(std::vector<double>{0.5, 2, 1}, 0.2) == Approx(0.2 * std::log(0.5)));
  CHECK(coverage_penalty(std::vector<double>{0, 1}, 0) == 0);
  CHECK(std::isinf(coverage_penalty(std::vector<double>{0, 1}, 0.1)));
  CHECK(std::isinf(coverage_penalty(std::vector<double>{-0.1, 1}, 0.1)));
  const Seq2Seq model = make("recurrent", "additive");
  const SearchInput input{.source = {4, 8, 5, 6}, .max_length = 3};
  for (const Hypothesis& found :
       search_one(model, input, {.beam = 5, .coverage_penalty = 0.3, .n_best = 5})) {
    if (found.finished) continue;  // the weights of </s> are not in a hypothesis
    std::vector<double> coverage(4);
    for (std::size_t i = 0; i < found.weights.size(); ++i) coverage[i % 4] += found.weights[i];
    CHECK(found.score == Approx(found.log_probability + coverage_penalty(coverage, 0.3)));
  }
}

TEST_CASE("a search without weights finds the same targets") {
  const std::vector<SearchInput> inputs = some_inputs(10);
  for (const auto& [name, model] : all_models())
    for (SearchOptions options : {kGreedy, kBeam, kSample}) {
      INFO(name);
      const Found expected = search(model, inputs, options);
      options.weights = false;
      const Found found = search(model, inputs, options);
      for (std::size_t i = 0; i < inputs.size(); ++i)
        for (std::size_t k = 0; k < found[i].size(); ++k) {
          CHECK(found[i][k].tokens == expected[i][k].tokens);
          CHECK(found[i][k].score == expected[i][k].score);
          CHECK(found[i][k].weights.empty());
        }
    }
}

TEST_CASE("hypotheses and sources that are finished are no longer computed") {
  const auto decoder =
      chain({{kStart, {{4, 0.6}, {kStop, 0.4}}}, {4, {{5, 1.0}}}, {5, {{kStop, 1.0}}}});
  const Seq2Seq model(decoder);
  std::vector<SearchInput> inputs = {{.max_length = 5}, {.max_length = 0}};
  const int before = threads();
  set_threads(1);
  search(model, inputs, {.beam = 3});
  set_threads(before);
  // Of three hypotheses one ends at once, and only one other is possible.
  CHECK(decoder->batches == std::vector<std::int64_t>{2, 1, 1});
}

TEST_CASE("hypotheses that can no longer be returned are dropped") {
  const auto decoder = chain({{kStart, {{kStop, 0.6}, {4, 0.4}}},
                              {4, {{5, 0.9}, {kStop, 0.1}}},
                              {5, {{6, 0.9}, {kStop, 0.1}}},
                              {6, {{kStop, 1.0}}}});
  const Seq2Seq model(decoder);
  const SearchInput input{.max_length = 5};
  const auto steps = [&](const SearchOptions& options) {
    decoder->batches.clear();
    search_one(model, input, options);
    return decoder->batches.size();
  };
  CHECK(steps({.beam = 3}) == 1);
  CHECK(steps({.beam = 3, .n_best = 2}) == 4);
  // Longer ones may still get a higher score: log 0.4 / 11/6, then log 0.36 / 11/6.
  CHECK(steps({.beam = 3, .length_penalty = 1}) == 2);
  CHECK(steps({.beam = 3, .length_penalty = 2}) == 4);
}

TEST_CASE("hypotheses whose extensions cannot be among the most probable are not looked at") {
  Generator random(5);
  int left_out = 0;
  for (int round = 0; round < 200; ++round) {
    constexpr int kHypotheses = 4, kCount = 3;
    Array logits({kHypotheses, kVocabulary});
    for (std::int64_t i = 0; i < logits.elements(); ++i)
      logits.set(i, static_cast<double>(random.below(12)));
    const NextTokens next({.logits = Tensor(logits), .weights = {}});
    std::vector<double> log_probabilities;
    for (int i = 0; i < kHypotheses; ++i) log_probabilities.push_back(-3 * random.uniform());
    std::sort(log_probabilities.begin(), log_probabilities.end(), std::greater<>());
    MostProbable found(kCount), of_all(kCount);
    for (std::size_t i = 0; i < kHypotheses; ++i) {
      const auto row = static_cast<std::int64_t>(i);
      of_all.add(i, log_probabilities[i], next, row);
      if (found.may_gain_from(log_probabilities[i]))
        found.add(i, log_probabilities[i], next, row);
      else
        ++left_out;
    }
    const std::vector<Continuation> a = found.take(), b = of_all.take();
    REQUIRE(a.size() == b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
      CHECK(a[i].hypothesis == b[i].hypothesis);
      CHECK(a[i].token == b[i].token);
      CHECK(a[i].log_probability == b[i].log_probability);
    }
  }
  CHECK(left_out > 50);
}

TEST_CASE("hypotheses whose extensions come after finished targets are not looked at") {
  const auto rows_of = [](const std::vector<std::map<int, double>>& probabilities) {
    Array logits({std::ssize(probabilities), kVocabulary});
    logits.fill(-std::numeric_limits<double>::infinity());
    for (std::size_t row = 0; row < probabilities.size(); ++row)
      for (const auto& [token, probability] : probabilities[row])
        logits.set(static_cast<std::int64_t>(row) * kVocabulary + token, std::log(probability));
    return NextTokens({.logits = Tensor(logits), .weights = {}});
  };
  const SearchInput input{.max_length = 5};
  // Whether the search needs the second hypothesis, of probability 0.4, after the first one was
  // extended to a target of probability 0.6 * `end`.
  const auto needs_second = [&](double end, SearchOptions options) {
    options.beam = 2;
    TargetSearch targets(input, options);
    const NextTokens first = rows_of({{{4, 0.6}, {5, 0.4}}});
    targets.look_at(0, first, 0);
    NextRows going_on;
    targets.step(first, Tensor(), 0, going_on);
    REQUIRE(going_on.tokens == Ids{4, 5});
    const NextTokens second = rows_of({{{kStop, end}, {6, 1 - end}}, {{6, 1.0}}});
    REQUIRE(targets.needs(0));
    targets.look_at(0, second, 0);
    return targets.needs(1);
  };
  CHECK_FALSE(needs_second(0.9, {}));
  CHECK(needs_second(0.6, {}));
  // Another target is wanted, or a score is not the log-probability.
  CHECK(needs_second(0.9, {.n_best = 2}));
  CHECK(needs_second(0.9, {.length_penalty = 0.1}));
  CHECK(needs_second(0.9, {.coverage_penalty = 0.1}));
}

TEST_CASE("logits that are left to the caller are those that a decoder computes") {
  const Seq2Seq model = make("transformer", "dot");
  const NoGrad no_grad;
  const Eval eval;
  const std::vector<Ids> sources = {{4, 5, 6, kStop}, {7, kStop}, {5, 8, kStop}};
  const Encoded encoded = model.encode(make_sources(sources));
  DecoderState with = model.decoder().start(encoded), without = with;
  without.logits = false;
  without = without.select({0, 1, 2});  // which keeps the choice
  const Prediction expected = model.decoder().predict({kStart, kStart, kStart}, with);
  const Prediction left = model.decoder().predict({kStart, kStart, kStart}, without);
  CHECK_FALSE(left.logits.defined());
  NextTokens all(expected), some(left);
  const std::vector<std::int32_t> rows = {2, 0};
  some.compute(rows);
  for (const std::int32_t row : rows) {
    CHECK(distance(left.linear.of({row}).value()[0], expected.logits.value()[row]) < 1e-6);
    if (kernels::rows_are_independent()) CHECK(some.logits(row) == all.logits(row));
    CHECK(some.log_probability(row, 5) == Approx(all.log_probability(row, 5)));
  }
}

TEST_CASE("all targets begin with the prefix, which counts in their probabilities") {
  const std::vector<SearchInput> inputs = some_inputs(10);
  for (const auto& [name, model] : all_models())
    for (const SearchOptions& options : {kGreedy, kBeam, kSample}) {
      INFO(name);
      std::vector<SearchInput> with_prefix = inputs;
      for (std::size_t i = 0; i < inputs.size(); ++i) with_prefix[i].prefix = Ids{8, 4, 6};
      with_prefix[3].prefix = {7};
      with_prefix[4].prefix = {};
      const Found found = search(model, with_prefix, options);
      for (std::size_t i = 0; i < inputs.size(); ++i)
        for (const Hypothesis& hypothesis : found[i]) {
          const Ids& prefix = with_prefix[i].prefix;
          REQUIRE(hypothesis.tokens.size() >= prefix.size());
          CHECK(std::equal(prefix.begin(), prefix.end(), hypothesis.tokens.begin()));
          const Example example{inputs[i].source, hypothesis.tokens};
          const TargetProbability forced = forced_decoding(model, {&example, 1})[0];
          CHECK(hypothesis.log_probability ==
                Approx(hypothesis.finished ? forced.sum : forced.sum - forced.tokens.back())
                    .epsilon(1e-5));
        }
      check_equal(found[4][0], search_one(model, inputs[4], options)[0]);
    }
  // A prefix of what is found anyway changes nothing.
  const Seq2Seq model = make("transformer", "dot");
  for (SearchInput input : inputs) {
    const Hypothesis free = search_one(model, input)[0];
    input.prefix.assign(free.tokens.begin(), free.tokens.begin() + std::ssize(free.tokens) / 2);
    check_equal(search_one(model, input)[0], free);
  }
}

TEST_CASE("samples follow the probabilities that temperature, top-k and top-p leave") {
  const std::map<int, double> first = {{4, 0.5}, {5, 0.25}, {6, 0.15}, {kStop, 0.1}};
  const Seq2Seq model(
      chain({{kStart, first}, {4, {{kStop, 1}}}, {5, {{kStop, 1}}}, {6, {{kStop, 1}}}}));
  constexpr int kSamples = 4000;
  const auto shares = [&](const SamplingOptions& options) {
    const SearchInput input{.max_length = 2};
    std::map<int, double> found;
    for (const Hypothesis& sample :
         search_one(model, input, {.n_best = kSamples, .sampling = options}))
      found[sample.tokens.empty() ? kStop : sample.tokens[0]] += 1.0 / kSamples;
    return found;
  };
  const auto check = [&](const SamplingOptions& options, const std::map<int, double>& expected) {
    const auto found = shares(options);
    CHECK(found.size() == expected.size());
    for (const auto& [token, share] : expected) {
      INFO("token " << token);
      REQUIRE(found.contains(token));
      CHECK(found.at(token) == Approx(share).margin(0.03));
    }
  };
  check({}, first);
  check({.temperature = 0.5},
        {{4, 0.25 / 0.345}, {5, 0.0625 / 0.345}, {6, 0.0225 / 0.345}, {kStop, 0.01 / 0.345}});
  check({.top_k = 2}, {{4, 2.0 / 3}, {5, 1.0 / 3}});
  check({.top_k = 1}, {{4, 1.0}});
  check({.top_p = 0.8}, {{4, 0.5 / 0.9}, {5, 0.25 / 0.9}, {6, 0.15 / 0.9}});
  check({.top_p = 0.7}, {{4, 2.0 / 3}, {5, 1.0 / 3}});
  check({.top_p = 1e-9}, {{4, 1.0}});
  check({.top_k = 3, .top_p = 0.6}, {{4, 2.0 / 3}, {5, 1.0 / 3}});
  CHECK(shares({.seed = 1}) == shares({.seed = 1}));
  CHECK(shares({.seed = 1}) != shares({.seed = 2}));
}

TEST_CASE("sources with different streams are sampled independently") {
  const Seq2Seq model = make("recurrent", "additive");
  std::vector<SearchInput> inputs(20, {.source = {4, 5, 6}, .max_length = 12});
  const SearchOptions options{.sampling = SamplingOptions{}};
  const auto texts = [&] {
    std::vector<Ids> found;
    for (const auto& best : search(model, inputs, options)) found.push_back(best[0].tokens);
    return found;
  };
  const auto alike = texts();
  CHECK(std::count(alike.begin(), alike.end(), alike[0]) == 20);
  for (std::size_t i = 0; i < inputs.size(); ++i) inputs[i].stream = i;
  const auto different = texts();
  CHECK(std::count(different.begin(), different.end(), different[0]) < 10);
}

TEST_CASE("no search writes padding, a start or an unknown token, however probable they are") {
  for (const int special : {Vocabulary::pad, Vocabulary::start, Vocabulary::unknown}) {
    const Seq2Seq model(chain({{kStart, {{special, 0.98}, {4, 0.01}, {kStop, 0.01}}},
                               {4, {{special, 0.98}, {4, 0.01}, {kStop, 0.01}}}}));
    const SearchInput input{.max_length = 3};
    for (const SearchOptions& options : {kGreedy, kBeam, kSample})
      for (const Hypothesis& found : search_one(model, input, options))
        CHECK(std::count(found.tokens.begin(), found.tokens.end(), 4) == std::ssize(found.tokens));
  }
}

TEST_CASE("a search with options out of range is an error") {
  const Seq2Seq model = make("recurrent", "additive");
  const auto run = [&](SearchInput input, const SearchOptions& options) {
    search(model, {&input, 1}, options);
  };
  const SearchInput input{.source = {4}, .max_length = 2};
  const auto sample = [](const SamplingOptions& sampling) {
    return SearchOptions{.sampling = sampling};
  };
  CHECK_THROWS_WITH(run(input, {.beam = 0}), contains("a beam of 0"));
  CHECK_THROWS_WITH(run(input, {.beam = 2, .n_best = 3}), contains("the 3 best"));
  CHECK_THROWS_WITH(run(input, {.n_best = 0}), contains("the 0 best"));
  CHECK_THROWS_WITH(run(input, {.length_penalty = -1}), contains("penalty of -1"));
  CHECK_THROWS_WITH(run(input, {.no_repeat_ngram = -1}), contains("n-grams of -1 tokens"));
  CHECK_THROWS_WITH(run(input, {.batch_size = 0}), contains("batch size 0"));
  CHECK_THROWS_WITH(run(input, sample({.temperature = 0})), contains("temperature 0"));
  CHECK_THROWS_WITH(run(input, sample({.top_k = -1})), contains("top-k -1"));
  CHECK_THROWS_WITH(run(input, sample({.top_p = 0})), contains("top-p 0"));
  CHECK_THROWS_WITH(run(input, sample({.top_p = 1.5})), contains("top-p 1.5"));
  CHECK_THROWS_WITH(run({.source = {4}, .max_length = 1, .prefix = {4, 5}}, {}),
                    contains("a prefix of 2 tokens for targets of at most 1"));
  CHECK_THROWS_WITH(run({.source = {4}, .max_length = 4, .prefix = {Vocabulary::start}}, {}),
                    contains("prefix with token 1"));
  CHECK_THROWS_WITH(run({.source = {4}, .max_length = 4, .prefix = {99}}, {}),
                    contains("token 99"));
  CHECK_THROWS_WITH(run({.source = {}, .max_length = 4}, {}), contains("empty"));
}
