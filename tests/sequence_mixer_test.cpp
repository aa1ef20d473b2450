// What takes the place of self-attention: chunks equal steps, the papers' equations, both
// directions, and errors.
#include "attune/layers/attention/sequence_mixer.h"

#include <cmath>
#include <string>
#include <vector>

#include "attune/autograd/all.h"
#include "attune/layers/all.h"
#include "catch.h"
#include "compare.h"

using namespace attune;

namespace {

constexpr std::int64_t kFeatures = 6, kHeads = 2, kSize = 3;

Tensor random(const Shape& shape) { return random_normal(shape, DType::f64); }

std::vector<std::string> all_mixers() {
  std::vector<std::string> names = sequence_mixer_names();
  names.erase(names.begin());  // attention
  names.emplace_back("delta_rule:keys=dpfp,nu=2");
  names.emplace_back("mamba:state=3,expand=1,width=1");
  return names;
}

// A mixer whose parameters have no value, such as 0 or 1, that hides a fault.
std::shared_ptr<SequenceMixer> make(const std::string& name) {
  auto mixer = make_sequence_mixer(name, {.features = kFeatures, .heads = kHeads, .arguments = {}});
  for (Param& param : mixer->parameters()) {
    Array value = param.value.value();
    generator().normal(value, 0, 0.7);
  }
  return mixer;
}

Tensor parameter(const Layer& layer, const std::string& name) {
  for (const Param& param : layer.parameters())
    if (param.name == name) return param.value;
  FAIL("no parameter " << name);
  return {};
}

Tensor projected(const Layer& layer, const std::string& name, const Tensor& x) {
  const Tensor y = matmul(x, parameter(layer, name + ".weight"), {.transpose_b = true});
  for (const Param& param : layer.parameters())
    if (param.name == name + ".bias") return y + param.value;
  return y;
}

// Head h of a sequence x [T, 1, F] as a matrix [T, F / H].
Tensor head(const Tensor& x, std::int64_t h, std::int64_t heads = kHeads) {
  const std::int64_t size = x.size(2) / heads;
  return reshape(slice(x, 2, h * size, (h + 1) * size), {x.size(0), size});
}

// Matrices [T, d] of all heads as a sequence.
Tensor joined(const std::vector<Tensor>& heads) {
  const Tensor all = concat(heads, 1);
  return reshape(all, {all.size(0), 1, all.size(1)});
}

Tensor row(const Tensor& x, std::int64_t t) { return slice(x, 0, t, t + 1); }

// a^(t - s) for s <= t, and 0 for later keys: [T, T].
Tensor decays(std::int64_t steps, double a) {
  Array d = Array::zeros({steps, steps}, DType::f64);
  for (std::int64_t t = 0; t < steps; ++t)
    for (std::int64_t s = 0; s <= t; ++s) d.set(t * steps + s, std::pow(a, t - s));
  return d;
}

// The outputs and the gradients of x and all parameters, for parts of x given one after another.
std::vector<Array> run_in_parts(const SequenceMixer& mixer, const Array& x,
                                const std::vector<std::int64_t>& sizes, const Array& cotangent) {
  const Tensor leaf = Tensor::parameter(x);
  Layer(mixer).zero_grad();
  MixerState state;
  std::vector<Tensor> outputs;
  std::int64_t first = 0;
  for (const std::int64_t size : sizes) {
    Mixed mixed = mixer(slice(leaf, 0, first, first + size), state);
    outputs.push_back(mixed.output);
    state = mixed.state;
    first += size;
    CHECK(state.positions == first);
  }
  const Tensor all = concat(outputs);
  all.backward(cotangent);
  std::vector<Array> found = {all.value(), leaf.grad()};
  for (const Param& param : mixer.parameters()) found.push_back(param.value.grad());
  return found;
}

}  // namespace

