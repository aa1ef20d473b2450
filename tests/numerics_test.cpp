#include <cmath>
#include <functional>
#include <limits>

#include "attune/autograd/all.h"
#include "attune/autograd/array/random.h"
#include "attune/autograd/kernels/math.h"
#include "attune/optim/adagrad.h"
#include "attune/optim/adam.h"
#include "attune/optim/clip.h"
#include "attune/optim/rmsprop.h"
#include "catch.h"

using namespace attune;

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
const std::vector<DType> kTypes = {DType::f32, DType::f64};

Tensor parameter(const std::vector<double>& values, const Shape& shape, DType dtype) {
  return Tensor::parameter(Array::from(values, shape).to(dtype));
}

std::vector<double> doubles(const Array& x) { return x.to(DType::f64).to_vector<double>(); }

bool same(double found, double expected, double tolerance) {
  if (std::isnan(expected)) return std::isnan(found);
  if (std::isinf(expected)) return found == expected;
  return std::abs(found - expected) <= tolerance * std::abs(expected);
}

void require_same(const std::vector<double>& found, const std::vector<double>& expected,
                  double tolerance = 1e-6) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    INFO("number " << i << ": " << found[i] << ", expected " << expected[i]);
    REQUIRE(same(found[i], expected[i], tolerance));
  }
}

}  // namespace

TEST_CASE("cross entropy of equal logits is the logarithm of their number, however large") {
  for (const DType dtype : kTypes)
    for (const double size : {0., 1e4, 1e6, 1e8, 1e20, -1e20}) {
      INFO(name_of(dtype) << " " << size);
      Tensor x = parameter({size, size, size}, {1, 3}, dtype);
      const Tensor loss = cross_entropy(x, {1});
      require_same({loss.item()}, {std::log(3.)});
      loss.backward();
      require_same(doubles(x.grad()), {1 / 3., -2 / 3., 1 / 3.});
      require_same({cross_entropy(x, {1}, kIgnore, 0.3).item()}, {std::log(3.)});
      require_same({nll_loss(log_softmax(x), {1}).item()}, {std::log(3.)});
      require_same(doubles(log_softmax(x).value()), std::vector<double>(3, -std::log(3.)));
    }
}

TEST_CASE("log_softmax and the gradient of logsumexp are accurate for a large maximum") {
  for (const DType dtype : kTypes) {
    const double large = dtype == DType::f32 ? 1e4 : 1e12;
    const double low = -std::log1p(std::exp(1.)), high = -std::log1p(std::exp(-1.));
    const double tolerance = dtype == DType::f32 ? 1e-6 : 1e-14;
    Tensor x = parameter({large, large + 1}, {1, 2}, dtype);
    require_same(doubles(log_softmax(x).value()), {low, high}, tolerance);
    sum(logsumexp(x, -1)).backward();
    require_same(doubles(x.grad()), {std::exp(low), std::exp(high)}, tolerance);
    Tensor column = parameter({large, large + 1}, {2, 1}, dtype);
    sum(logsumexp(column, 0)).backward();
    require_same(doubles(column.grad()), {std::exp(low), std::exp(high)}, tolerance);
  }
}

TEST_CASE("log_softmax is -infinity where softmax is 0, without gradient there") {
  for (const DType dtype : kTypes) {
    Tensor x = parameter({1, 1, kNaN, -kInf, -kInf, -kInf, 5, 6, 7}, {3, 3}, dtype);
    const Tensor y = log_softmax(x, -1, {2, 3, 0});
    const double half = -std::log(2.);
    require_same(doubles(y.value()), {half, half, -kInf, -kInf, -kInf, -kInf, -kInf, -kInf, -kInf});
    y.backward(Array::from<double>({1, 0, kNaN, 1, 2, 3, kNaN, kInf, 1}, {3, 3}).to(dtype));
    require_same(doubles(x.grad()), {.5, -.5, 0, 0, 0, 0, 0, 0, 0});
    REQUIRE(nll_loss(y, {2, kIgnore, kIgnore}).item() == kInf);
  }
}

