#include <limits>
#include <sstream>

#include "attune/autograd/all.h"
#include "catch.h"

using namespace attune;

TEST_CASE("arrays are printed as NumPy prints them") {
  CHECK(to_string(Array::from({1, 2, 3})) == "[1. 2. 3.]");
  CHECK(to_string(Array::from({{1, 2.5}, {-3, 4}})) == "[[ 1.   2.5]\n [-3.   4. ]]");
  CHECK(to_string(Array::from({{{1}, {2}}, {{3}, {4}}})) == "[[[1.]\n  [2.]]\n\n [[3.]\n  [4.]]]");
  CHECK(to_string(Array::from({{1, 0}, {0, 0}}, DType::boolean)) ==
        "[[ True False]\n [False False]]");
  CHECK(to_string(Array::from(0.5)) == "0.5");
  CHECK(to_string(Array::from({1.0 / 3, 2})) == "[0.3333 2.    ]");
  CHECK(to_string(Array({0})) == "[]");
  CHECK(to_string(Array()) == "(not defined)");
}

TEST_CASE("numbers of very different magnitudes are printed with exponents") {
  CHECK(to_string(Array::from({1e-7, 1})) == "[1.e-07 1.e+00]");
  CHECK(to_string(Array::from({1.5e10, -2})) == "[ 1.5e+10 -2.0e+00]");
  const double infinity = std::numeric_limits<double>::infinity();
  CHECK(to_string(Array::from({infinity, -infinity, 1.5, std::nan("")})) ==
        "[ inf -inf  1.5  nan]");
}

TEST_CASE("large arrays are printed without their middle") {
  Array x({2000});
  for (std::int64_t i = 0; i < 2000; ++i) x.set(i, static_cast<double>(i));
  CHECK(to_string(x) == "[   0.    1.    2. ... 1997. 1998. 1999.]");
  CHECK(to_string(x.reshape({1000, 2}), {.edge_items = 1}) ==
        "[[   0.    1.]\n ...\n [1998. 1999.]]");
  CHECK(to_string(Array::zeros({40})).find('\n') <= 76);
  CHECK(to_string(Array::from({0.12345}), {.precision = 2}) == "[0.12]");
}

TEST_CASE("fmt and streams print tensors") {
  const Tensor x = Array::from({1, 2});
  CHECK(fmt::format("{} {}", x, x.value()) == "[1. 2.] [1. 2.]");
  std::ostringstream stream;
  stream << x << x.value();
  CHECK(stream.str() == "[1. 2.][1. 2.]");
}
