#include "attune/train/explanation.h"

#include <algorithm>
#include <cmath>

#include "attention_members.h"
#include "attune/autograd/all.h"
#include "attune/layers/attention/sinusoidal_positional_encoding.h"
#include "attune/report/explanation_html.h"
#include "attune/train/all.h"
#include "catch.h"
#include "explanation_text.h"
#include "temporary_folder.h"

using namespace attune;

namespace {

constexpr double kPrinted = 0.5e-4 + 1e-6;  // numbers have four decimals

// Trains a small model for two steps.
void train_small(const std::string& run, EncoderDecoderOptions model) {
  model.embedding = 8;
  if (model.has_recurrent()) model.hidden = 4;
  train({.run = run,
         .data = {.task = "reverse", .max_length = 8},
         .model = std::move(model),
         .batch = 4,
         .steps = 2,
         .record = 0});
}

const ExplainedNumbers& numbers_of(const std::vector<ExplainedStage>& stages, AttentionStage stage,
                                   const std::string& symbol) {
  for (const ExplainedStage& one : stages)
    for (const ExplainedNumbers& numbers : one.numbers)
      if (one.stage == stage && numbers.symbol == symbol) return numbers;
  FAIL("there is no " << symbol);
  throw Error("");
}

void check_near(const std::vector<double>& printed, const std::vector<double>& expected) {
  REQUIRE(!printed.empty());
  REQUIRE(printed.size() <= expected.size());
  for (std::size_t i = 0; i < printed.size(); ++i)
    CHECK(std::abs(printed[i] - expected[i]) <= kPrinted + 1e-5 * std::abs(expected[i]));
}

std::vector<double> doubles(const Tensor& values) { return values.value().to_vector<double>(); }

Tensor parameter(const Layer& layer, const std::string& name) {
  for (const Param& param : layer.parameters())
    if (param.name == name) return param.value;
  FAIL("there is no parameter " << name);
  return {};
}

// Every line is UTF-8 and fits a terminal of 100 columns.
void check_lines(const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    INFO(line);
    REQUIRE(utf8::fault_of(line).empty());
    CHECK(utf8::display_width(line) <= 100);
  }
}

