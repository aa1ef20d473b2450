#include "attune/models/all.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "attention_members.h"
#include "attune/autograd/all.h"
#include "attune/autograd/kernels/gemm.h"
#include "attune/data/all.h"
#include "attune/optim/adam.h"
#include "attune/search/all.h"
#include "attune/train/all.h"
#include "catch.h"
#include "compare.h"
#include "model_gradients.h"
#include "temporary_folder.h"

using namespace attune;

namespace {

const std::vector<Example> kExamples = {{{4, 5, 6}, {6, 5}}, {{8}, {4, 4, 4}}, {{7, 4}, {}}};
constexpr std::int64_t kFrameSize = 5;

EncoderDecoderOptions small(const std::string& model) {
  return {.model = model,
          .source_vocabulary = 9,
          .target_vocabulary = 7,
          .embedding = 6,
          .hidden = 3,
          .heads = 2,
          .feed_forward = 7};
}

Tensor random(const Shape& shape) { return random_normal(shape, DefaultDType::current()); }

std::shared_ptr<Encoder> encoder_of_frames(const std::string& name) {
  if (name == "recurrent")
    return std::make_shared<RecurrentEncoder>(
        RecurrentEncoderOptions{.input = kFrameSize, .hidden = 2});
  return std::make_shared<TransformerEncoderModel>(TransformerEncoderModelOptions{
      .frame_size = kFrameSize,
      .layers = 1,
      .transformer = {.features = 4, .heads = 2, .feed_forward = 5, .dropout = 0}});
}

// Models of every kind: all scores, cells and heads, language models and mixed ones.
std::vector<std::pair<std::string, Seq2Seq>> models_of_all_kinds() {
  std::vector<std::pair<std::string, Seq2Seq>> models;
  const auto add = [&](const std::string& name, const EncoderDecoderOptions& options) {
    models.emplace_back(name, *make_model(options));
  };
  for (const std::string& score : score_names())
    for (const std::int64_t heads : {1, 2}) {
      EncoderDecoderOptions options = small("recurrent");
      options.attention = score;
      options.heads = heads;
      add(fmt::format("{} attention in {} heads", score, heads), options);
    }
  for (const auto& [score, normalizer] : scores_with_normalizers()) {
    if (score == "dot" || score == "location" || normalizer == "softmax")
      continue;  // see layer_gradient_test.cpp
    EncoderDecoderOptions options = small("recurrent");
    options.attention = score;
    options.normalizer = normalizer;
    options.heads = 1;
    add(score + ", " + normalizer, options);
  }
  for (const std::string& locality : locality_names()) {
    EncoderDecoderOptions options = small("recurrent");
    options.locality = locality + (locality == "global" ? "" : ":window=1");
    add(locality + " attention", options);
  }
  for (const std::string& positions : positional_encoding_names()) {
    EncoderDecoderOptions options = small("transformer");
    options.positions = positions == "relative" ? "relative:clip=1" : positions;
    add(positions + " positions", options);
    models.emplace_back(positions + " positions, language model",
                        Seq2Seq(make_decoder("transformer", options, 0)));
  }
  EncoderDecoderOptions unlike = small("transformer");
  unlike.positions = "relative:clip=1", unlike.decoder_positions = "learned:longest=9";
  add("positions of the decoder's own", unlike);
  for (const std::string& mixer : head_mixer_names()) {
    EncoderDecoderOptions options = small("transformer");
    options.embedding = 8, options.heads = 4, options.key_value_heads = 2;
    options.head_mixer = mixer, options.gated_attention = mixer != "none";
    options.positions = mixer == "talking" ? "t5" : "rotary";
    add(mixer + " head mixer, shared keys", options);
    models.emplace_back(mixer + " head mixer, language model",
                        Seq2Seq(make_decoder("transformer", options, 0)));
  }
  for (const std::string& mixer : sequence_mixer_names()) {
    EncoderDecoderOptions options = small("transformer");
    options.sequence_mixer = mixer, options.positions = "none";
    add(mixer + " as sequence mixer", options);
    models.emplace_back(mixer + " as sequence mixer, language model",
                        Seq2Seq(make_decoder("transformer", options, 0)));
  }
  EncoderDecoderOptions modern = small("transformer");
  modern.activation = "swiglu", modern.norm_layer = "rms_norm", modern.positions = "rotary";
  modern.tied_embeddings = "target";
  add("modern transformer", modern);
  models.emplace_back("modern language model", Seq2Seq(make_decoder("transformer", modern, 0)));
  modern.norm = "post", modern.activation = "geglu";
  modern.tied_embeddings = "all", modern.target_vocabulary = modern.source_vocabulary;
  add("modern transformer, normalised after", modern);
  for (const std::string& layer : output_layer_names())
    for (const char* query : {"previous", "current"}) {
      EncoderDecoderOptions options = small("recurrent");
      options.output_layer = layer, options.query = query;
      options.input_feeding = query == std::string_view("current") && layer != "marginal";
      options.copied_as = {0, 1, 2, 3, 5, 4, 3, 6, 5};
      add(fmt::format("{} output, {} query", layer, query), options);
    }
  EncoderDecoderOptions deep = small("recurrent");
  deep.layers = 3, deep.residual = deep.layer_norm = true;
  add("recurrent layers with residual connections and layer norm", deep);
  models.emplace_back("the same as a language model", Seq2Seq(make_decoder("recurrent", deep, 0)));
  EncoderDecoderOptions wide = small("recurrent");
  wide.encoder = "convolutional:width=2", wide.layers = 2;
  add("convolutions over two tokens", wide);
  EncoderDecoderOptions none = small("recurrent");
  none.attention = "none", none.cell = "lstm", none.layers = 2;
  add("no attention", none);
  for (const std::string& writer : decoders().names()) {
    EncoderDecoderOptions options = small(writer);
    options.layers = 2;
    options.hidden = 4;  // states of 8 features beside those of 6
    models.emplace_back(writer + " language model", Seq2Seq(make_decoder(writer, options, 0)));
    for (const std::string& reader : encoders().names()) {
      options.model = reader;
      const auto encoder = make_encoder(reader, options);
      options.model = writer;
      const auto decoder = make_decoder(writer, options, encoder->state_size());
      models.emplace_back(fmt::format("{} reads, {} writes", reader, writer),
                          Seq2Seq(encoder, decoder));
    }
  }
  return models;
}

}  // namespace

