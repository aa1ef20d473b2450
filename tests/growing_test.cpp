#include "attune/autograd/array/growing.h"

#include <set>

#include "attune/autograd/all.h"
#include "attune/autograd/array/parallel.h"
#include "catch.h"

using namespace attune;

namespace {

Array row(double value, DType dtype = DType::f32) { return Array::full({1, 3}, value, dtype); }

// Rows first, first + 1, ..., last.
std::vector<float> rows(int first, int last) {
  std::vector<float> values;
  for (int i = first; i <= last; ++i) values.insert(values.end(), 3, static_cast<float>(i));
  return values;
}

}  // namespace

TEST_CASE("an array that grows row by row moves a few times only, and keeps its values") {
  for (const DType dtype : {DType::f32, DType::f64}) {
    Array x = row(0, dtype);
    std::set<const void*> places;
    std::vector<Array> before;
    for (int i = 1; i < 200; ++i) {
      before.push_back(x);
      x = grown(x, row(i, dtype));
      places.insert(x.raw());
    }
    CHECK(x.to_vector() == rows(0, 199));
    CHECK(places.size() < 12);
    for (std::size_t i = 0; i < before.size(); ++i)
      CHECK(before[i].to_vector() == rows(0, static_cast<int>(i)));
  }
}

TEST_CASE("copies of an array grow independently, also on several threads") {
  Array x = row(0);
  for (int i = 1; i < 20; ++i) x = grown(x, row(i));
  constexpr int kCopies = 64;
  std::vector<Array> copies(kCopies, x);
  parallel_for(kCopies, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t k = first; k < last; ++k)
      for (int i = 0; i < 30; ++i) {
        Array& copy = copies[static_cast<std::size_t>(k)];
        copy = grown(copy, row(static_cast<double>(k)));
      }
  });
  for (int k = 0; k < kCopies; ++k) {
    std::vector<float> expected = rows(0, 19);
    expected.insert(expected.end(), 3 * 30, static_cast<float>(k));
    CHECK(copies[static_cast<std::size_t>(k)].to_vector() == expected);
  }
  CHECK(x.to_vector() == rows(0, 19));
}

TEST_CASE("a part of an array that grows does not overwrite what follows it") {
  Array x = row(0);
  for (int i = 1; i < 10; ++i) x = grown(x, row(i));
  const Array part = grown(x.block(2, 3), row(77));
  CHECK(x.to_vector() == rows(0, 9));
  CHECK(part.block(0, 3).to_vector() == rows(2, 4));
  CHECK(part[3].to_vector() == rows(77, 77));
  const Array end = grown(x.block(8, 2), row(10));  // its end is that of x
  CHECK(end.to_vector() == rows(8, 10));
  CHECK(x.to_vector() == rows(0, 9));
}

TEST_CASE("append() is concat(), with and without gradients") {
  const Tensor x = Tensor::parameter(Array::from({{1, 2}, {3, 4}}));
  const Tensor more = Tensor::parameter(Array::from({{5, 6}}));
  Tensor y = append(append(x, more), more);
  sum(y * y).backward();
  CHECK(x.grad().to_vector() == std::vector<float>{2, 4, 6, 8});
  CHECK(more.grad().to_vector() == std::vector<float>{20, 24});
  const NoGrad no_grad;
  Tensor z = append(append(x, more), more);
  CHECK(z.value().to_vector() == y.value().to_vector());
  // Rows that are selected from it grow without a copy, too.
  const Tensor wide = reshape(z, {4, 2, 1});
  const Tensor selected = index_select(wide, 1, {1, 0, 1});
  const Tensor longer = append(selected, selected[0].value().reshape({1, 3, 1}));
  CHECK(longer.value().shares_memory_with(selected.value()));
  CHECK(longer.value().to_vector() ==
        std::vector<float>{2, 1, 2, 4, 3, 4, 6, 5, 6, 6, 5, 6, 2, 1, 2});
}
