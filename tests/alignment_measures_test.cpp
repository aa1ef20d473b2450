#include "attune/alignment/measures.h"

#include <cmath>
#include <vector>

#include "attune/alignment/alignment.h"
#include "attune/autograd/array/error.h"
#include "catch.h"
#include "temporary_folder.h"

using namespace attune;

namespace {

using Positions = std::vector<int>;
using Links = std::vector<Link>;
using Weights = std::vector<float>;

}  // namespace

TEST_CASE("error rate, precision and recall of an alignment follow Och and Ney") {
  // A = {0-0, 1-1, 1-2}, S = {0-0, 2-1}, P = S and {1-2, 0-2, 3-4}: one link of A is in S, two are
  // in P.
  const ReferenceAlignment reference = parse_moses("0-0 2-1 1p2 0p2 3p4");
  AlignmentScores scores;
  CHECK(scores.empty());
  scores.add(Positions{0, 1, 1, kNowhere}, reference, 5);
  CHECK_FALSE(scores.empty());
  CHECK(scores.precision() == Approx(2.0 / 3));
  CHECK(scores.recall() == Approx(1.0 / 2));
  CHECK(scores.error_rate() == Approx(1 - (1.0 + 2.0) / (3 + 2)));
  // Right are token 0, token 2 with a possible link, and token 3, which has none.
  CHECK(scores.accuracy() == Approx(3.0 / 5));
}

TEST_CASE("a token of an alignment may have several links, as those of two directions joined") {
  // A = {0-0, 1-0, 1-2, 3-3}: one link in S = {0-0, 2-1}, two more in P.
  AlignmentScores scores;
  scores.add(Links{{0, 0}, {1, 0}, {1, 2}, {3, 3}}, parse_moses("0-0 2-1 1p2 1p0"));
  CHECK(scores.precision() == Approx(3.0 / 4));
  CHECK(scores.recall() == Approx(1.0 / 2));
  CHECK(scores.error_rate() == Approx(1 - (1.0 + 3.0) / (4 + 2)));
  CHECK(scores.accuracy() == 0);
}

TEST_CASE("counts of several alignments are added up before they are divided") {
  AlignmentScores scores;
  scores.add(Positions{2, 1, 0, 0}, reference_of(Positions{2, 1, 0}), 3);  // one position too many
  CHECK(scores.accuracy() == 1);
  CHECK(scores.error_rate() == 0);
  scores.add(Positions{0, 1}, reference_of(Positions{1, 1, 0}), 3);  // one wrong, one missing
  CHECK(scores.accuracy() == Approx(4.0 / 6));
  CHECK(scores.precision() == Approx(4.0 / 5));
  CHECK(scores.recall() == Approx(4.0 / 6));
  CHECK(scores.error_rate() == Approx(1 - 8.0 / 11));
}

TEST_CASE("measures of alignments without any link are those of no errors") {
  AlignmentScores scores;
  CHECK(scores.accuracy() == 0);
  scores.add(Positions{kNowhere, kNowhere}, {}, 2);
  CHECK(scores.accuracy() == 1);
  CHECK(scores.precision() == 1);
  CHECK(scores.recall() == 1);
  CHECK(scores.error_rate() == 0);
}

TEST_CASE("a reference of true positions has sure links, and possible ones of equal tokens") {
  CHECK(reference_of(Positions{2, kNowhere, 0}).sure == Links{{2, 0}, {0, 2}});
  const ReferenceAlignment sorted = reference_of(Positions{1, 0, 2}, Positions{5, 4, 5});
  CHECK(sorted.sure == Links{{1, 0}});
  CHECK(sorted.possible == Links{{0, 1}, {2, 1}, {0, 2}, {2, 2}});
  AlignmentScores scores;
  scores.add(Positions{1, 2, 1}, sorted, 3);
  CHECK(scores.accuracy() == Approx(2.0 / 3));
  CHECK(scores.error_rate() == Approx(1 - (1.0 + 2.0) / (3 + 1)));
  CHECK_THROWS_WITH(reference_of(Positions{3}, Positions{5, 4, 5}), contains("position 3"));
}

