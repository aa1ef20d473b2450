#include <cmath>

#include "op_cases.h"

using namespace attune;

namespace {

const Shape kSmall{3, 7};
const Shape kLarge{5, 10007};  // four ranges

// A function of one operand.
OpCase unary(const std::string& name, Tensor (*op)(const Tensor&), double (*f)(double),
             Operand operand) {
  operand.shape = kSmall;
  return {name,
          {operand},
          {kLarge},
          [op](const Operands& x) { return op(x[0]); },
          [f](const std::vector<Numbers>& x) { return each(x[0], f); }};
}

// A function of two operands: once of equal shapes, and once of shapes that stretch each other.
void add_binary(std::vector<OpCase>& cases, const std::string& name,
                Tensor (*op)(const Tensor&, const Tensor&), double (*f)(double, double), double low,
                double high) {
  const auto apply = [op](const Operands& x) { return op(x[0], x[1]); };
  cases.push_back({name,
                   {{kSmall, low, high}, {kSmall, low, high}},
                   {kLarge, kLarge},
                   apply,
                   [f](const std::vector<Numbers>& x) {
                     return each_pair(kSmall, x[0], kSmall, x[1], kSmall, f);
                   },
                   {{name + ": shapes do not broadcast: [3, 4] and [3, 5] differ in axis 1 from "
                            "the end (4 and 5); sizes must be equal, or one of them 1",
                     [op] {
                       op(of({3, 4}), of({3, 5}));
                     }},
                    {name + ": dtypes differ: f32 [3] and f64 [3]; convert one with to()",
                     [op] { op(of({3}), of({3}, DType::f64)); }}}});
  const Shape a{3, 1, 5}, b{4, 1};
  cases.push_back({name + " with broadcasting",
                   {{a, low, high}, {b, low, high}},
                   {{3, 1, 1009}, {77, 1}},
                   apply,
                   [=](const std::vector<Numbers>& x) {
                     return each_pair(a, x[0], b, x[1], {3, 4, 5}, f);
                   }});
}

double normal_distribution(double x) { return (1 + std::erf(x / std::sqrt(2.0))) / 2; }

}  // namespace