TEST_CASE("a mixer's outputs and gradients are the same in chunks and step by step") {
  const DefaultDType f64(DType::f64);
  seed(1);
  for (const std::string& name : all_mixers())
    for (const std::int64_t steps : {1, 5, 64, 70, 131}) {
      INFO(name << ", " << steps << " positions");
      const auto mixer = make(name);
      const Array x = random({steps, 2, kFeatures}).value();
      const Array cotangent = random({steps, 2, kFeatures}).value();
      const auto whole = run_in_parts(*mixer, x, {steps}, cotangent);
      std::vector<std::vector<std::int64_t>> parts = {
          std::vector<std::int64_t>(static_cast<std::size_t>(steps), 1)};
      if (steps > 3) parts.push_back({3, steps - 3});
      for (const auto& sizes : parts) {
        const auto found = run_in_parts(*mixer, x, sizes, cotangent);
        REQUIRE(found.size() == whole.size());
        for (std::size_t i = 0; i < found.size(); ++i) {
          INFO("array " << i);
          const double largest = max(abs(Tensor(whole[i]))).item();
          CHECK(distance(found[i], whole[i]) < 1e-10 * (1 + largest));
        }
      }
    }
}

TEST_CASE("linear attention weighs earlier values by f(q) . f(k), divided by their sum") {
  const DefaultDType f64(DType::f64);
  seed(2);
  const auto mixer = make("linear");
  const Tensor x = random({7, 1, kFeatures});
  const auto features = [](const Tensor& y) { return where(y > 0, y + 1, exp(y)); };
  std::vector<Tensor> heads;
  for (std::int64_t h = 0; h < kHeads; ++h) {
    const Tensor q = features(head(projected(*mixer, "query", x), h)),
                 k = features(head(projected(*mixer, "key", x), h));
    const Tensor scores = matmul(q, k, {.transpose_b = true}) * decays(7, 1);
    const Tensor weights = scores / sum(scores, 1, /*keep=*/true);
    heads.push_back(matmul(weights, head(projected(*mixer, "value", x), h)));
  }
  const Tensor expected = projected(*mixer, "out", joined(heads));
  CHECK(distance((*mixer)(x, {}).output.value(), expected.value()) < 1e-5);  // 1e-6 is added
}

TEST_CASE("retention is the paper's (Q K^T * D) V, normalised in each head and gated") {
  const DefaultDType f64(DType::f64);
  seed(3);
  const auto mixer = make("retention");
  const Tensor x = random({7, 1, kFeatures});
  const Tensor q = rotary(projected(*mixer, "query", x), {.heads = kHeads}),
               k = rotary(projected(*mixer, "key", x), {.heads = kHeads});
  std::vector<Tensor> heads;
  for (std::int64_t h = 0; h < kHeads; ++h) {
    const Tensor d = decays(7, 1 - std::pow(2, -5 - static_cast<double>(h)));
    const Tensor scores = matmul(head(q, h), head(k, h), {.transpose_b = true}) * d;
    const Tensor y = matmul(scores, head(projected(*mixer, "value", x), h)) / std::sqrt(3.0);
    const Tensor centered = y - mean(y, 1, /*keep=*/true);
    heads.push_back(centered / sqrt(mean(square(centered), 1, /*keep=*/true) + 1e-5));
  }
  const Tensor gated = silu(projected(*mixer, "gate", x)) * joined(heads);
  CHECK(distance((*mixer)(x, {}).output.value(), projected(*mixer, "out", gated).value()) < 1e-11);
}