TEST_CASE("entropy, distance from the diagonal and zeros of weights") {
  WeightStatistics statistics;
  CHECK(statistics.empty());
  CHECK(statistics.entropy() == 0);
  // At half of the target, half of the weight is at half of the source and half at its end.
  statistics.add(Weights{0.5f, 0.5f, 0, 1}, 2);
  CHECK(statistics.entropy() == Approx(std::log(2) / 2));
  CHECK(statistics.diagonal_distance() == Approx(0.25 / 2));
  CHECK(statistics.zeros() == Approx(1.0 / 4));
  // A reversal of two tokens: 1/2 from the diagonal each. Then a row without weights.
  statistics.add(Weights{0, 1, 1, 0}, 2);
  statistics.add(Weights{0, 0}, 2);
  CHECK(statistics.entropy() == Approx(std::log(2) / 4));
  CHECK(statistics.diagonal_distance() == Approx((0.25 + 0.5 + 0.5) / 4));
  CHECK(statistics.zeros() == Approx(5.0 / 10));
  CHECK_THROWS_WITH(statistics.add(Weights{1, 0, 0}, 2), contains("3 weights"));
}

TEST_CASE("weights that do not sum to 1 are measured as shares of their sum") {
  WeightStatistics shares, others;
  shares.add(Weights{0.25f, 0.75f, 0, 0.5f, 0, 0.5f}, 3);
  others.add(Weights{0.5f, 1.5f, 0, 0.125f, 0, 0.125f}, 3);
  CHECK(shares.entropy() == others.entropy());
  CHECK(shares.diagonal_distance() == others.diagonal_distance());
  CHECK(shares.diagonal_distance() ==
        Approx((0.25 * 1 / 6 + 0.75 * 1 / 6 + 0.5 * 2 / 3 + 0.5 * 0) / 2));
}

TEST_CASE("alignments in Moses form are sure links with - and possible ones with p") {
  const ReferenceAlignment alignment = parse_moses(" 0-0\t12-3  1p2 0-0 0p0 ");
  CHECK(alignment.sure == Links{{0, 0}, {12, 3}});
  CHECK(alignment.possible == Links{{1, 2}});
  CHECK(alignment.is_sure({12, 3}));
  CHECK_FALSE(alignment.is_sure({1, 2}));
  CHECK(alignment.is_possible({1, 2}));
  CHECK(alignment.is_possible({0, 0}));
  CHECK_FALSE(alignment.is_possible({2, 1}));
  CHECK(parse_moses("") == ReferenceAlignment{});
  for (const char* text : {"1", "1-", "-1", "1:2", "1--2", "1-2x", "a-b", "1 - 2", "1-2,3-4",
                           "99999999999-0", "\x1b-1"})
    CHECK_THROWS_WITH(parse_moses(text), contains("is not a link"));
}

TEST_CASE("a file of alignments names its malformed line") {
  const TemporaryFolder folder;
  folder.write("refs", "0-0\n\n1-0 0p1\n");
  const std::vector<ReferenceAlignment> alignments = read_moses(folder.path("refs"));
  REQUIRE(alignments.size() == 3);
  CHECK(alignments[1] == ReferenceAlignment{});
  CHECK(alignments[2] == ReferenceAlignment{{{1, 0}}, {{0, 1}}});
  folder.write("refs", "0-0\n1-0 x\n");
  CHECK_THROWS_WITH(read_moses(folder.path("refs")), contains("refs:2: 'x' is not a link"));
  CHECK_THROWS_WITH(read_moses(folder.path("none")), contains("none"));
}

TEST_CASE("links beyond the end of a source or a target are errors") {
  const ReferenceAlignment alignment = parse_moses("2-1 0p3");
  CHECK_NOTHROW(check_positions(alignment, 3, 4));
  CHECK_THROWS_WITH(
      check_positions(alignment, 2, 4),
      contains("link 2-1 is outside") && contains("has 2 source and 4 target tokens"));
  CHECK_THROWS_WITH(check_positions(alignment, 3, 3), contains("link 0p3 is outside"));
}
