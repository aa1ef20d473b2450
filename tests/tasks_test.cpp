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

TEST_CASE("every task makes sources and targets of its symbols, as its alignment says") {
  for (const auto& member : tasks().members()) {
    const Task task = make_task(member.name);
    for (const Split split : {Split::train, Split::valid, Split::test}) {
      for (int length = task.min_length; length <= std::min(task.max_length, 60); ++length) {
        const Pair pair = pairs_of(member.name.c_str(), split, 1, 1, length)[5];
        CAPTURE(member.name, pair.source, pair.target);
        CHECK(pair.source.size() <= static_cast<std::size_t>(length));
        CHECK_FALSE(pair.source.empty());
        CHECK_FALSE(pair.target.empty());
        CHECK(std::ssize(pair.target) <= task.expansion * length);
        CHECK((pair.source + pair.target).find_first_not_of(task.symbols) == std::string::npos);
        if (!task.true_positions) continue;
        const std::vector<int> positions = task.true_positions(pair.source);
        REQUIRE(positions.size() == pair.target.size());
        for (std::size_t t = 0; t < positions.size(); ++t)
          if (positions[t] >= 0)
            CHECK(pair.target[t] == pair.source.at(static_cast<std::size_t>(positions[t])));
      }
    }
  }
}

TEST_CASE("repeat writes each letter a given number of times") {
  CHECK(make_task("repeat").true_positions("ab") == std::vector<int>{0, 0, 1, 1});
  CHECK(make_task("repeat:times=3").true_positions("ab") == std::vector<int>{0, 0, 0, 1, 1, 1});
  CHECK(make_task("repeat:times=3").expansion == 3);
  CHECK(pairs_of("repeat", Split::train, 1, 1, 1)[0].target.size() == 2);
  CHECK_THROWS_WITH(make_task("repeat:times=0"), contains("times"));
  CHECK_THROWS_WITH(make_task("copy:times=2"), contains("times"));
}

TEST_CASE("recall tasks give the values of keys, and a dash for keys that are not there") {
  const Task one = make_task("associative_recall"), all = make_task("multi_query_recall"),
             some = make_task("no_match");
  CHECK(one.target("c9k8j3?k") == "8");
  CHECK(one.true_positions("c9k8j3?k") == std::vector<int>{3});
  CHECK(all.target("c9k8j3?kcj") == "893");
  CHECK(all.true_positions("c9k8j3?kcj") == std::vector<int>{3, 1, 5});
  CHECK(some.target("c9k8j3?xcx") == "-9-");
  CHECK(some.true_positions("c9k8j3?xcx") == std::vector<int>{-1, 1, -1});
  int dashes = 0, values = 0;
  for (std::uint64_t i = 0; i < 300; ++i) {
    const auto letters = [](const std::string& source) {
      std::set<char> keys;
      for (std::size_t s = 0; source[s] != '?'; s += 2) keys.insert(source[s]);
      return keys;
    };
    const std::string single = pairs_of("associative_recall", Split::train, 1, 4, 20)[i].source;
    CHECK(letters(single).size() == (single.size() - 2) / 2);  // no key is there twice
    const Pair several = pairs_of("multi_query_recall", Split::train, 1, 4, 20)[i];
    CHECK(letters(several.source).size() == several.target.size());
    CHECK(several.target.find('-') == std::string::npos);
    const std::string found = pairs_of("no_match", Split::train, 1, 4, 20)[i].target;
    dashes += static_cast<int>(std::count(found.begin(), found.end(), '-'));
    values += static_cast<int>(found.size());
  }
  CHECK(dashes == Approx(values / 2.0).epsilon(0.1));
}

TEST_CASE("the source of induction ends with a letter that is once before, and not next to it") {
  const Task task = make_task("induction");
  CHECK(task.true_positions("abcdb") == std::vector<int>{2});
  for (std::uint64_t i = 0; i < 300; ++i) {
    const std::string source = pairs_of("induction", Split::train, 1, 3, 12)[i].source;
    CHECK(std::count(source.begin(), source.end(), source.back()) == 2);
    CHECK(source.find(source.back()) + 2 < source.size());
  }
}

TEST_CASE("selective copying leaves out dots, and counting counts") {
  CHECK(make_task("selective_copy").true_positions(".a..bc.") == std::vector<int>{1, 4, 5});
  const Task count = make_task("count");
  CHECK(count.target("abaab?a") == "3");
  CHECK(count.target("bcd?a") == "0");
  CHECK(count.target("aaaaaaaaaaaa?a") == "12");
  CHECK_FALSE(count.true_positions);
}

TEST_CASE("joined segments repeat two to four letters") {
  std::set<std::size_t> lengths;
  for (std::uint64_t i = 0; i < 300; ++i) {
    const std::string source = pairs_of("joined_segments", Split::train, 1, 12, 12)[i].source;
    std::size_t length = 2;
    while (source.substr(length) != source.substr(0, source.size() - length)) ++length;
    lengths.insert(length);
  }
  CHECK(lengths == std::set<std::size_t>{2, 3, 4});
  CHECK(pairs_of("joined_segments", Split::train, 1, 1, 1)[0].source.size() == 1);
}

TEST_CASE("sources that a task cannot make are an error") {
  CHECK_THROWS_WITH(pairs_of("induction", Split::train, 1, 1, 2)[0],
                    contains("at most 2 letters") && contains("3 to "));
  CHECK_THROWS_WITH(pairs_of("associative_recall", Split::train, 1, 1, 56)[0], contains("4 to 55"));
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