TEST_CASE("the delta rule replaces what the state has for a key") {
  const DefaultDType f64(DType::f64);
  seed(4);
  for (const std::string name : {"delta_rule", "delta_rule:keys=dpfp,nu=2"}) {
    INFO(name);
    const auto mixer = make(name);
    const Tensor x = random({7, 1, kFeatures});
    const auto features = [&](const Tensor& y) -> Tensor {
      if (name == "delta_rule") {
        const Tensor s = silu(y);
        return s / sqrt(sum(square(s), 1, /*keep=*/true));
      }
      const Tensor r = relu(concat({y, -y}, 1));  // [T, 2 d]
      std::vector<Tensor> products;
      for (std::int64_t j = 1; j <= 2; ++j) {
        std::vector<Tensor> columns;
        for (std::int64_t i = 0; i < 2 * kSize; ++i) {
          const std::int64_t other = (i - j + 2 * kSize) % (2 * kSize);
          columns.push_back(slice(r, 1, i, i + 1) * slice(r, 1, other, other + 1));
        }
        products.push_back(concat(columns, 1));
      }
      const Tensor g = concat(products, 1);
      return g / (sum(g, 1, /*keep=*/true) + 1e-6);
    };
    std::vector<Tensor> heads;
    for (std::int64_t h = 0; h < kHeads; ++h) {
      const Tensor q = features(head(projected(*mixer, "query", x), h)),
                   k = features(head(projected(*mixer, "key", x), h)),
                   v = head(projected(*mixer, "value", x), h),
                   beta = sigmoid(head(projected(*mixer, "beta", x), h));
      Tensor w = Array::zeros({kSize, k.size(1)}, DType::f64);  // the paper's W, [V, K]
      std::vector<Tensor> outputs;
      for (std::int64_t t = 0; t < 7; ++t) {
        const Tensor before = matmul(row(k, t), w, {.transpose_b = true});
        const Tensor wanted = row(beta, t) * row(v, t) + (1 - row(beta, t)) * before;
        w = w + matmul(wanted - before, row(k, t), {.transpose_a = true});
        outputs.push_back(matmul(row(q, t), w, {.transpose_b = true}));
      }
      heads.push_back(concat(outputs));
    }
    const Tensor expected = projected(*mixer, "out", joined(heads));
    // l2_normalize() adds 1e-12 to squares, which are about 0.01 here.
    CHECK(distance((*mixer)(x, {}).output.value(), expected.value()) < 1e-9);
  }
}

namespace {

// silu of the causal convolution of x [T, 1, C] with a weight [C, width], step by step.
Tensor convolved(const Layer& layer, const Tensor& x) {
  const Tensor weight = parameter(layer, "convolution.weight");
  Array y = Array::zeros(x.shape(), DType::f64);
  const std::int64_t channels = x.size(2), width = weight.size(1);
  for (std::int64_t t = 0; t < x.size(0); ++t)
    for (std::int64_t c = 0; c < channels; ++c) {
      double sum = 0;
      for (const Param& param : layer.parameters())
        if (param.name == "convolution.bias") sum = param.value.value().at(c);
      for (std::int64_t back = 0; back < width && back <= t; ++back)
        sum += weight.value().at(c * width + width - 1 - back) *
               x.value().at((t - back) * channels + c);
      y.set(t * channels + c, sum / (1 + std::exp(-sum)));
    }
  return y;
}

}  // namespace