TEST_CASE("every encoder works with every decoder, with correct gradients") {
  const DefaultDType float64(DType::f64);
  seed(1);
  const Batch batch = make_batch(kExamples);
  for (const auto& [name, model] : models_of_all_kinds()) {
    INFO(name);
    if (name.ends_with(", hard")) continue;  // REINFORCE is no derivative: see policy_loss_test.cpp
    CHECK(fault_of_gradients(model, [&, &model = model] {
            seed(2);  // for normalisers that draw noise
            return model.loss(batch);
          }) == "");
  }
}

TEST_CASE("step-by-step decoding gives the logits of all steps at once") {
  const DefaultDType float64(DType::f64);
  const Eval eval;
  seed(2);
  const Batch batch = make_batch(kExamples);
  const Indices lengths = target_lengths(batch);
  for (const auto& [name, model] : models_of_all_kinds()) {
    INFO(name);
    const Array whole = model(batch).value();  // [T, B, V]
    DecoderState state = model.decoder().start(model.encode(batch.source));
    for (std::int64_t t = 0; t < whole.shape()[0]; ++t) {
      const Array step = model.decoder().predict(batch.target_input[t], state).logits.value();
      REQUIRE(step.shape() == whole[t].shape());
      for (std::int64_t i = 0; i < step.elements(); ++i)
        if (t < lengths.at(i / step.shape()[1]))
          CHECK(step.at(i) == Approx(whole[t].at(i)).margin(1e-12));
    }
    CHECK(state.position == whole.shape()[0]);
  }
}

TEST_CASE("selected rows of a decoder's state continue with bitwise equal results") {
  const Eval eval;
  seed(3);
  const Batch batch = make_batch(kExamples);
  const Indices rows = {2, 0, 2, 1};
  const auto of_rows = [&](const Indices& tokens) {
    std::vector<std::int32_t> selected;
    for (const std::int32_t row : rows.to_vector()) selected.push_back(tokens.at(row));
    return Indices(selected);
  };
  // With OpenBLAS, the bits of a row may depend on how many there are.
  const double tolerance = kernels::rows_are_independent() ? 0 : 1e-5;
  for (const auto& [name, model] : models_of_all_kinds()) {
    INFO(name);
    DecoderState state = model.decoder().start(model.encode(batch.source));
    model.decoder().predict(batch.target_input[0], state);
    DecoderState some = state.select(rows);
    for (const std::int64_t t : {1, 2}) {
      const Prediction all = model.decoder().predict(batch.target_input[t], state);
      const Prediction found = model.decoder().predict(of_rows(batch.target_input[t]), some);
      CHECK(distance(found.logits.value(), index_select(all.logits, 0, rows).value()) <= tolerance);
      REQUIRE(found.weights.size() == all.weights.size());
      for (std::size_t i = 0; i < found.weights.size(); ++i)
        CHECK(distance(found.weights[i].value(), index_select(all.weights[i], 0, rows).value()) <=
              tolerance);
    }
  }
}

