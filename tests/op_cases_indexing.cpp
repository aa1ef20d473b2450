#include <algorithm>
#include <cmath>

#include "op_cases.h"

using namespace attune;

namespace {

const Shape kSmall{3, 5, 7};
const Shape kLarge{13, 67, 131};

// The lines of x [3, 5, 7] along an axis, each changed by `change`, in an array of the same rank
// whose axis is as long as the lines are then.
Numbers each_line(const Numbers& x, int axis,
                  const std::function<Numbers(const Numbers&)>& change) {
  const auto n = static_cast<std::size_t>(kSmall[axis]);
  const auto inner = static_cast<std::size_t>(kSmall.elements(axis + 1, 3));
  Numbers y;
  for (std::size_t outer = 0; outer < x.size() / n / inner; ++outer) {
    std::vector<Numbers> lines;
    for (std::size_t j = 0; j < inner; ++j) {
      Numbers line;
      for (std::size_t i = 0; i < n; ++i) line.push_back(x[(outer * n + i) * inner + j]);
      lines.push_back(change(line));
    }
    for (std::size_t i = 0; i < lines[0].size(); ++i)
      for (const Numbers& line : lines) y.push_back(line[i]);
  }
  return y;
}

Numbers joined(std::initializer_list<Numbers> parts) {
  Numbers all;
  for (const Numbers& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

// x[start:stop:step] as Python's lists have it, for ends that are on the line.
Numbers every(const Numbers& line, int start, int stop, int step) {
  Numbers y;
  for (int i = start; step > 0 ? i < stop : i > stop; i += step)
    y.push_back(line[static_cast<std::size_t>(i)]);
  return y;
}

OpCase slices() {
  return {"slice with steps, and flip",
          {{kSmall}},
          {kLarge},
          [](const Operands& x) {
            return Results{slice(x[0], 0, 0, 3, 2),
                           slice(x[0], -1, -2, -6, -2),
                           slice(x[0], 1, 1, kEnd, 3),
                           slice(x[0], 1, kEnd, kEnd, -1),
                           flip(x[0], 2),
                           slice(x[0], 2, 1, -1)};
          },
          [](const std::vector<Numbers>& v) {
            const auto line = [&](int axis, int start, int stop, int step) {
              return each_line(v[0], axis,
                               [=](const Numbers& x) { return every(x, start, stop, step); });
            };
            return joined({line(0, 0, 3, 2), line(2, 5, 1, -2), line(1, 1, 5, 3),
                           line(1, 4, -1, -1), line(2, 6, -1, -1), line(2, 1, 6, 1)});
          },
          {{"slice: the step is 0; use 1 for a range, -1 to go backwards",
            [] { slice(of({3}), 0, 0, 3, 0); }},
           {"slice: axis 1 is outside a tensor of shape [3]", [] { slice(of({3}), 1, 0, 3, 2); }}}};
}

OpCase shapes() {
  return {"squeeze, unsqueeze and expand",
          {{{3, 1, 5}}},
          {{301, 1, 101}},
          [](const Operands& x) {
            const Tensor y = unsqueeze(squeeze(x[0], 1), -1);
            return Results{y, squeeze(y), expand(x[0], {-1, 2, -1})};
          },
          [](const std::vector<Numbers>& x) {
            Numbers stretched;
            for (std::size_t i = 0; i < 3; ++i)
              for (int j = 0; j < 2; ++j)
                for (std::size_t k = 0; k < 5; ++k) stretched.push_back(x[0][i * 5 + k]);
            return joined({x[0], x[0], stretched});
          },
          {{"squeeze: axis 0 of [3, 1] has size 3; only axes of size 1 can be removed",
            [] {
              squeeze(of({3, 1}), 0);
            }},
           {"unsqueeze: axis 3 is outside a tensor of shape [1, 3]", [] { unsqueeze(of({3}), 3); }},
           {"expand: [3] to [-1, 3]: axis 0 is new and needs a size", [] {
              expand(of({3}), {-1, 3});
            }}}};
}

// Positions that come several times, some of them counted from the end.
Indices positions(const Shape& shape, std::int64_t n) {
  std::vector<std::int32_t> values = ids(shape, n).to_vector();
  for (std::size_t i = 0; i < values.size(); i += 3) values[i] -= static_cast<std::int32_t>(n);
  return Indices(values, shape);
}

Shape with_axis(Shape shape, int axis, std::int64_t size) {
  shape[axis] = size;
  return shape;
}

// body(flat position in the index, that in x) for the small shape and axis 1.
void each_position(const std::function<void(std::size_t, std::size_t)>& body) {
  const Indices index = positions({3, 9, 7}, 5);
  for (std::size_t i = 0; i < 3 * 9 * 7; ++i) {
    const auto at = static_cast<std::size_t>((index.at(static_cast<std::int64_t>(i)) + 5) % 5);
    body(i, (i / 63 * 5 + at) * 7 + i % 7);
  }
}

std::vector<OpCase> positions_along_an_axis() {
  const auto index = [](const Tensor& x) {
    return positions(with_axis(x.shape(), 1, 9), x.size(1));
  };
  return {{"take_along_axis",
           {{kSmall}},
           {kLarge},
           [=](const Operands& x) { return take_along_axis(x[0], index(x[0]), -2); },
           [](const std::vector<Numbers>& x) {
             Numbers y;
             each_position([&](std::size_t, std::size_t at) { y.push_back(x[0][at]); });
             return y;
           },
           {{"take_along_axis: index [2, 4] does not fit x [3, 4]; all axes but axis 1 must be "
             "equal",
             [] {
               take_along_axis(of({3, 4}), ids({2, 4}, 4), 1);
             }},
            {"take_along_axis: index 4 at position 1 is outside axis 0 of [4]; use -4 to 3",
             [] {
               take_along_axis(of({4}), {0, 4}, 0);
             }},
            {"take_along_axis: index -5 at position 0 is outside axis 0 of [4]",
             [] { take_along_axis(of({4}), {-5}, 0); }}}},
          {"scatter_add",
           {{kSmall}, {{3, 9, 7}}},
           {kLarge, {13, 9, 131}},
           [=](const Operands& x) { return scatter_add(x[0], 1, index(x[0]), x[1]); },
           [](const std::vector<Numbers>& x) {
             Numbers y = x[0];
             each_position([&](std::size_t i, std::size_t at) { y[at] += x[1][i]; });
             return y;
           },
           {{"scatter_add: source f32 [3] needs the index's shape [2] and x's dtype f32", [] {
               scatter_add(of({4}), 0, {0, 1}, of({3}));
             }}}}};
}

std::vector<OpCase> orders() {
  const auto ordered = [](Numbers x, bool descending) {
    std::sort(x.begin(), x.end());
    if (descending) std::reverse(x.begin(), x.end());
    return x;
  };
  return {{"sort",
           {{kSmall}},
           {kLarge},
           [](const Operands& x) {
             return Results{sort(x[0]).values, sort(x[0], 1, true).values, sort(x[0], 0).values};
           },
           [=](const std::vector<Numbers>& x) {
             const auto along = [&](int axis, bool descending) {
               return each_line(x[0], axis,
                                [=](const Numbers& line) { return ordered(line, descending); });
             };
             return joined({along(2, false), along(1, true), along(0, false)});
           },
           {{"sort: axis 1 is outside a tensor of shape [3]", [] { sort(of({3}), 1); }}}},
          {"topk",
           {{kSmall}},
           {kLarge},
           [](const Operands& x) {
             return Results{topk(x[0], 3).values, topk(x[0], 2, 1, false).values};
           },
           [=](const std::vector<Numbers>& x) {
             const auto along = [&](int axis, bool largest, int k) {
               return each_line(x[0], axis, [=](const Numbers& line) {
                 Numbers all = ordered(line, largest);
                 return Numbers(all.begin(), all.begin() + k);
               });
             };
             return joined({along(2, true, 3), along(1, false, 2)});
           },
           {{"topk: k is 4, but axis 0 of [3, 2] has 3 elements",
             [] {
               topk(of({3, 2}), 4, 0);
             }}}},
          {"cumsum",
           {{kSmall}},
           {kLarge},
           [](const Operands& x) {
             return Results{cumsum(x[0], 0), cumsum(x[0], 1), cumsum(x[0], -1)};
           },
           [](const std::vector<Numbers>& x) {
             const auto along = [&](int axis) {
               return each_line(x[0], axis, [](Numbers line) {
                 for (std::size_t i = 1; i < line.size(); ++i) line[i] += line[i - 1];
                 return line;
               });
             };
             return joined({along(0), along(1), along(2)});
           }},
          {"logcumsumexp",
           {{kSmall}},
           {kLarge},
           [](const Operands& x) {
             return Results{logcumsumexp(x[0], 0), logcumsumexp(x[0], 1), logcumsumexp(x[0], -1)};
           },
           [](const std::vector<Numbers>& x) {
             const auto along = [&](int axis) {
               return each_line(x[0], axis, [](const Numbers& line) {
                 Numbers sums;
                 double sum = 0;
                 for (const double v : line) sums.push_back(std::log(sum += std::exp(v)));
                 return sums;
               });
             };
             return joined({along(0), along(1), along(2)});
           },
           {{"logcumsumexp: axis 1 is outside a tensor of shape [3]",
             [] { logcumsumexp(of({3}), 1); }}}}};
}

}  // namespace

std::vector<OpCase> indexing_cases() {
  std::vector<OpCase> cases = {slices(), shapes()};
  for (const OpCase& row : positions_along_an_axis()) cases.push_back(row);
  for (const OpCase& row : orders()) cases.push_back(row);
  return cases;
}
