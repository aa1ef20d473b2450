#include "attune/autograd/array/family.h"

#include "attune/autograd/array/error.h"
#include "catch.h"

using namespace attune;

namespace {

int twice(int x) { return 2 * x; }
int square_of(int x) { return x * x; }

Family<int (*)(int)> family() {
  return {"function", {{"twice", "2 x", "", twice}, {"square", "x^2", "Euclid", square_of}}};
}

}  // namespace

TEST_CASE("a family gives its members by name, in the order of its table") {
  const auto functions = family();
  CHECK(functions.names() == std::vector<std::string>{"twice", "square"});
  CHECK(functions.at("square").make(3) == 9);
  CHECK(functions.at("square").source == "Euclid");
}

TEST_CASE("a family lists the names that it knows when asked for another") {
  CHECK_THROWS_WITH(family().at("cube"), "function: 'cube' is unknown; known are twice, square");
}

TEST_CASE("a program adds a member of its own to a family, under a name that is free") {
  auto functions = family();
  const auto& first = functions.at("twice");
  functions.add({"cube", "x^3", "", [](int x) { return x * x * x; }});
  CHECK(functions.at("cube").make(2) == 8);
  CHECK(&first == &functions.at("twice"));
  CHECK_THROWS_WITH(functions.add({"cube", "", "", twice}), "function: the name 'cube' is taken");
  CHECK_THROWS_AS(functions.add({"", "", "", twice}), Error);
}