TEST_CASE("a selected row gives the same results as that row alone") {
  const Eval eval;
  seed(4);
  const Batch batch = make_batch(kExamples);
  for (const auto& [name, model] : models_of_all_kinds()) {
    INFO(name);
    DecoderState state = model.decoder().start(model.encode(batch.source));
    for (std::int64_t b = 0; b < 3; ++b) {
      DecoderState one = state.select({static_cast<std::int32_t>(b)});
      const Batch own = make_batch({&kExamples[static_cast<std::size_t>(b)], 1});
      DecoderState alone = model.decoder().start(model.encode(own.source));
      const Array a = model.decoder().predict({Vocabulary::start}, one).logits.value();
      const Array c = model.decoder().predict({Vocabulary::start}, alone).logits.value();
      CHECK(distance(a, c) < 1e-6);  // padding and batch may be added up in another order
    }
  }
}

TEST_CASE("weights are returned for each head and averaged only in the alignment") {
  seed(5);
  EncoderDecoderOptions options = small("recurrent");
  const Seq2Seq model = *make_model(options);
  const Batch batch = make_batch(kExamples);
  DecoderState state = model.decoder().start(model.encode(batch.source));
  const Prediction next = model.decoder().predict(batch.target_input[0], state);
  REQUIRE(next.weights.size() == 1);
  REQUIRE(next.weights[0].shape() == Shape({3, 2, 3}));
  const Array heads = next.weights[0].value(), alignment = next.alignment().value();
  for (std::int64_t b = 0; b < 3; ++b)
    for (std::int64_t s = 0; s < 3; ++s)
      CHECK(alignment.at(b * 3 + s) ==
            Approx((heads.at(b * 6 + s) + heads.at(b * 6 + 3 + s)) / 2).margin(1e-9));
  CHECK_FALSE(Prediction{}.alignment().defined());
}

TEST_CASE("encoders accept frames, with correct gradients, and ignore those beyond a length") {
  const DefaultDType float64(DType::f64);
  const Batch batch = make_batch(kExamples);
  for (const std::string reads : {"recurrent", "transformer"})
    for (const std::string writes : {"recurrent", "transformer"}) {
      INFO(reads << " reads, " << writes << " writes");
      seed(6);
      const auto encoder = encoder_of_frames(reads);
      const Seq2Seq model(encoder, make_decoder(writes, small(writes), encoder->state_size()));
      const Array clean = random({4, 3, kFrameSize}).value();
      const Indices lengths = {4, 1, 2};
      const auto gradients = [&](double garbage) {
        Array x = clean.clone();
        for (std::int64_t i = 0; i < x.elements(); ++i)
          if (i / (3 * kFrameSize) >= lengths.at(i / kFrameSize % 3)) x.set(i, garbage);
        const Tensor leaf = Tensor::parameter(x);
        Layer(model).zero_grad();
        model.forward(Frames{leaf, lengths}, batch).loss.backward();
        std::vector<double> all = leaf.grad().to_vector<double>();
        for (const Param& param : model.parameters())
          for (std::int64_t i = 0; i < param.value.grad().elements(); ++i)
            all.push_back(param.value.grad().at(i));
        return all;
      };
      const std::vector<double> expected = gradients(0);
      CHECK(gradients(std::nan("")) == expected);
      CHECK(gradients(1e30) == expected);
      Layer(model).zero_grad();
      CHECK(fault_of_gradients(model, [&] {
              return model.forward(Frames{Tensor(clean), lengths}, batch).loss;
            }) == "");
      CHECK_THROWS_WITH(model.loss(batch), contains("given tokens but made for frames"));
    }
  const auto reads_tokens = make_encoder("transformer", small("transformer"));
  CHECK_THROWS_WITH((*reads_tokens)(Frames{random({4, 3, kFrameSize}), {}}),
                    contains("given frames but made for tokens"));
}

