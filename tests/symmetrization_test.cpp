#include "attune/alignment/symmetrization.h"

#include <vector>

#include "attune/alignment/alignment.h"
#include "attune/autograd/array/error.h"
#include "catch.h"

using namespace attune;

namespace {

using Positions = std::vector<int>;

std::string links(const Positions& forward, const Positions& backward, std::string_view how) {
  return to_moses(symmetrized(forward, backward, symmetrization_named(how)));
}

}  // namespace

TEST_CASE("two directions are united, intersected and taken alone") {
  const Positions forward = {0, 0, kNowhere, 2}, backward = {1, 2, 3};
  CHECK(links(forward, backward, "forward") == "0-0 0-1 2-3");
  CHECK(links(forward, backward, "backward") == "0-1 1-2 2-3");
  CHECK(links(forward, backward, "intersection") == "0-1 2-3");
  CHECK(links(forward, backward, "union") == "0-0 0-1 1-2 2-3");
}

TEST_CASE(
    "grow-diag-final-and grows from the intersection to neighbours and ends with lone pairs") {
  // 0-1 and 2-3 are in both. 0-0 is beside the first, 1-2 diagonal to it.
  CHECK(links({0, 0, kNowhere, 2}, {1, 2, 3}, "grow-diag-final-and") == "0-0 0-1 1-2 2-3");
  // A chain that only several rounds can follow: 2-0 is beside 1-1, which is beside 0-2.
  CHECK(links({2, 1, 0}, {2, kNowhere, kNowhere}, "grow-diag-final-and") == "0-2 1-1 2-0");
  // 4-4 is far from any link, but both of its words have none; 0-4 would join two words of which
  // one has a link, and is left out.
  CHECK(links({0, kNowhere, kNowhere, kNowhere, 4}, {0, kNowhere, kNowhere, kNowhere, kNowhere},
              "grow-diag-final-and") == "0-0 4-4");
  CHECK(links({0, kNowhere, kNowhere, kNowhere, 0}, {0, kNowhere, kNowhere, kNowhere, kNowhere},
              "grow-diag-final-and") == "0-0");
  // A neighbour of words that both have a link is left out: 0-1 is beside 0-0 and 1-1.
  CHECK(links({0, 1}, {0, 1}, "grow-diag-final-and") == "0-0 1-1");
  // The same beyond two steps: 2-2 is beside 1-2, and then both words of 2-1 have a link.
  CHECK(links({0, 0, 2}, {0, 2, 1}, "grow-diag-final-and") == "0-0 0-1 1-2 2-2");
}

TEST_CASE("graded links are sure in the intersection and possible where grown") {
  CHECK(links({0, 0, kNowhere, 2}, {1, 2, 3}, "graded") == "0-1 2-3 0p0 1p2");
  CHECK(links({}, {}, "graded").empty());
  CHECK(links({kNowhere}, {kNowhere, kNowhere}, "union").empty());
}

TEST_CASE("links in Moses form are read as they were written") {
  const ReferenceAlignment alignment = parse_moses("0-1 12-3 2p0");
  CHECK(to_moses(alignment) == "0-1 12-3 2p0");
  CHECK(to_moses(ReferenceAlignment{}).empty());
}

TEST_CASE("symmetrized says what is wrong") {
  CHECK_THROWS_WITH(links({0}, {0}, "grow"),
                    contains("'grow' is no symmetrization; expected one of forward, backward"));
  CHECK_THROWS_WITH(links({2}, {0, 0}, "union"),
                    contains("source position 2 is outside its sentence of 2 words"));
  CHECK_THROWS_WITH(links({0}, {-3}, "union"), contains("target position -3 is outside"));
}
