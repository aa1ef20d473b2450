#include "attune/data/tasks.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "attune/autograd/array/error.h"
#include "catch.h"

using namespace attune;

namespace {

SyntheticPairs pairs_of(const char* task, Split split, std::uint64_t seed, int least, int most) {
  return {make_task(task), split, seed, least, most};
}

}  // namespace

TEST_CASE("true positions say where each letter of copy, reverse and sort came from") {
  CHECK(make_task("copy").true_positions("cab") == std::vector<int>{0, 1, 2});
  CHECK(make_task("reverse").true_positions("cab") == std::vector<int>{2, 1, 0});
  CHECK(make_task("sort").true_positions("cab") == std::vector<int>{1, 2, 0});
  CHECK(make_task("sort").true_positions("baba") == std::vector<int>{1, 3, 0, 2});
}

TEST_CASE("only sorting treats equal letters as interchangeable") {
  CHECK(make_task("sort").equal_letters_are_one);
  CHECK_FALSE(make_task("copy").equal_letters_are_one);
  CHECK_FALSE(make_task("reverse").equal_letters_are_one);
}

TEST_CASE("sorting keeps equal letters in order, in long sequences too") {
  const std::vector<int> positions = make_task("sort").true_positions(std::string(100, 'x'));
  REQUIRE(positions.size() == 100);
  CHECK(std::is_sorted(positions.begin(), positions.end()));
}

TEST_CASE("the targets of the synthetic tasks are the copied, reversed and sorted sources") {
  for (std::uint64_t i = 0; i < 50; ++i) {
    const Pair copied = pairs_of("copy", Split::train, 1, 1, 20)[i];
    CHECK(copied.target == copied.source);
    Pair reversed = pairs_of("reverse", Split::train, 1, 1, 20)[i];
    std::reverse(reversed.source.begin(), reversed.source.end());
    CHECK(reversed.target == reversed.source);
    Pair sorted = pairs_of("sort", Split::train, 1, 1, 20)[i];
    std::sort(sorted.source.begin(), sorted.source.end());
    CHECK(sorted.target == sorted.source);
  }
}

TEST_CASE("an unknown task is an error that lists the known ones") {
  CHECK_THROWS_AS(make_task("shuffle"), Error);
  CHECK_THROWS_WITH(make_task("shuffle"), contains("'shuffle'") && contains(joined(task_names())));
}

TEST_CASE("a synthetic example depends only on seed, split and index") {
  const SyntheticPairs pairs = pairs_of("copy", Split::train, 7, 5, 10);
  CHECK(pairs[3] == pairs_of("copy", Split::train, 7, 5, 10)[3]);
  CHECK(pairs[3].source == pairs_of("sort", Split::train, 7, 5, 10)[3].source);
  CHECK(pairs[3] != pairs[4]);
  CHECK(pairs[3] != pairs_of("copy", Split::train, 8, 5, 10)[3]);
  CHECK(pairs[3] != pairs_of("copy", Split::test, 7, 5, 10)[3]);
}

TEST_CASE("synthetic examples stay the same from release to release") {
  CHECK(pairs_of("reverse", Split::train, 1, 1, 20)[0] ==
        Pair{"cxvjjzyckptkilyqqr", "rqqyliktpkcyzjjvxc"});
  CHECK(pairs_of("reverse", Split::test, 1, 1, 20)[1999] ==
        Pair{"gqbfhsnjxmpeahy", "yhaepmxjnshfbqg"});
}

TEST_CASE("no synthetic sequence of three or more letters belongs to two splits") {
  std::map<std::string, Split> seen;
  for (const Split split : {Split::train, Split::valid, Split::test}) {
    for (std::uint64_t i = 0; i < 4000; ++i) {
      const std::string source = pairs_of("copy", split, 100 + i % 3, 3, 4)[i].source;
      REQUIRE(seen.emplace(source, split).first->second == split);
    }
  }
}

TEST_CASE("every split contains every single letter") {
  for (const Split split : {Split::train, Split::valid, Split::test}) {
    std::set<std::string> letters;
    for (std::uint64_t i = 0; i < 500; ++i)
      letters.insert(pairs_of("copy", split, 1, 1, 1)[i].source);
    CHECK(letters.size() == 26);
  }
}

TEST_CASE("lengths and letters of synthetic sequences are uniform") {
  for (const Split split : {Split::train, Split::test}) {
    std::map<std::size_t, int> lengths;
    std::map<char, int> letters;
    for (std::uint64_t i = 0; i < 8000; ++i) {
      const std::string source = pairs_of("copy", split, 3, 4, 11)[i].source;
      ++lengths[source.size()];
      for (const char letter : source) ++letters[letter];
    }
    REQUIRE(lengths.size() == 8);
    CHECK(lengths.begin()->first == 4);
    CHECK(lengths.rbegin()->first == 11);
    for (const auto& [length, count] : lengths) CHECK(count == Approx(1000).epsilon(0.15));
    REQUIRE(letters.size() == 26);
    CHECK(letters.begin()->first == 'a');
    CHECK(letters.rbegin()->first == 'z');
    for (const auto& [letter, count] : letters) CHECK(count == Approx(60000.0 / 26).epsilon(0.1));
  }
}

TEST_CASE("an invalid range of lengths of synthetic sequences is an error") {
  CHECK_THROWS_WITH(pairs_of("copy", Split::train, 1, 0, 5)[0], contains("0 ... 5"));
  CHECK_THROWS_WITH(pairs_of("copy", Split::train, 1, 6, 5)[0], contains("6 ... 5"));
  CHECK(pairs_of("copy", Split::train, 1, 5, 5)[0].source.size() == 5);
}