// The error of explain(), "" if there is none.
std::string fault_of(const ExplainOptions& options, const std::string& source) {
  try {
    explain(options, source);
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("an explanation's text has the numbers of additive attention") {
  const TemporaryFolder folder;
  train_small(folder.path("run"), {});
  const auto printed = explanation_text::read(
      to_text(explain({.run = folder.path("run"), .target = "cab"}, "abcd")));

  // The same from the parameters: e_s = v . tanh(W [h_s ; s_{t-1}]).
  const NoGrad no_grad;
  const Eval eval;
  const Run run = load_run(folder.path("run"));
  const std::vector<int> source = run.source.encode("abcd");
  const Tensor w = parameter(*run.model, "decoder.attention.score.weight"),
               v = parameter(*run.model, "decoder.attention.score.v"),
               output = parameter(*run.model, "decoder.output.weight"),
               bias = parameter(*run.model, "decoder.output.bias");
  const Tensor h = run.model->encode(make_sources({&source, 1})).states;  // [S, 1, D]
  DecoderState state = run.model->decoder().start(run.model->encode(make_sources({&source, 1})));
  std::vector<int> target = run.target.encode("cab");
  target.push_back(Vocabulary::end);
  std::int32_t previous = Vocabulary::start;
  for (std::int64_t s = 0; s < 4; ++s)
    check_near(printed.at({0, fmt::format("1 h_s {}", s)}), doubles(h[s]));
  for (int step = 1; step <= 4; ++step) {
    INFO("step " << step);
    const auto numbers = [&](const char* symbol) { return printed.at({step, symbol}); };
    const Tensor query = state.query();
    std::vector<Tensor> scores;
    for (std::int64_t s = 0; s < 4; ++s)
      scores.push_back(sum(v * tanh(linear(concat({h[s], query}, -1), w))));
    const Tensor e = stack(scores), a = softmax(e);
    Tensor c = Array::zeros(query.shape());
    for (std::int64_t s = 0; s < 4; ++s) c = c + a[s] * h[s];
    check_near(numbers("2 s_{t-1}"), doubles(query));
    check_near(numbers("2 q_t"), doubles(query));
    check_near(numbers("4 e_s"), doubles(e));
    check_near(numbers("5 a_s"), doubles(a));
    check_near(numbers("6 z_t"), doubles(c));
    check_near(numbers("7 c_t"), doubles(c));

    run.model->decoder().predict({previous}, state);
    const Tensor both = concat({state.query(), c}, -1);
    const std::vector<double> p = doubles(softmax(linear(both, output, bias)));
    previous = target[static_cast<std::size_t>(step - 1)];
    check_near(numbers("8 s_t"), doubles(state.query()));
    CHECK(std::abs(numbers("8 p(y_t)").front() - p[static_cast<std::size_t>(previous)]) < 1e-4);
    check_near(numbers("9 s_t"), doubles(state.query()));
  }
}

TEST_CASE("an explanation's text has the numbers of a head of a Transformer") {
  const TemporaryFolder folder;
  train_small(folder.path("run"), {.model = "transformer", .layers = 2, .heads = 2});
  const int head = GENERATE(1, 2);
  const auto printed = explanation_text::read(to_text(
      explain({.run = folder.path("run"), .target = "ba", .layer = 1, .head = head}, "abc")));

  const NoGrad no_grad;
  const Eval eval;
  const Run run = load_run(folder.path("run"));
  const std::vector<int> source = run.source.encode("abc");
  const std::string layer = "decoder.transformer.layer0.";
  const auto projected = [&](const Tensor& x, const std::string& name) {
    return linear(x, parameter(*run.model, layer + name + ".weight"),
                  parameter(*run.model, layer + name + ".bias"));
  };
  const auto normalized = [&](const Tensor& x, const std::string& name) {
    return layer_norm(x, parameter(*run.model, layer + name + ".weight"),
                      parameter(*run.model, layer + name + ".bias"));
  };
  // The first position attends to itself alone.
  const Tensor y = parameter(*run.model, "decoder.embedding.weight")[Vocabulary::start];
  const Tensor x = SinusoidalPositionalEncoding(8)(reshape(y * std::sqrt(8.0), {1, 1, 8}));
  const Tensor self =
      projected(projected(normalized(x, "norm1"), "self_attention.value"), "self_attention.out");
  const auto of_head = [&](const Tensor& all) { return slice(all, -1, 4 * (head - 1), 4 * head); };
  const Tensor q = of_head(projected(normalized(x + self, "norm2"), "cross_attention.query"));
  const Tensor h = run.model->encode(make_sources({&source, 1})).states;
  const Tensor k = of_head(projected(h, "cross_attention.key")),
               v = of_head(projected(h, "cross_attention.value"));
  std::vector<Tensor> scores;
  for (std::int64_t s = 0; s < 3; ++s) scores.push_back(sum(q[0] * k[s]) / std::sqrt(4.0));
  const Tensor e = stack(scores), a = softmax(e);
  Tensor z = Array::zeros({1, 4});
  for (std::int64_t s = 0; s < 3; ++s) z = z + a[s] * v[s];
  for (std::int64_t s = 0; s < 3; ++s) {
    check_near(printed.at({0, fmt::format("3 k_s {}", s)}), doubles(k[s]));
    check_near(printed.at({0, fmt::format("3 v_s {}", s)}), doubles(v[s]));
  }
  check_near(printed.at({1, "2 self-attention"}), {1});
  check_near(printed.at({1, "2 x_t"}), doubles(x + self));
  check_near(printed.at({1, "2 q_t"}), doubles(q));
  check_near(printed.at({1, "4 e_s"}), doubles(e));
  check_near(printed.at({1, "5 a_s"}), doubles(a));
  check_near(printed.at({1, "6 z_t"}), doubles(z));
}

TEST_CASE("explanations of all mechanisms have the weights that align draws") {
  std::vector<EncoderDecoderOptions> all;
  for (const auto& [score, normalizer] : scores_with_normalizers())
    all.push_back({.attention = score, .normalizer = normalizer});
  for (const std::string& locality : locality_names()) all.push_back({.locality = locality});
  for (const std::string& layer : output_layer_names()) all.push_back({.output_layer = layer});
  all.push_back({.attention = "dot", .query = "current", .input_feeding = true, .heads = 2});
  all.push_back({.encoder = "transformer", .decoder = "recurrent"});
  all.push_back({.model = "transformer", .encoder = "convolutional"});
  for (const char* mixer : {"talking", "differential"})
    all.push_back({.model = "transformer", .layers = 2, .heads = 2, .head_mixer = mixer});
  all.push_back({.model = "transformer",
                 .heads = 4,
                 .norm = "post",
                 .key_value_heads = 2,
                 .sequence_mixer = "retention",
                 .gated_attention = true});
  const TemporaryFolder folder;
  for (const EncoderDecoderOptions& model : all) {
    INFO(model.attention << " " << model.normalizer << " " << model.locality << " "
                         << model.output_layer << " " << model.head_mixer << " "
                         << model.encoder_name() << " " << model.decoder_name());
    const std::string run = folder.path("run");
    train_small(run, model);
    const auto heads = static_cast<int>(model.head_count());
    const AlignmentFigure figure = align({.run = run, .target = "abca", .heads = true}, "abcdef");
    const std::size_t last = figure.panels.size() - static_cast<std::size_t>(heads);
    for (int head = 1; head <= heads; ++head) {
      const Explanation found = explain({.run = run, .target = "abca", .head = head}, "abcdef");
      REQUIRE(found.steps.size() == 5);
      const Alignment& drawn = figure.panels[last + static_cast<std::size_t>(head - 1)].alignment;
      for (std::size_t t = 0; t < 4; ++t) {
        const ExplainedStep& step = found.steps[t];
        const ExplainedNumbers& weights = numbers_of(step.stages, AttentionStage::weights, "a_s");
        REQUIRE(weights.values.size() == 6);
        for (std::size_t s = 0; s < 6; ++s)
          CHECK(std::abs(weights.values[s] - static_cast<double>(drawn.weights[6 * t + s])) < 1e-5);
        CHECK(numbers_of(step.stages, AttentionStage::score, "e_s").values.size() == 6);
        REQUIRE(step.stages.size() == 7);
        for (const ExplainedStage& stage : step.stages) {
          CHECK_FALSE(stage.equations.empty());
          CHECK_FALSE(stage.numbers.empty());
        }
        double sum = step.chosen.probability;
        for (const ExplainedToken& other : step.others) sum += other.probability;
        CHECK((sum > 0 && sum < 1 + 1e-6));
      }
      check_lines(to_text(found));
      for (const std::string& text : {to_text(found), explanation_html(found)}) {
        CHECK_THAT(text, contains("weighted sum"));
        CHECK_THAT(text, !contains("nan"));
      }
    }
  }
}

TEST_CASE("an explanation shows one step, and the model's own output as it translates") {
  const TemporaryFolder folder;
  const std::string run = folder.path("run");
  const std::string kind = GENERATE("recurrent", "transformer");
  train_small(run, {.model = kind});
  const Explanation all = explain({.run = run}, "abc");
  Translator translate({.run = run});
  CHECK(all.title == alignment_title("abc", translate("abc").text));
  CHECK(all.step_count == static_cast<int>(all.steps.size()));
  const Explanation second = explain({.run = run, .target = "abc", .step = 2}, "abc");
  REQUIRE(second.steps.size() == 1);
  CHECK(second.steps[0].number == 2);
  CHECK(second.steps[0].previous == "a");
  CHECK(second.steps[0].chosen.token == "b");
  CHECK(second.step_count == 4);
  CHECK_THAT(to_text(second), contains("Step 2 of 4: after 'a' comes, as given, 'b', p = ") &&
                                  !contains("Step 1 of"));
}

TEST_CASE("an explanation of what there is not is an error") {
  const TemporaryFolder folder;
  const std::string run = folder.path("run");
  CHECK_THAT(fault_of({.run = run}, "abc"), contains("there is no run folder"));
  train_small(run, {.model = "transformer", .layers = 1, .heads = 2});
  CHECK(fault_of({.run = run, .layer = 2}, "abc") ==
        "layer 2: the model has one layer with attention to the source");
  CHECK(fault_of({.run = run, .head = 3}, "abc") == "head 3: its attention has 2 heads");
  CHECK_THAT(fault_of({.run = run, .head = 0}, "abc"), contains("head"));
  CHECK(fault_of({.run = run, .target = "ab", .step = 4}, "abc") ==
        "step 4: the decoding has 3 steps");
  CHECK_THAT(fault_of({.run = run}, ""), contains("the source is empty"));
  CHECK_THAT(fault_of({.run = run}, "abcdefghijkl"), contains("more than the limit"));
  CHECK_THAT(fault_of({.run = run, .target = "\xff"}, "abc"), contains("target"));
  train_small(run, {.attention = "none"});
  CHECK_THAT(fault_of({.run = run}, "abc"), contains("has no attention"));
}

TEST_CASE("any token is text in an explanation, and no line of it is too long") {
  const TemporaryFolder folder;
  const std::string run = folder.path("run"), longest(1000, 'x');
  const std::vector<std::string> tokens = {"<script>alert(1)</script>",
                                           "&amp;",
                                           "\"'",
                                           "\x1b[31m",
                                           "\xF0\x9F\x91\xA9\xF0\x9F\x8F\xBD",
                                           "שלום",
                                           "漢字",
                                           "e\xCC\x81",
                                           longest};
  const std::string line = joined(tokens, " ");
  EncoderDecoderOptions model{.model = GENERATE("recurrent", "transformer"), .embedding = 8};
  if (model.has_recurrent()) model.hidden = 4;
  train({.run = run,
         .data = {.file = folder.write("train.tsv", line + "\t" + line + "\n"),
                  .source_tokens = "words",
                  .target_tokens = "words",
                  .max_length = 40},
         .model = model,
         .batch = 1,
         .steps = 2,
         .record = 0});
  const std::string source = line + " " + line + " " + line;
  const Explanation found = explain({.run = run, .target = line}, source);
  const std::string text = to_text(found), page = explanation_html(found);
  check_lines(text);
  CHECK_THAT(text, contains("of 27 tokens those with the largest weights; the other"));
  CHECK_THAT(text, !contains("\x1b"));
  CHECK_THAT(page, !contains("<script") && !contains("\x1b") && !contains("http:") &&
                       !contains("https:") && !contains("&amp ") && contains("&amp;amp;"));
  CHECK_THAT(page, contains("&lt;script&gt;alert(1)&lt;/script&gt;") && contains("&quot;'"));
  CHECK_THAT(page, contains(longest) && contains("漢字") && contains("שלום"));
}