TEST_CASE("cross entropy of infinite logits matches PyTorch, without avoidable NaN") {
  for (const DType dtype : kTypes) {
    Tensor none = parameter({-kInf, -kInf}, {1, 2}, dtype);
    const Tensor loss = cross_entropy(none, {0});
    REQUIRE(loss.item() == kInf);
    loss.backward();
    require_same(doubles(none.grad()), {0, 0});

    Tensor one = parameter({-kInf, 2}, {1, 2}, dtype);
    REQUIRE(cross_entropy(one, {0}).item() == kInf);
    REQUIRE(cross_entropy(one, {1}).item() == 0);
    const Tensor smooth = cross_entropy(one, {1}, kIgnore, 0.2);
    REQUIRE(smooth.item() == kInf);
    smooth.backward();
    require_same(doubles(one.grad()), {-0.1, 0.1}, 1e-5);
    REQUIRE(std::isnan(cross_entropy(parameter({kInf, 2}, {1, 2}, dtype), {0}).item()));
    require_same(doubles(log_softmax(parameter({kInf, 2}, {2}, dtype)).value()), {kNaN, kNaN});
  }
}

TEST_CASE("binary cross entropy of infinite logits has its limits") {
  struct Case {
    double x, target, loss, slope;
  };
  for (const DType dtype : kTypes)
    for (const Case& c :
         {Case{kInf, 0, kInf, 1}, Case{kInf, 1, 0, 0}, Case{-kInf, 0, 0, 0},
          Case{-kInf, 1, kInf, -1}, Case{kInf, .25, kInf, .75}, Case{-kInf, .25, kInf, -.25},
          Case{0, .5, std::log(2.), 0}, Case{kNaN, 0, kNaN, kNaN}, Case{1e20, 0, 1e20, 1}}) {
      INFO(name_of(dtype) << " x " << c.x << " target " << c.target);
      Tensor x = parameter({c.x}, {1}, dtype);
      const Tensor loss =
          binary_cross_entropy_with_logits(x, Tensor(Array::full({1}, c.target, dtype)));
      require_same({loss.item()}, {c.loss});
      loss.backward();
      require_same(doubles(x.grad()), {c.slope});
    }
}

TEST_CASE("attention's weights and gradients are correct for huge scores") {
  // Scores 1e6 q k with two equal keys and one that is lower: weights 1/2, 1/2, 0.
  for (const double size : {1e6, 1e8}) {
    Tensor query = parameter({1}, {1, 1, 1}, DType::f32);
    Tensor key = parameter({size, size, -size}, {3, 1, 1}, DType::f32);
    Tensor value = parameter({1, 3, 100}, {3, 1, 1}, DType::f32);
    const auto result = scaled_dot_product_attention_with_weights(query, key, value);
    require_same(doubles(result.weights.value()), {.5, .5, 0});
    sum(result.context).backward();
    require_same(doubles(value.grad()), {.5, .5, 0});
    require_same(doubles(key.grad()), {-.5, .5, 0});
  }
}