std::vector<OpCase> arithmetic_cases() {
  std::vector<OpCase> cases;
  add_binary(
      cases, "add", [](const Tensor& a, const Tensor& b) { return a + b; },
      [](double a, double b) { return a + b; }, -1, 1);
  add_binary(
      cases, "subtract", [](const Tensor& a, const Tensor& b) { return a - b; },
      [](double a, double b) { return a - b; }, -1, 1);
  add_binary(
      cases, "multiply", [](const Tensor& a, const Tensor& b) { return a * b; },
      [](double a, double b) { return a * b; }, -1, 1);
  add_binary(
      cases, "divide", [](const Tensor& a, const Tensor& b) { return a / b; },
      [](double a, double b) { return a / b; }, 0.5, 2);
  add_binary(
      cases, "minimum", [](const Tensor& a, const Tensor& b) { return minimum(a, b); },
      [](double a, double b) { return a < b ? a : b; }, -1, 1);
  add_binary(
      cases, "maximum", [](const Tensor& a, const Tensor& b) { return maximum(a, b); },
      [](double a, double b) { return a > b ? a : b; }, -1, 1);

  cases.push_back({"arithmetic with numbers",
                   {{kSmall, 0.5, 2}},
                   {kLarge},
                   [](const Operands& v) {
                     const Tensor& x = v[0];
                     return Results{x + 3, 3 + x, x - 3, 3 - x, x * 3, 3 * x, x / 3, 3 / x};
                   },
                   [](const std::vector<Numbers>& v) {
                     Numbers y;
                     for (double x : v[0]) y.push_back(x + 3);
                     for (double x : v[0]) y.push_back(3 + x);
                     for (double x : v[0]) y.push_back(x - 3);
                     for (double x : v[0]) y.push_back(3 - x);
                     for (double x : v[0]) y.push_back(x * 3);
                     for (double x : v[0]) y.push_back(3 * x);
                     for (double x : v[0]) y.push_back(x / 3);
                     for (double x : v[0]) y.push_back(3 / x);
                     return y;
                   }});
  cases.push_back(unary(
      "negate", [](const Tensor& x) { return -x; }, [](double x) { return -x; }, {}));
  cases.push_back(unary("exp", exp, std::exp, {{}, -3, 3}));
  cases.push_back(unary("log", log, std::log, {{}, 0.2, 3}));
  cases.push_back(unary("sqrt", sqrt, std::sqrt, {{}, 0.2, 3}));
  cases.push_back(unary("square", square, [](double x) { return x * x; }, {{}, -2, 2}));
  cases.push_back(unary("abs", abs, std::fabs, {{}, -2, 2, 0}));
  cases.push_back(unary(
      "pow with an exponent of 1.7", [](const Tensor& x) { return pow(x, 1.7); },
      [](double x) { return std::pow(x, 1.7); }, {{}, 0.2, 3}));
  cases.push_back(unary(
      "pow with an exponent of -3", [](const Tensor& x) { return pow(x, -3); },
      [](double x) { return 1 / (x * x * x); }, {{}, 0.5, 2}));
  OpCase clamp_case = unary(
      "clamp", [](const Tensor& x) { return clamp(x, -10, 0.5); },
      [](double x) { return x < 0.5 ? x : 0.5; }, {{}, -2, 2, 0.5});
  clamp_case.bad_calls = {
      {"clamp: low 2 is above high 1; swap them", [] { clamp(of({3}), 2, 1); }}};
  cases.push_back(clamp_case);

  cases.push_back(unary(
      "minimum with a number", [](const Tensor& x) { return minimum(x, 0.5); },
      [](double x) { return x < 0.5 ? x : 0.5; }, {{}, -2, 2, 0.5}));
  cases.push_back(unary(
      "maximum with a number", [](const Tensor& x) { return maximum(x, 0.5); },
      [](double x) { return x > 0.5 ? x : 0.5; }, {{}, -2, 2, 0.5}));

  // The condition is 1 in the first of two columns, and all three are stretched.
  const auto condition = [](DType dtype) { return Array::from<float>({1, 0}, {1, 2}).to(dtype); };
  cases.push_back({"where",
                   {{{3, 1}}, {{5, 1, 2}}},
                   {{301, 1}, {71, 1, 2}},
                   [=](const Operands& x) { return where(condition(x[0].dtype()), x[0], x[1]); },
                   [](const std::vector<Numbers>& x) {
                     Numbers y;
                     for (std::size_t i = 0; i < 5; ++i)
                       for (std::size_t j = 0; j < 3; ++j)
                         for (std::size_t k = 0; k < 2; ++k)
                           y.push_back(k == 0 ? x[0][j] : x[1][i * 2 + k]);
                     return y;
                   },
                   {{"where: shapes do not broadcast: [2] and [3]",
                     [] { where(of({2}).value(), of({3}), of({3})); }},
                    {"where: dtypes differ: f32 [2] and f64 [2]; convert one with to()",
                     [] { where(of({2}).value(), of({2}), of({2}, DType::f64)); }}}});
  cases.push_back(
      {"where with numbers, and masked_fill",
       {{{3, 7}, -1, 1, 0.1}},
       {{301, 171}},
       [](const Operands& x) {
         const Tensor high = x[0] > 0.1;
         return Results{where(high, x[0], 3), where(high, 3, x[0]), masked_fill(x[0], high, -5)};
       },
       [](const std::vector<Numbers>& v) {
         Numbers y;
         for (const double x : v[0]) y.push_back(x > 0.1 ? x : 3);
         for (const double x : v[0]) y.push_back(x > 0.1 ? 3 : x);
         for (const double x : v[0]) y.push_back(x > 0.1 ? -5 : x);
         return y;
       },
       {{"masked_fill: the mask [2, 3] does not broadcast to x [3]",
         [] {
           masked_fill(of({3}), of({2, 3}) > 0, 1);
         }},
        {"masked_fill: f32 [3] holds no booleans; compare it first",
         [] { masked_fill(of({3}), of({3}), 1); }}}});
  return cases;
}

std::vector<OpCase> activation_cases() {
  return {
      unary("tanh", tanh, std::tanh, {{}, -3, 3}),
      unary("sigmoid", sigmoid, [](double x) { return 1 / (1 + std::exp(-x)); }, {{}, -4, 4}),
      unary("relu", relu, [](double x) { return x > 0 ? x : 0; }, {{}, -2, 2, 0}),
      unary(
          "leaky_relu", [](const Tensor& x) { return leaky_relu(x, 0.3); },
          [](double x) { return x > 0 ? x : 0.3 * x; }, {{}, -2, 2, 0}),
      unary("elu", elu, [](double x) { return x > 0 ? x : std::expm1(x); }, {{}, -4, 4, 0}),
      unary("gelu", gelu, [](double x) { return x * normal_distribution(x); }, {{}, -4, 4}),
      unary("silu", silu, [](double x) { return x / (1 + std::exp(-x)); }, {{}, -4, 4}),
      unary("softplus", softplus, [](double x) { return std::log(1 + std::exp(x)); }, {{}, -4, 4}),
  };
}
