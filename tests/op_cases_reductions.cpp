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

// `reduce` of the blocks of x [3, 5, 7] that have one position j of axis 1: over axes 0 and 2.
Numbers over_the_outer(const Numbers& x, double (*reduce)(const Numbers&)) {
  Numbers y;
  for (std::size_t j = 0; j < 5; ++j) {
    Numbers block;
    for (std::size_t i = 0; i < 3; ++i)
      for (std::size_t k = 0; k < 7; ++k) block.push_back(x[(i * 5 + j) * 7 + k]);
    y.push_back(reduce(block));
  }
  return y;
}

double var_of(const Numbers& line) {
  const double mean = mean_of(line);
  return sum_of(each(line, [mean](double x) { return (x - mean) * (x - mean); })) /
         static_cast<double>(line.size() - 1);
}

void require(bool holds) { ATTUNE_CHECK(holds, "a reduction has another shape than expected"); }

// Several axes: in any order, kept or not; all of them; none.
void add_over_axes(std::vector<OpCase>& cases, const std::string& name,
                   Tensor (*several)(const Tensor&, const std::vector<int>&, bool),
                   double (*reduce)(const Numbers&)) {
  cases.push_back({name + " over several axes",
                   {{kSmall}},
                   {kLarge},
                   [several](const Operands& x) {
                     const Tensor kept = several(x[0], {0, 2}, true);
                     require(kept.shape() == Shape{1, x[0].size(1), 1});
                     const Tensor inner = several(x[0], {1, 2}, false);
                     require(inner.shape() == Shape{x[0].size(0)});
                     return Results{kept, several(x[0], {-1, 0}, false), inner,
                                    several(x[0], {0, 1, 2}, false)};
                   },
                   [reduce](const std::vector<Numbers>& v) {
                     const Numbers& x = v[0];
                     Numbers y = over_the_outer(x, reduce);
                     for (const double value : over_the_outer(x, reduce)) y.push_back(value);
                     for (int i = 0; i < 3; ++i)
                       y.push_back(reduce(Numbers(x.begin() + i * 35, x.begin() + (i + 1) * 35)));
                     y.push_back(reduce(x));
                     return y;
                   },
                   {{name + ": axis -1 of [3, 5, 7] is named twice; name each once", [several] {
                       several(of({3, 5, 7}), {2, -1}, false);
                     }}}});
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
  add_over_axes(cases, "sum", sum, sum_of);
  add_over_axes(cases, "mean", mean, mean_of);
  add_over_axes(cases, "max", max, max_of);
  add_over_axes(cases, "min", min, min_of);
  add_over_axes(cases, "logsumexp", logsumexp, logsumexp_of);
  add_over_axes(
      cases, "var",
      [](const Tensor& x, const std::vector<int>& axes, bool keep) { return var(x, axes, keep); },
      var_of);
  cases.back().bad_calls.push_back(
      {"var: 1 elements for each result in shape [3, 1], with a correction of 1", [] {
         var(of({3, 1}), {1});
       }});
  return cases;
}
