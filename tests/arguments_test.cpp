#include "attune/autograd/array/arguments.h"

#include "attune/layers/attention/attention_score.h"
#include "attune/layers/attention/normalizer.h"
#include "catch.h"

using namespace attune;

TEST_CASE("arguments are read with their defaults", "[family]") {
  const Arguments given("member 'm'", "size=3,rate=0.5,name=abc,sizes=4x5,on=true");
  CHECK(given.whole("size", 1) == 3);
  CHECK(given.number("rate", 1, {.from = 0, .to = 1}) == 0.5);
  CHECK(given.text("name", "x") == "abc");
  CHECK(given.sizes("sizes", {1}) == std::vector<std::int64_t>{4, 5});
  CHECK(given.flag("on", false));
  given.check_all_read();
  const Arguments none;
  CHECK(none.whole("size", 7) == 7);
  CHECK(none.number("rate", 1, {}) == 1);
  CHECK(none.sizes("sizes", {2, 3}) == std::vector<std::int64_t>{2, 3});
  CHECK_FALSE(none.flag("on", false));
  none.check_all_read();
}

TEST_CASE("an argument that is wrong is an error that names the member and the option",
          "[family]") {
  const auto given = [](const char* text) { return Arguments("member 'm'", text); };
  CHECK_THROWS_WITH(given("size"), contains("member 'm': 'size' is not an option; expected NAME="));
  CHECK_THROWS_WITH(given("=3"), contains("'=3' is not an option"));
  CHECK_THROWS_WITH(given("a=1,a=2"), contains("member 'm': a is given twice"));
  CHECK_THROWS_WITH(given("size=x").whole("size", 1),
                    contains("member 'm': size is 'x'; expected a whole number from 1"));
  CHECK_THROWS_WITH(given("size=0").whole("size", 1), contains("expected a whole number from 1"));
  CHECK_THROWS_WITH(given("a=1").number("a", 2, {.above = 1}),
                    contains("a is '1'; expected a number above 1"));
  CHECK_THROWS_WITH(given("a=2").number("a", 1, {.from = 0, .to = 1}),
                    contains("expected a number from 0 up to 1"));
  CHECK_THROWS_WITH(given("s=3x").sizes("s", {}), contains("x between them"));
  CHECK_THROWS_WITH(given("s=x3").sizes("s", {}), contains("x between them"));
  CHECK_THROWS_WITH(given("on=yes").flag("on", true), contains("expected true or false"));
}

TEST_CASE("an option that a member does not have is an error", "[family]") {
  const Arguments given("member 'm'", "rat=1");
  CHECK_THROWS_WITH(given.check_all_read(),
                    contains("member 'm': rat=1 is given, but it has no options"));
  given.whole("rate", 1);
  CHECK_THROWS_WITH(given.check_all_read(), contains("it has no option 'rat'; known are rate"));
  CHECK_THROWS_WITH(make_normalizer("softmax:alpha=2"),
                    contains("normalizer 'softmax': alpha=2 is given, but it has no options"));
  CHECK_THROWS_WITH(make_score("cosines:x=1", {}), contains("'cosines' is unknown"));
}