TEST_CASE("sums over many rows are exact") {
  constexpr std::int64_t kRows = 20'000'000;
  require_same(
      sum(Tensor(Array::full({kRows, 2}, 1)), 0).value().to(DType::f64).to_vector<double>(),
      {kRows, kRows}, 0);
  REQUIRE(sum(Tensor(Array::full({kRows}, 1))).item() == kRows);
  for (const DType dtype : kTypes)
    for (const Shape& shape :
         {Shape{1'000'003, 3}, Shape{3, 300'007, 1}, Shape{40'001, 70}, Shape{2, 5'001, 5}}) {
      const int axis = shape.rank() == 3 ? 1 : 0;
      const double each = dtype == DType::f32 ? static_cast<double>(0.1f) : 0.1;
      const double expected = each * static_cast<double>(shape[axis]);
      const double ulp = dtype == DType::f32 ? 1.2e-7 : 2.3e-16;
      INFO(name_of(dtype) << " " << shape.elements());
      const Tensor x(Array::full(shape, each, dtype));
      for (const double found : doubles(sum(x, axis).value()))
        REQUIRE(same(found, expected, 3 * ulp));
      for (const double found : doubles(mean(x, axis).value())) REQUIRE(same(found, each, 3 * ulp));
      REQUIRE(same(mean(x).item(), each, 3 * ulp));
      Tensor bias = parameter(std::vector<double>(static_cast<std::size_t>(shape.last())),
                              {shape.last()}, dtype);
      if (shape.rank() != 2) continue;
      sum(x * 1.0 + bias).backward();
      for (const double found : doubles(bias.grad()))
        REQUIRE(same(found, static_cast<double>(shape[0]), 0));
    }
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // too slow under them
TEST_CASE("sums over a hundred million rows are accurate") {
  constexpr std::int64_t kRows = 100'000'000;
  const double each = static_cast<double>(0.1f), tolerance = 3 * 1.2e-7;
  const Array dy = Array::full({kRows, 1}, 0.1);
  const Tensor x(dy);
  REQUIRE(same(sum(x, 0).item(), each * kRows, tolerance));
  REQUIRE(same(sum(x).item(), each * kRows, tolerance));
  REQUIRE(same(mean(x, 0).item(), each, tolerance));
  REQUIRE(same(mean(x).item(), each, tolerance));
  Tensor bias = parameter({0}, {1}, DType::f32);
  (x + bias).backward(dy);
  REQUIRE(same(bias.grad().item(), each * kRows, tolerance));
}
#endif

TEST_CASE("means of huge numbers do not overflow") {
  for (const DType dtype : kTypes) {
    const double huge = dtype == DType::f32 ? 3e38 : 1.5e308;
    const Tensor x(Array::full({64, 48}, huge, dtype));
    REQUIRE(same(mean(x).item(), huge, 1e-6));
    for (const int axis : {0, 1})
      for (const double found : doubles(mean(x, axis).value())) REQUIRE(same(found, huge, 1e-6));
    REQUIRE(sum(x).item() == kInf);
  }
  Array few = Array::zeros({1000});
  few.set(0, 1e20);
  REQUIRE(mse_loss(Tensor(few), Tensor(Array::zeros({1000}))).item() == Approx(1e37));
}

TEST_CASE("sums are NaN or infinite only if an element is") {
  Array x = Array::full({20, 3}, 1);
  x.set(4, kInf);
  x.set(8, kNaN);
  require_same(doubles(sum(Tensor(x), 0).value()), {20, kInf, kNaN});
}

TEST_CASE("the gradients of parameters are exact for a million rows") {
  constexpr std::int64_t kRows = 1'000'000;
  const double each = static_cast<double>(0.1f);
  const Array dy = Array::full({kRows, 2}, 0.1);
  Tensor weight = parameter({1, 2}, {2, 1}, DType::f32), bias = parameter({0, 0}, {2}, DType::f32);
  linear(Tensor(Array::full({kRows, 1}, 1)), weight, bias).backward(dy);
  require_same(doubles(bias.grad()), {each * kRows, each * kRows}, 3e-7);

  Tensor table = parameter({1, 2, 3, 4}, {2, 2}, DType::f32);
  std::vector<std::int32_t> ids(kRows, 1);
  ids[5] = 0;
  embedding(table, Indices(ids, {kRows})).backward(dy);
  require_same(doubles(table.grad()), {each, each, each * (kRows - 1), each * (kRows - 1)}, 3e-7);

  Tensor gain = parameter({1, 1}, {2}, DType::f32), shift = parameter({0, 0}, {2}, DType::f32);
  Array x({kRows, 2});
  float* values = x.mutable_data<float>();
  for (std::int64_t i = 0; i < kRows; ++i) values[2 * i] = 5, values[2 * i + 1] = 7;
  layer_norm(Tensor(x), gain, shift, 0).backward(dy);
  require_same(doubles(gain.grad()), {-each * kRows, each * kRows}, 3e-7);
  require_same(doubles(shift.grad()), {each * kRows, each * kRows}, 3e-7);
}

TEST_CASE("element-wise values and gradients have their limits") {
  struct Case {
    const char* name;
    std::function<Tensor(const Tensor&)> f;
    double x, y, slope;
  };
  const double big = 1e30;
  const std::vector<Case> cases = {
      {"exp", [](auto& x) { return exp(x); }, -kInf, 0, 0},
      {"exp", [](auto& x) { return exp(x); }, kInf, kInf, kInf},
      {"log", [](auto& x) { return log(x); }, 0, -kInf, kInf},
      {"log", [](auto& x) { return log(x); }, kInf, kInf, 0},
      {"log", [](auto& x) { return log(x); }, -1, kNaN, -1},
      {"sqrt", [](auto& x) { return sqrt(x); }, 0, 0, kInf},
      {"sqrt", [](auto& x) { return sqrt(x); }, kInf, kInf, 0},
      {"sqrt", [](auto& x) { return sqrt(x); }, -1, kNaN, kNaN},
      {"abs", [](auto& x) { return abs(x); }, -kInf, kInf, -1},
      {"abs", [](auto& x) { return abs(x); }, -0., 0, 0},
      {"pow 0", [](auto& x) { return pow(x, 0); }, 0, 1, 0},
      {"pow 0", [](auto& x) { return pow(x, 0); }, kNaN, 1, 0},
      {"pow 0.5", [](auto& x) { return pow(x, 0.5); }, 0, 0, kInf},
      {"pow 1", [](auto& x) { return pow(x, 1); }, 0, 0, 1},
      {"pow 2", [](auto& x) { return pow(x, 2); }, -3, 9, -6},
      {"pow 3", [](auto& x) { return pow(x, 3); }, -2, -8, 12},
      {"pow 3", [](auto& x) { return pow(x, 3); }, 0, 0, 0},
      {"pow -1", [](auto& x) { return pow(x, -1); }, 0, kInf, -kInf},
      {"pow -2", [](auto& x) { return pow(x, -2); }, kInf, 0, 0},
      {"tanh", [](auto& x) { return tanh(x); }, kInf, 1, 0},
      {"tanh", [](auto& x) { return tanh(x); }, -kInf, -1, 0},
      {"sigmoid", [](auto& x) { return sigmoid(x); }, kInf, 1, 0},
      {"sigmoid", [](auto& x) { return sigmoid(x); }, -kInf, 0, 0},
      {"elu", [](auto& x) { return elu(x); }, kInf, kInf, 1},
      {"elu", [](auto& x) { return elu(x); }, -kInf, -1, 0},
      {"elu", [](auto& x) { return elu(x); }, -big, -1, 0},
      {"gelu", [](auto& x) { return gelu(x); }, kInf, kInf, 1},
      {"gelu", [](auto& x) { return gelu(x); }, -kInf, 0, 0},
      {"gelu", [](auto& x) { return gelu(x); }, -big, 0, 0},
      {"gelu", [](auto& x) { return gelu(x); }, big, big, 1},
      {"silu", [](auto& x) { return silu(x); }, kInf, kInf, 1},
      {"silu", [](auto& x) { return silu(x); }, -kInf, 0, 0},
      {"silu", [](auto& x) { return silu(x); }, -big, 0, 0},
      {"softplus", [](auto& x) { return softplus(x); }, kInf, kInf, 1},
      {"softplus", [](auto& x) { return softplus(x); }, -kInf, 0, 0},
      {"softplus", [](auto& x) { return softplus(x); }, big, big, 1},
      {"relu", [](auto& x) { return relu(x); }, kNaN, kNaN, 1},
      {"relu", [](auto& x) { return relu(x); }, -kInf, 0, 0},
      {"leaky_relu", [](auto& x) { return leaky_relu(x, .5); }, -kInf, -kInf, .5},
      {"clamp", [](auto& x) { return clamp(x, -1, 1); }, kNaN, kNaN, 0},
      {"clamp", [](auto& x) { return clamp(x, -1, 1); }, kInf, 1, 0},
      {"1 / x", [](auto& x) { return 1. / x; }, kInf, 0, 0},
      {"1 / x", [](auto& x) { return 1. / x; }, -0., -kInf, -kInf},
      {"0 / x", [](auto& x) { return 0. / x; }, 1e-30, 0, 0},
  };
  for (const DType dtype : kTypes)
    for (const Case& c : cases) {
      INFO(name_of(dtype) << " " << c.name << " at " << c.x);
      Tensor x = parameter({c.x}, {1}, dtype);
      const Tensor y = c.f(x);
      require_same({y.item()}, {c.y});
      y.backward(Array::full({1}, 1, dtype));
      require_same(doubles(x.grad()), {c.slope});
    }
  for (const DType dtype : kTypes)
    for (const auto& f : std::vector<std::function<Tensor(const Tensor&)>>{
             [](auto& x) { return exp(x); }, [](auto& x) { return log(x); },
             [](auto& x) { return tanh(x); }, [](auto& x) { return sigmoid(x); },
             [](auto& x) { return gelu(x); }, [](auto& x) { return silu(x); },
             [](auto& x) { return softplus(x); }, [](auto& x) { return pow(x, 3); }}) {
      Tensor x = parameter({kNaN}, {1}, dtype);
      const Tensor y = f(x);
      REQUIRE(std::isnan(y.item()));
      y.backward(Array::full({1}, 1, dtype));
      REQUIRE(std::isnan(x.grad().item()));
    }
}

TEST_CASE("0 divided by a subnormal number has gradients without NaN") {
  for (const DType dtype : kTypes) {
    const double tiny = dtype == DType::f32 ? 1e-40 : 1e-310;
    Tensor a = parameter({0}, {1}, dtype), b = parameter({tiny}, {1}, dtype);
    (a / b).backward(Array::full({1}, 1, dtype));
    require_same(doubles(a.grad()), {kInf});
    require_same(doubles(b.grad()), {0});
    b.zero_grad();
    (0.0 / b).backward(Array::full({1}, 1, dtype));
    require_same(doubles(b.grad()), {0});
  }
}

TEST_CASE("minimum and maximum pass the gradient to the selected operand, and NaN to both") {
  for (const DType dtype : kTypes) {
    Tensor a = parameter({1, 2, kNaN, 5}, {4}, dtype), b = parameter({2, 1, 1, 5}, {4}, dtype);
    maximum(a, b).backward(Array::from<double>({kInf, kNaN, 3, 4}, {4}).to(dtype));
    require_same(doubles(a.grad()), {0, kNaN, 3, 2});
    require_same(doubles(b.grad()), {kInf, 0, 3, 2});
  }
}

TEST_CASE("layer_norm is accurate for huge, tiny, constant and shifted rows") {
  const double eps = 1e-5;
  struct Case {
    std::vector<double> x;
    double eps;
  };
  for (const DType dtype : kTypes) {
    std::vector<Case> cases = {{{1e20, 1e20, -1e20}, eps},          {{3e38, -3e38, 1e38}, eps},
                               {{1e-30, 2e-30, -1e-30}, 0},         {{1e-30, 2e-30, -1e-30}, eps},
                               {{10000.5, 10000.25, 10000.125}, 0}, {{1, 2, 4}, eps}};
    if (dtype == DType::f64) {
      cases.push_back({{1e200, 2e200, -1e200}, eps});
      cases.push_back({{1.5e308, -1.5e308, 0}, eps});
      cases.push_back({{1e-200, 2e-200, -1e-200}, 0});
    }
    for (const Case& c : cases) {
      INFO(name_of(dtype) << " " << c.x[0] << " eps " << c.eps);
      // In units of the largest number, in long double.
      long double unit = 0, mean = 0, variance = 0;
      std::vector<long double> u;
      for (const double v : doubles(Array::from(c.x, {3}).to(dtype))) u.push_back(v);
      for (const long double v : u) unit = std::max(unit, std::abs(v));
      for (long double& v : u) mean += (v /= unit) / 3;
      for (const long double v : u) variance += (v - mean) * (v - mean) / 3;
      const long double scale =
          1 / std::sqrt(variance + static_cast<long double>(
                                       dtype == DType::f32 ? static_cast<float>(c.eps) : c.eps) /
                                       unit / unit);
      const std::vector<double> dy = {1, -2, 0.5}, gain = {1, 2, 3};
      std::vector<double> y, dx, dgain;
      long double d_mean = 0, dz_mean = 0;
      for (std::size_t i = 0; i < 3; ++i) {
        const long double z = (u[i] - mean) * scale;
        y.push_back(static_cast<double>(z * gain[i] + 1));
        dgain.push_back(static_cast<double>(z * dy[i]));
        d_mean += dy[i] * gain[i] / 3;
        dz_mean += dy[i] * gain[i] * z / 3;
      }
      for (std::size_t i = 0; i < 3; ++i)
        dx.push_back(static_cast<double>(
            scale / unit * (dy[i] * gain[i] - d_mean - (u[i] - mean) * scale * dz_mean)));

      Tensor x = parameter(c.x, {1, 3}, dtype), g = parameter(gain, {3}, dtype),
             b = parameter({1, 1, 1}, {3}, dtype);
      const Tensor result = layer_norm(x, g, b, c.eps);
      const double tolerance = dtype == DType::f32 ? 2e-5 : 1e-12;
      require_same(doubles(result.value()), y, tolerance);
      result.backward(Array::from(dy, {1, 3}).to(dtype));
      const double worst = std::max({std::abs(dx[0]), std::abs(dx[1]), std::abs(dx[2])});
      for (std::size_t i = 0; i < 3; ++i)
        REQUIRE(std::abs(doubles(x.grad())[i] - dx[i]) <= tolerance * worst);
      require_same(doubles(g.grad()), dgain, tolerance);
    }
    for (const double e : {0., eps})
      for (const std::vector<double>& row : {std::vector<double>{7}, {1e30, 1e30}}) {
        const auto n = static_cast<std::int64_t>(row.size());
        Tensor x = parameter(row, {1, n}, dtype);
        const Tensor y = layer_norm(x, Tensor(Array::full({n}, 1, dtype)),
                                    Tensor(Array::full({n}, 2, dtype)), e);
        require_same(doubles(y.value()), std::vector<double>(row.size(), 2));
        y.backward(Array::full({1, n}, 1, dtype));
        require_same(doubles(x.grad()), std::vector<double>(row.size(), 0));
      }
  }
}

TEST_CASE("layer_norm of a row with NaN or infinity is NaN, and other rows are not") {
  for (const double bad : {kNaN, kInf}) {
    Tensor x = parameter({1, 2, 3, 1, bad, 3}, {2, 3}, DType::f32);
    const Tensor y = layer_norm(x, Tensor(Array::full({3}, 1)), Tensor(Array::zeros({3})), 1e-5);
    for (std::int64_t i = 0; i < 6; ++i) REQUIRE(std::isnan(y.value().at(i)) == (i >= 3));
    y.backward(Array::full({2, 3}, 1));
    for (std::int64_t i = 0; i < 6; ++i) REQUIRE(std::isnan(x.grad().at(i)) == (i >= 3));
  }
}

TEST_CASE("l2_normalize is correct for huge and zero vectors, without NaN if its gradient is 0") {
  for (const DType dtype : kTypes) {
    const double huge = dtype == DType::f32 ? 1e30 : 1e200;
    Tensor x = parameter({3 * huge, 4 * huge, 0, 0, kNaN, 1, 3, -4}, {4, 2}, dtype);
    const Tensor y = l2_normalize(x);
    require_same(doubles(y.value()), {0.6, 0.8, 0, 0, kNaN, kNaN, 0.6, -0.8});
    y.backward(Array::from(std::vector<double>{1, 2, 1, 2, 0, 0, 1, 2}, {4, 2}).to(dtype));
    // (dy - y (y . dy)) / |x|; 1e6 is 1 / sqrt(eps).
    require_same(doubles(x.grad()), {-0.064 / huge, 0.048 / huge, 1e6, 2e6, 0, 0, 0.32, 0.24},
                 1e-5);
  }
}

TEST_CASE("centered RMSprop stays finite when the gradient does not change") {
  for (const double gradient : {1., 1e-20, 1e-3, 0.}) {
    Tensor p = parameter({1}, {1}, DType::f32);
    RMSprop optimizer({p}, {.learning_rate = 1e-3, .alpha = 0.9, .centered = true});
    for (int step = 0; step < 400; ++step) {
      optimizer.zero_grad();
      p.backward(Array::full({1}, gradient));
      optimizer.step();
      REQUIRE(std::isfinite(p.item()));
    }
  }
}

TEST_CASE("adaptive optimizers stay finite for huge, tiny and zero gradients") {
  using Make = std::function<std::unique_ptr<Optimizer>(const Tensor&, double)>;
  const std::vector<Make> makers = {
      [](const Tensor& p, double eps) {
        return std::make_unique<Adam>(Parameters{p}, AdamOptions{.learning_rate = 0.1, .eps = eps});
      },
      [](const Tensor& p, double eps) {
        return std::make_unique<Adagrad>(Parameters{p},
                                         AdagradOptions{.learning_rate = 0.1, .eps = eps});
      },
      [](const Tensor& p, double eps) {
        return std::make_unique<RMSprop>(Parameters{p},
                                         RMSpropOptions{.learning_rate = 0.1, .eps = eps});
      }};
  for (const Make& make : makers)
    for (const double eps : {0., 1e-8})
      for (const double gradient : {0., 1e-30, -1e-40, 1e20, 1e30}) {
        INFO("eps " << eps << ", gradient " << gradient);
        Tensor p = parameter({1}, {1}, DType::f32);
        const auto optimizer = make(p, eps);
        const auto step = [&](double g) {
          optimizer->zero_grad();
          p.backward(Array::full({1}, g));
          optimizer->step();
        };
        step(gradient);
        REQUIRE(std::isfinite(p.item()));
        for (int i = 0; i < 3; ++i) step(1);
        REQUIRE(std::isfinite(p.item()));
        step(kNaN);
        REQUIRE(std::isnan(p.item()));
      }
}

TEST_CASE("clipping by norm is correct for gradients whose squares overflow or underflow") {
  struct Case {
    DType dtype;
    double size;
  };
  for (const Case& c : {Case{DType::f32, 1e20}, Case{DType::f32, 3e38}, Case{DType::f64, 1e200},
                        Case{DType::f64, 1e300}, Case{DType::f64, 1e-200}}) {
    Tensor p = parameter({0, 0}, {2}, c.dtype);
    p.backward(Array::from<double>({.6 * c.size, -.8 * c.size}, {2}).to(c.dtype));
    require_same({clip_grad_norm({p}, 1)}, {c.size});
    if (c.size > 1) require_same(doubles(p.grad()), {.6, -.8}, 1e-6);
  }
  Tensor nothing = Tensor::parameter(Array::zeros({0}));
  nothing.backward(Array::zeros({0}));
  REQUIRE(clip_grad_norm({nothing}, 1) == 0);
}
