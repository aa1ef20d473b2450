#include "attune/data/rare_tokens.h"

#include <vector>

#include "attune/data/vocabulary.h"
#include "catch.h"

using namespace attune;

TEST_CASE("rare tokens are read as unknown with probability alpha / (alpha + n)") {
  // Tokens 4, 5 and 6 occur 1, 3 and 1000 times.
  const RareTokens rare({0, 0, 0, 0, 1, 3, 1000}, 0.5);
  constexpr int kDraws = 20000;
  std::vector<std::int32_t> ids;
  for (int i = 0; i < kDraws; ++i)
    for (const int id : {0, 1, 2, 3, 4, 5, 6}) ids.push_back(id);
  Generator random(1);
  const Indices replaced = rare.replace(Indices(ids, {kDraws, 7}), random);
  std::vector<double> share(7);
  for (std::int64_t i = 0; i < replaced.elements(); ++i) {
    const auto id = static_cast<std::size_t>(i % 7);
    if (replaced.at(i) == static_cast<int>(id)) continue;
    REQUIRE(replaced.at(i) == Vocabulary::unknown);
    share[id] += 1.0 / kDraws;
  }
  CHECK(share[0] == 0);  // padding and the other special tokens stay
  CHECK(share[2] == 0);
  CHECK(share[4] == Approx(0.5 / 1.5).margin(0.015));
  CHECK(share[5] == Approx(0.5 / 3.5).margin(0.015));
  CHECK(share[6] == Approx(0.5 / 1000.5).margin(0.001));
}

TEST_CASE("the replacement of rare tokens depends on the generator only") {
  const RareTokens rare({0, 0, 0, 0, 1, 1, 1}, 1);
  const Indices ids = {4, 5, 6, 4, 5, 6, 4, 5, 6};
  Generator one(7), same(7);
  CHECK(rare.replace(ids, one).to_vector() == rare.replace(ids, same).to_vector());
}

TEST_CASE("rare tokens of models that copy are still copied") {
  // Seven source tokens; 4 is target token 5, 5 is none, and 6 is target token 4.
  const RareTokens rare({0, 0, 0, 0, 1, 1, 1}, 1e9, {0, 1, 2, 3, 5, 3, 4});
  Generator random(1);
  CHECK(rare.replace({4, 5, 6, 3, 0, 9, 12}, random).to_vector() ==
        std::vector<std::int32_t>{7 + 5, 5, 7 + 4, 3, 0, 9, 12});
}

TEST_CASE("rare tokens need a positive alpha, and a count of each id") {
  CHECK_THROWS_WITH(RareTokens({}, 0), contains("alpha 0"));
  Generator random(1);
  CHECK_THROWS_WITH(RareTokens({0, 0, 0, 0, 1}, 1).replace({5}, random), contains("index 5"));
}