TEST_CASE("language models learn to continue a text") {
  // After "the " comes one of three words, after each of which its own verb.
  const std::string text =
      "the cat sleeps. the dog barks. the cow moos. the dog barks. the cat sleeps. the cow moos. ";
  const Vocabulary vocabulary = Vocabulary::build(Tokens::chars, std::span(&text, 1));
  const auto line = [&](std::string_view written) {
    return vocabulary.encode(std::string(written));
  };
  std::vector<Example> examples;
  for (std::size_t first = 0; first + 30 < text.size(); first += 3)
    examples.push_back({{Vocabulary::unknown}, line(std::string_view(text).substr(first, 30))});
  const Batch batch = make_batch(examples);
  for (const std::string name : {"recurrent", "transformer"}) {
    INFO(name);
    seed(7);
    EncoderDecoderOptions options{.model = name, .target_vocabulary = vocabulary.size()};
    options.embedding = 32, options.hidden = 24, options.layers = 2, options.feed_forward = 64;
    const Seq2Seq model(make_decoder(name, options, /*source_size=*/0));
    CHECK_THROWS_WITH(model.encoder(), contains("a language model has no encoder"));
    const double before = model.loss(batch).item();
    CHECK(before > 0.8 * std::log(vocabulary.size()));
    Adam adam(model.parameters(), {.learning_rate = 0.01});
    for (int step = 0; step < 150; ++step) {
      adam.zero_grad();
      model.loss(batch).backward();
      adam.step();
    }
    CHECK(model.loss(batch).item() < 0.5);
    // The model continues a given beginning.
    const NoGrad no_grad;
    DecoderState state = model.decoder().start({});
    std::vector<int> told = line("the dog ");
    std::int32_t next = Vocabulary::start;
    Prediction said;
    for (std::size_t t = 0; t <= told.size(); ++t) {
      said = model.decoder().predict({next}, state);
      if (t < told.size()) next = told[t];
    }
    std::vector<int> written;
    for (int t = 0; t < 6; ++t) {
      written.push_back(argmax(said.logits).at(0));
      said = model.decoder().predict({written.back()}, state);
    }
    CHECK(vocabulary.decode(written) == "barks.");
  }
}

TEST_CASE("attention's penalty in the loss is a mean over the tokens that are not padding") {
  // Gives each row the penalty of its first weight.
  struct Penalised : SoftmaxNormalizer {
    Normalized operator()(const Tensor& scores, const Mask& mask,
                          AttentionState& state) const override {
      Normalized found = SoftmaxNormalizer::operator()(scores, mask, state);
      found.penalty = reshape(slice(found.weights, 1, 0, 1), {scores.size(0)});
      return found;
    }
    bool is_softmax() const override { return false; }
  };
  normalizers().add({"penalised", "softmax, at a price", "this test",
                     [](const NormalizerOptions&) { return std::make_shared<Penalised>(); }});
  const DefaultDType float64(DType::f64);
  EncoderDecoderOptions options = small("recurrent");
  options.heads = 1;
  seed(8);
  const Seq2Seq plain = *make_model(options);
  options.normalizer = "penalised";
  seed(8);
  const Seq2Seq model = *make_model(options);
  const Batch batch = make_batch(kExamples);
  DecoderState state = model.decoder().start(model.encode(batch.source));
  double expected = 0;
  for (std::int64_t t = 0; t < batch.target_input.shape()[0]; ++t) {
    const Array weights =
        model.decoder().predict(batch.target_input[t], state).weights[0].value();  // [B, 1, S]
    for (std::int64_t b = 0; b < 3; ++b)
      if (t < target_lengths(batch).at(b)) expected += weights.at(b * 3);
  }
  CHECK(model.loss(batch).item() - plain.loss(batch).item() ==
        Approx(expected / static_cast<double>(batch.tokens)));
}

TEST_CASE("without the embedding residual the encoder's states are the network's outputs") {
  EncoderDecoderOptions options = small("recurrent");
  seed(9);
  const auto with = make_encoder("recurrent", options);
  options.embedding_residual = false;
  seed(9);
  const auto without = make_encoder("recurrent", options);
  const std::vector<Param> params = with->parameters();
  CHECK(std::any_of(params.begin(), params.end(),
                    [](const Param& param) { return param.name == "mark.weight"; }));
  for (const Param& param : without->parameters()) CHECK_FALSE(param.name.starts_with("mark"));
  const Sources sources = make_batch(kExamples).source;
  const Encoded encoded = (*without)(sources);
  CHECK(distance(encoded.states.value(), (*with)(sources).states.value()) > 0.01);
  // The forward half of each source's last state is what the network ended with.
  const Array states = encoded.states.value(), last = encoded.last[0].h.value();
  for (std::int64_t b = 0; b < 3; ++b)
    for (std::int64_t i = 0; i < 3; ++i)
      CHECK(states.at(((sources.lengths.at(b) - 1) * 3 + b) * 6 + i) == last.at(b * 6 + i));
}

