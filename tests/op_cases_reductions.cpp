#include <algorithm>
#include <cmath>

#include "op_cases.h"

using namespace attune;

namespace {

const Shape kSmall{3, 5, 7};
const Shape kLarge{13, 67, 131};  // seven ranges

double sum_of(const Numbers& line) {
  double total = 0;
  for (const double v : line) total += v;
  return total;
}
double mean_of(const Numbers& line) { return sum_of(line) / static_cast<double>(line.size()); }
double max_of(const Numbers& line) { return *std::max_element(line.begin(), line.end()); }
double min_of(const Numbers& line) { return *std::min_element(line.begin(), line.end()); }
double logsumexp_of(const Numbers& line) {
  return std::log(sum_of(each(line, [](double x) { return std::exp(x); })));
}

// `reduce` of every line of x [3, 5, 7] along an axis.
Numbers along(const Numbers& x, int axis, double (*reduce)(const Numbers&)) {
  const auto n = static_cast<std::size_t>(kSmall[axis]);
  const auto inner = static_cast<std::size_t>(kSmall.elements(axis + 1, 3));
  Numbers y;
  for (std::size_t outer = 0; outer < x.size() / n / inner; ++outer)
    for (std::size_t j = 0; j < inner; ++j) {
      Numbers line;
      for (std::size_t i = 0; i < n; ++i) line.push_back(x[(outer * n + i) * inner + j]);
      y.push_back(reduce(line));
    }
  return y;
}

void add_reduction(std::vector<OpCase>& cases, const std::string& name,
                   Tensor (*all)(const Tensor&), Tensor (*one)(const Tensor&, int, bool),
                   double (*reduce)(const Numbers&)) {
  cases.push_back({name + " of all elements",
                   {{kSmall}},
                   {kLarge},
                   [all](const Operands& x) { return all(x[0]); },
                   [reduce](const std::vector<Numbers>& x) { return Numbers{reduce(x[0])}; }});
  cases.push_back({name + " over each axis",
                   {{kSmall}},
                   {kLarge},
                   [one](const Operands& x) {
                     return Results{one(x[0], 0, false), one(x[0], -2, true), one(x[0], 2, false)};
                   },
                   [reduce](const std::vector<Numbers>& x) {
                     Numbers y;
                     for (int axis = 0; axis < 3; ++axis)
                       for (const double v : along(x[0], axis, reduce)) y.push_back(v);
                     return y;
                   },
                   {{name + ": axis 3 is outside a tensor of shape [3, 5, 7]; use -3 to 2", [one] {
                       one(of({3, 5, 7}), 3, false);
                     }}}});
  if (name != "sum") {
    cases.back().bad_calls.push_back(
        {name + ": nothing to reduce in shape [3, 0]; the axis must not be empty", [one] {
           one(of({3, 0}), 1, false);
         }});
  }
}

}  // namespace

std::vector<OpCase> reduction_cases() {
  std::vector<OpCase> cases;
  add_reduction(cases, "sum", sum, sum, sum_of);
  add_reduction(cases, "mean", mean, mean, mean_of);
  add_reduction(cases, "max", max, max, max_of);
  add_reduction(cases, "min", min, min, min_of);
  add_reduction(cases, "logsumexp", logsumexp, logsumexp, logsumexp_of);
  return cases;
}
