#include "attune/search/metrics.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "attune/autograd/array/error.h"
#include "catch.h"

using namespace attune;

namespace {

using Ids = std::vector<int>;

// The definition, without its table.
int slow_distance(const Ids& a, const Ids& b, std::size_t i, std::size_t j) {
  if (i == a.size()) return static_cast<int>(b.size() - j);
  if (j == b.size()) return static_cast<int>(a.size() - i);
  if (a[i] == b[j]) return slow_distance(a, b, i + 1, j + 1);
  return 1 + std::min({slow_distance(a, b, i + 1, j), slow_distance(a, b, i, j + 1),
                       slow_distance(a, b, i + 1, j + 1)});
}

}  // namespace

TEST_CASE("the edit distance counts insertions, deletions and replacements") {
  CHECK(edit_distance(Ids{}, Ids{}) == 0);
  CHECK(edit_distance(Ids{1, 2, 3}, Ids{1, 2, 3}) == 0);
  CHECK(edit_distance(Ids{}, Ids{1, 2}) == 2);
  CHECK(edit_distance(Ids{1, 2}, Ids{}) == 2);
  CHECK(edit_distance(Ids{1, 2, 3}, Ids{1, 9, 3}) == 1);
  CHECK(edit_distance(Ids{1, 2, 3}, Ids{2, 3, 4}) == 2);
  CHECK(edit_distance(Ids{11, 9, 20, 20, 5, 14}, Ids{19, 9, 20, 20, 9, 14, 7}) == 3);  // kitten
}

TEST_CASE("the edit distance of all short sequences equals its definition") {
  std::vector<Ids> all = {{}};
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].size() == 4) continue;
    for (const int token : {1, 2}) {
      all.push_back(all[i]);
      all.back().push_back(token);
    }
  }
  REQUIRE(all.size() == 31);
  for (const Ids& a : all) {
    for (const Ids& b : all) REQUIRE(edit_distance(a, b) == slow_distance(a, b, 0, 0));
  }
}

TEST_CASE("accuracies are fractions of sequences and tokens, the error rate is edits per token") {
  Scores scores;
  scores.add(Ids{1, 2, 3}, Ids{1, 2, 3});
  scores.add(Ids{1, 2}, Ids{1, 2, 3});        // one deletion
  scores.add(Ids{9, 1, 2, 3}, Ids{1, 2, 3});  // one insertion shifts every token
  scores.add(Ids{}, Ids{4});
  CHECK(scores.sequences() == 4);
  CHECK(scores.sequence_accuracy() == Approx(0.25));
  CHECK(scores.token_accuracy() == Approx(5.0 / 10));
  CHECK(scores.token_error_rate() == Approx(3.0 / 10));
}

TEST_CASE("the token error rate can exceed one") {
  Scores scores;
  scores.add(Ids{5, 6, 7}, Ids{1});
  CHECK(scores.token_error_rate() == Approx(3.0));
  CHECK(scores.token_accuracy() == 0);
}

TEST_CASE("a prediction is scored against the closest of several references") {
  const std::vector<Ids> references = {{1, 2, 3, 4}, {5, 6}, {5, 7, 6}};
  Scores scores;
  scores.add(Ids{5, 6}, references);
  CHECK(scores.sequence_accuracy() == 1);
  CHECK(scores.token_error_rate() == 0);
  scores.add(Ids{5, 7}, references);  // one edit from the second and the third: the second counts
  CHECK(scores.sequences() == 2);
  CHECK(scores.sequence_accuracy() == Approx(0.5));
  CHECK(scores.token_accuracy() == Approx(3.0 / 4));
  CHECK(scores.token_error_rate() == Approx(1.0 / 4));
  CHECK_THROWS_AS(scores.add(Ids{1}, std::vector<Ids>{}), Error);
}

TEST_CASE("closest() returns the first reference with the smallest edit distance") {
  const std::vector<Ids> references = {{1, 2, 3, 4}, {5, 6}, {5, 7, 6}};
  CHECK(closest(Ids{5, 7}, references) == 1);
  CHECK(closest(Ids{1, 2, 3}, references) == 0);
  CHECK_THROWS_AS(closest(Ids{1}, std::vector<Ids>{}), Error);
}

TEST_CASE("scores of nothing are zero") {
  const Scores scores;
  CHECK(scores.sequences() == 0);
  CHECK(scores.sequence_accuracy() == 0);
  CHECK(scores.token_accuracy() == 0);
  CHECK(scores.token_error_rate() == 0);
}