TEST_CASE("the summary of a source is its last states, or else the mean of its states") {
  const Encoded encoded{.states = Array::from(std::vector<float>{1, 2, 3, 4, 5, 0}, {3, 2, 1}),
                        .lengths = {3, 2},
                        .last = {}};
  CHECK(encoded.summary(0).h.value().to_vector() == std::vector<float>{3, 3});
  CHECK_THROWS_WITH(Encoded{}.summary(0), contains("neither states nor last ones"));
  const Tensor first(Array::full({1, 1}, 1)), second(Array::full({1, 1}, 2));
  const Encoded of_layers{.states = {}, .lengths = {}, .last = {{first, {}}, {second, {}}}};
  CHECK(of_layers.summary(0).h.item() == 1);
  CHECK(of_layers.summary(5).h.item() == 2);
}

TEST_CASE("tied embeddings are one parameter, with the sum of all gradients") {
  const DefaultDType float64(DType::f64);
  EncoderDecoderOptions options = small("transformer");
  options.target_vocabulary = options.source_vocabulary;
  const auto count = [&](const std::string& tied) {
    options.tied_embeddings = tied;
    return make_model(options)->parameter_count();
  };
  const std::int64_t untied = count("none"), embedding = 9 * 6;
  CHECK(count("target") == untied - embedding);
  CHECK(count("all") == untied - 2 * embedding);
  const auto model = make_model(options);
  for (const Param& param : model->parameters()) {
    CHECK(param.name != "decoder.embedding.weight");
    CHECK(param.name != "decoder.output.weight");
  }
  // A model that ties nothing, with the same values, has the three gradients that are added up.
  options.tied_embeddings = "none";
  const auto apart = make_model(options);
  NamedArrays values;
  for (const Param& param : apart->parameters()) {
    std::string name = param.name;
    if (name == "decoder.embedding.weight" || name == "decoder.output.weight")
      name = "encoder.embedding.weight";
    for (const Param& tied : model->parameters())
      if (tied.name == name) values.emplace_back(param.name, tied.value.value().clone());
  }
  apart->load(values);
  const Batch batch = make_batch(kExamples);
  model->loss(batch).backward();
  apart->loss(batch).backward();
  Tensor total;
  for (const Param& param : apart->parameters())
    if (param.name.ends_with("embedding.weight") || param.name == "decoder.output.weight")
      total = total.defined() ? total + Tensor(param.value.grad()) : Tensor(param.value.grad());
  CHECK(distance(model->parameters()[0].value.grad(), total.value()) < 1e-12);

  options.tied_embeddings = "all", options.target_vocabulary = 7;
  CHECK_THROWS_WITH(make_model(options), contains("9 source and 7 target tokens cannot share"));
  CHECK_THROWS_WITH(make_decoder("transformer", options, 6), contains("made by make_model()"));
  options.norm = "both";
  CHECK_THROWS_WITH(make_model(options), contains("norm is 'both'; expected pre or post"));
}

TEST_CASE("a Transformer that an earlier version saved is read") {
  seed(10);
  EncoderDecoderOptions options = small("transformer");
  const Seq2Seq model = *make_model(options);
  NamedArrays earlier;
  for (auto [name, value] : model.values()) {
    const auto rename = [&, &name = name](std::string_view now, std::string_view before) {
      if (name.starts_with(now)) name.replace(0, now.size(), before);
    };
    rename("encoder.embedding.", "source_embedding.");
    rename("decoder.embedding.", "target_embedding.");
    rename("decoder.output.", "output.");
    rename("encoder.transformer.", "encoder.");
    rename("decoder.transformer.", "decoder.");
    if (name.find("norm") != std::string::npos && name.ends_with(".weight"))
      name.replace(name.size() - 6, 6, "gain");
    earlier.emplace_back(name, value);
  }
  const TemporaryFolder folder;
  save_safetensors(folder.path("earlier"), {earlier, {}});
  seed(11);
  Seq2Seq other = *make_model(options);
  load_parameters(folder.path("earlier"), other);
  const Batch batch = make_batch(kExamples);
  CHECK(distance(other(batch).value(), model(batch).value()) == 0);
  CHECK(other.parameters()[0].name == "encoder.embedding.weight");
}