TEST_CASE("the gated delta rule is the paper's, with convolution, decay and gate") {
  const DefaultDType f64(DType::f64);
  seed(5);
  const auto mixer = make("gated_delta:width=3");
  const Tensor x = random({7, 1, kFeatures});
  const auto parts = split(convolved(*mixer, projected(*mixer, "input", x)), {6, 6, 6}, 2);
  std::vector<Tensor> heads;
  for (std::int64_t h = 0; h < kHeads; ++h) {
    const auto unit = [&](const Tensor& y) {
      return y / sqrt(sum(square(y), 1, /*keep=*/true) + 1e-12);
    };
    const Tensor q = unit(head(parts[0], h)), k = unit(head(parts[1], h)), v = head(parts[2], h),
                 beta = sigmoid(head(projected(*mixer, "beta", x), h)),
                 rate = exp(slice(parameter(*mixer, "log_rate"), 0, h, h + 1)),
                 bias = slice(parameter(*mixer, "decay_bias"), 0, h, h + 1),
                 alpha = exp(-rate * softplus(head(projected(*mixer, "decay", x), h) + bias));
    Tensor s = Array::zeros({kSize, kSize}, DType::f64);  // the paper's S, [V, K]
    std::vector<Tensor> outputs;
    for (std::int64_t t = 0; t < 7; ++t) {
      const Tensor kk = matmul(row(k, t), row(k, t), {.transpose_a = true});
      const Tensor kept =
          Tensor(Array::from({{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}, DType::f64)) - row(beta, t) * kk;
      s = row(alpha, t) * matmul(s, kept) +
          row(beta, t) * matmul(row(v, t), row(k, t), {.transpose_a = true});
      outputs.push_back(matmul(row(q, t), s, {.transpose_b = true}));
    }
    const Tensor y = concat(outputs);
    heads.push_back(y / sqrt(mean(square(y), 1, /*keep=*/true) + 1e-5) * parameter(*mixer, "norm"));
  }
  const Tensor gated = joined(heads) * silu(projected(*mixer, "gate", x));
  CHECK(distance((*mixer)(x, {}).output.value(), projected(*mixer, "out", gated).value()) < 1e-11);
}

TEST_CASE("Mamba is algorithm 2 between a convolution and a gate") {
  const DefaultDType f64(DType::f64);
  seed(6);
  const auto mixer = make("mamba:state=3,expand=2,width=3");
  constexpr std::int64_t kChannels = 2 * kFeatures, kStates = 3;
  const Tensor x = random({7, 1, kFeatures});
  const auto halves = split(projected(*mixer, "input", x), {kChannels, kChannels}, 2);
  const Tensor u = convolved(*mixer, halves[0]);
  const auto selected = split(projected(*mixer, "select", u), {1, kStates, kStates}, 2);
  const Tensor delta = softplus(projected(*mixer, "step", selected[0])),
               a = -exp(parameter(*mixer, "log_rate"));
  Tensor h = Array::zeros({kStates, kChannels}, DType::f64);
  std::vector<Tensor> outputs;
  for (std::int64_t t = 0; t < 7; ++t) {
    const Tensor step = reshape(delta[t], {1, kChannels}), now = reshape(u[t], {1, kChannels}),
                 b = reshape(selected[1][t], {kStates, 1}),
                 c = reshape(selected[2][t], {1, kStates});
    h = exp(step * a) * h + b * (step * now);
    outputs.push_back(matmul(c, h) + parameter(*mixer, "skip") * now);
  }
  const Tensor gated = joined({concat(outputs)}) * silu(halves[1]);
  CHECK(distance((*mixer)(x, {}).output.value(), projected(*mixer, "out", gated).value()) < 1e-11);
}

TEST_CASE("Mamba begins with the rates, steps and skips of the paper") {
  seed(7);
  const MambaMixer mixer({.features = 64, .state = 4});
  for (std::int64_t n = 0; n < 4; ++n)
    CHECK(parameter(mixer, "log_rate").value().at(n * 128 + 5) ==
          Approx(std::log(static_cast<double>(n + 1))).margin(1e-6));
  const Array steps = softplus(parameter(mixer, "step.bias")).value();
  for (std::int64_t e = 0; e < 128; ++e) {
    CHECK(steps.at(e) > 0.00099);
    CHECK(steps.at(e) < 0.101);
  }
  CHECK(parameter(mixer, "skip").value().at(3) == 1);
  CHECK(parameter(mixer, "step.weight").shape() == Shape({128, 4}));  // of rank 64 / 16
  CHECK_THROWS_WITH(softplus_log_uniform(0.1, 0.1), contains("0 < low < high"));
}

TEST_CASE("a mixer of both directions reads each sequence from both of its ends") {
  const DefaultDType f64(DType::f64);
  seed(8);
  const Indices lengths = {7, 1, 4, 0};
  for (const std::string& name : all_mixers()) {
    INFO(name);
    const BidirectionalMixer mixer(name, {.features = kFeatures, .heads = kHeads, .arguments = {}});
    const Tensor x = random({7, 4, kFeatures});
    const Array all = mixer(x, lengths).value();
    for (std::int64_t b = 0; b < 4; ++b) {
      const std::int64_t length = lengths.at(b);
      const Tensor alone = slice(slice(x, 1, b, b + 1), 0, 0, length);
      CHECK(distance(mixer(alone).value(),
                     slice(slice(Tensor(all), 1, b, b + 1), 0, 0, length).value()) < 1e-12);
    }
    Array spoilt = x.value().clone();
    for (std::int64_t i = 0; i < spoilt.elements(); ++i)
      if (i / (4 * kFeatures) >= lengths.at(i / kFeatures % 4)) spoilt.set(i, std::nan(""));
    CHECK(distance(mixer(Tensor(spoilt), lengths).value(), all) == 0);
    if (name.find("dpfp") != std::string::npos) continue;  // a key may be all zeros
    // Each position depends on all others.
    const Tensor leaf = Tensor::parameter(random({5, 1, kFeatures}).value());
    for (const std::int64_t t : {0, 2, 4}) {
      Tensor input = leaf;
      input.zero_grad();
      sum(mixer(input)[t]).backward();
      for (std::int64_t s = 0; s < 5; ++s) CHECK(max(abs(Tensor(input.grad()[s]))).item() > 1e-12);
    }
  }
}

TEST_CASE("a mixer's errors name what it cannot do") {
  const TransformerOptions options{
      .features = 6, .heads = 2, .feed_forward = 5, .dropout = 0, .sequence_mixer = "mamba"};
  TransformerOptions with_positions = options;
  for (const std::string name : {"rotary", "alibi", "relative", "t5"}) {
    with_positions.positions = make_positional_encoding(name, {.features = 6, .heads = 2});
    CHECK_THROWS_WITH(TransformerEncoderLayer(with_positions), contains("use sinusoidal"));
    CHECK_THROWS_WITH(TransformerDecoderLayer(with_positions), contains("use sinusoidal"));
  }
  for (const std::string name : {"sinusoidal", "learned", "none"}) {
    with_positions.positions = make_positional_encoding(name, {.features = 6, .heads = 2});
    CHECK_NOTHROW(TransformerEncoderLayer(with_positions));
  }
  const Tensor x(Array::zeros({3, 1, 6}));
  CHECK_THROWS_WITH(TransformerEncoderLayer(options)(x, {}, Mask::window(1, 1)),
                    contains("a mask is given, but its mixer has no scores to hide"));
  CHECK_THROWS_WITH(TransformerDecoder(options, 1, /*cross_attention=*/false)(
                        x, {}, {}, {.mask = Mask::window(1, 0)}),
                    contains("a mask of the target is given, but its mixer has no scores"));
  const auto fails = [](const std::string& name, const std::string& error) {
    CHECK_THROWS_WITH(make_sequence_mixer(name, {.features = 6, .heads = 2, .arguments = {}}),
                      contains(error));
  };
  fails("rwkv", "sequence mixer: 'rwkv' is unknown; known are attention, linear");
  fails("linear:state=3", "state=3 is given, but it has no options");
  fails("delta_rule:keys=elu", "keys is 'elu'; expected l2 or dpfp");
  fails("delta_rule:keys=dpfp,nu=6", "nu is 6; expected 1 to 5");
  fails("gated_delta:width=0", "width is '0'; expected a whole number from 1");
  CHECK_THROWS_WITH(make_sequence_mixer("linear", {.features = 6, .heads = 4, .arguments = {}}),
                    contains("6 features cannot be divided among 4 heads"));
  CHECK_THROWS_WITH(BidirectionalMixer("attention", {.features = 6, .heads = 2, .arguments = {}}),
                    contains("attention has no direction"));
}
