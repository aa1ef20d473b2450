#include "attune/data/pairs.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "attune/autograd/array/error.h"
#include "catch.h"
#include "gzipped.h"
#include "temporary_folder.h"

using namespace attune;

TEST_CASE("pairs are read from lines of source, tab, target") {
  const TemporaryFolder folder;
  const std::string path = folder.write("p.tsv", "cat\tK AE T\nça va\thow are you\nx\ty");
  CHECK(read_pairs(path) ==
        std::vector<Pair>{{"cat", "K AE T"}, {"ça va", "how are you"}, {"x", "y"}});
}

TEST_CASE("pairs are read despite a byte order mark and CRLF line ends") {
  const TemporaryFolder folder;
  const std::string path = folder.write("p.tsv",
                                        "\xEF\xBB\xBF"
                                        "a\tb\r\nc\td\r\n");
  CHECK(read_pairs(path) == std::vector<Pair>{{"a", "b"}, {"c", "d"}});
}

TEST_CASE("trailing blank lines and extra columns of a file of pairs are ignored") {
  const TemporaryFolder folder;
  const std::string path = folder.write("p.tsv", "a\tb\tc\td\re\tf\t\r\n\n \t \n\n");
  CHECK(read_pairs(path) == std::vector<Pair>{{"a", "b"}, {"e", "f"}});
}

TEST_CASE("a reader of pairs continues after a malformed line") {
  const TemporaryFolder folder;
  const std::string path = folder.write(
      "p.tsv", "a\tb\n\n\nno tab\n\xFF\tx\nc\td\te\n" + std::string(999, 'x') + "\ng\t\n\n");
  PairReader reader({path, {}, {}});
  std::vector<std::int64_t> numbers;
  std::vector<Pair> good;
  std::string faults;
  for (PairLine line; reader.next(line);) {
    numbers.push_back(line.number);
    if (line.fault.empty()) good.push_back({line.source, line.targets.front()});
    CHECK(line.has_more == (line.number == 6));
    faults += line.fault + ";";
    CHECK(line.fault.size() < 100);
  }
  CHECK(numbers == std::vector<std::int64_t>{1, 2, 3, 4, 5, 6, 7, 8});
  CHECK(good == std::vector<Pair>{{"a", "b"}, {"c", "d"}});
  CHECK_THAT(faults, contains(";the line is blank;the line is blank;no tab in 'no␣tab';not UTF-8"));
}

TEST_CASE("an error in a file of pairs names file and line") {
  const TemporaryFolder folder;
  const auto fault = [&](std::string_view text, const std::string& line, const std::string& what) {
    const std::string path = folder.write("p.tsv", text);
    CAPTURE(text);
    CHECK_THROWS_AS(read_pairs(path), Error);
    CHECK_THROWS_WITH(read_pairs(path), contains(path + ":" + line + ":") && contains(what));
  };
  fault("", "1", "the file is empty");
  fault("a\tb\nab\n", "2", "no tab");
  fault("a\tb\n\nc\td\n", "2", "blank");
  fault("a\tb\n\tb\n", "2", "source before the tab is empty");
  fault("a\t\n", "1", "target after the tab is empty");
  fault("a\t\r\n", "1", "target after the tab is empty");
  fault("a\tb\n \t\r\n\nc\td\n", "2", "blank");
  fault("a\tb\n\tc\td\n", "2", "source before the tab is empty");
  fault("\n\r\n \n", "1", "the file is empty");
  fault("a\tb\na\t\xC3\n", "2", "not UTF-8");
}

TEST_CASE("pairs are read from files side by side, plain or compressed, with several targets") {
  const TemporaryFolder folder;
  const std::string source = folder.write("s", gzipped("a\tb\nc\n\nd\ne")),
                    one = folder.write("one", "1\n2\r\n3\n\n5\n"),
                    two = folder.write("two", "I\nII\nIII\nIV\n\xFF\n");
  PairReader reader({{}, source, {one, two}});
  std::string read;
  for (PairLine line; reader.next(line);)
    read += fmt::format("{}: {} = {} = {}; {}\n", line.number, line.source, line.targets[0],
                        line.targets[1].substr(0, 3), line.fault);
  CHECK_THAT(read, contains("1: a\tb = 1 = I; \n2: c = 2 = II; \n"));
  CHECK_THAT(read, contains("3:  = 3 = III; the source is empty\n"));
  CHECK_THAT(read, contains("4: d =  = IV; the target in '" + one + "' is empty\n"));
  CHECK_THAT(read, contains("the target in '" + two + "' is not UTF-8: byte 0xff at column 1\n"));
}

TEST_CASE("files side by side with unlike numbers of lines are an error with both numbers") {
  const TemporaryFolder folder;
  const std::string three = folder.write("three", "a\nb\nc"),
                    also = folder.write("also", "1\n2\n3"),
                    five = folder.write("five", "1\n2\n3\n4\n5\n"), none = folder.write("none", "");
  const auto read = [&](const PairFiles& files) {
    PairReader reader(files);
    std::int64_t lines = 0;
    for (PairLine line; reader.next(line);) ++lines;
    return lines;
  };
  CHECK(read({{}, three, {also}}) == 3);
  CHECK(read({{}, none, {none}}) == 0);
  CHECK_THROWS_WITH(read({{}, three, {five}}), contains("three' has 3 lines, but '" + five +
                                                        "' has 5 lines; expected as many"));
  CHECK_THROWS_WITH(read({{}, five, {three}}), contains("five' has 5 lines, but '" + three));
  CHECK_THROWS_WITH(read({{}, three, {also, none}}), contains("none' has 0 lines; expected"));
  CHECK_THROWS_WITH(read({{}, three, {folder.path("missing")}}), contains("cannot open"));
}

TEST_CASE("files of pairs have a name and places for messages") {
  const PairFiles one{"a.tsv", {}, {}}, two{{}, "a", {"b"}}, three{{}, "a", {"b", "-"}};
  CHECK(one.name() == "'a.tsv'");
  CHECK(one.place_of(3) == "a.tsv:3");
  CHECK(one.expected() == "source TAB target");
  CHECK(two.name() == "'a' and 'b'");
  CHECK(two.place_of(3) == "line 3 of 'a' and 'b'");
  CHECK(three.name() == "'a', 'b' and standard input");
  CHECK(PairFiles{}.empty());
}

TEST_CASE("pairs are grouped by source in order of first appearance") {
  const std::vector<References> groups =
      group_by_source({{"b", "1"}, {"a", "2"}, {"b", "3"}, {"c", "4"}});
  REQUIRE(groups.size() == 3);
  CHECK(groups[0].source == "b");
  CHECK(groups[0].targets == std::vector<std::string>{"1", "3"});
  CHECK(groups[1].source == "a");
  CHECK(groups[2].targets == std::vector<std::string>{"4"});
}
