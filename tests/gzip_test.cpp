#include "attune/data/gzip.h"

#include <sstream>
#include <string>
#include <vector>

#include "attune/autograd/array/error.h"
#include "attune/data/utf8.h"
#include "catch.h"
#include "gzipped.h"
#include "temporary_folder.h"

using namespace attune;

namespace {

using Lines = std::vector<std::string>;

Lines lines_of(const std::string& bytes) {
  std::istringstream stream(bytes);
  utf8::LineReader reader(stream, "'a.gz'");
  Lines lines;
  for (std::string line; reader.next(line);) lines.push_back(line);
  return lines;
}

}  // namespace

TEST_CASE("text compressed with gzip is read like text") {
  CHECK(lines_of(gzipped("one\ntwo\r\n\nfour")) == Lines{"one", "two", "", "four"});
  CHECK(lines_of(gzipped("\xEF\xBB\xBFone\n")) == Lines{"one"});
  CHECK(lines_of(gzipped("one\rtwo\r")) == Lines{"one", "two"});
  CHECK(lines_of(gzipped("")).empty());
  CHECK(lines_of(gzipped("a\n") + gzipped("") + gzipped("b\nc")) == Lines{"a", "b", "c"});
  const TemporaryFolder folder;
  CHECK(utf8::read_lines(folder.write("a", gzipped("one\n")), "test") == Lines{"one"});
}

TEST_CASE("gzip data of any size is decompressed, whatever bytes it has") {
  std::string text;
  Lines expected;
  for (int i = 0; i < 60'000; ++i) {  // several blocks of input and of output
    expected.push_back(std::to_string(i * 2'654'435'761u % 1'000'003) + std::string(i % 50, 'x'));
    text += expected.back() + "\n";
  }
  CHECK(lines_of(gzipped(text)) == expected);
  CHECK(lines_of(gzipped(std::string(1 << 20, 'x'))) == Lines{std::string(1 << 20, 'x')});
}

TEST_CASE("gzip data that ends early or is damaged is an error with the name of the file") {
  const std::string whole = gzipped("one\ntwo\n" + std::string(1000, 'x') + "\nthree\n");
  for (std::size_t size = 2; size < whole.size(); ++size)
    CHECK_THROWS_WITH(lines_of(whole.substr(0, size)),
                      "'a.gz' ends before its gzip data is complete; copy or compress the file "
                      "again");
  for (const std::size_t at : {3, 12, 30}) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x55);
    CHECK_THROWS_AS(lines_of(damaged), Error);
  }
  std::string checksum = whole;
  checksum[whole.size() - 8] ^= 1;
  CHECK_THROWS_WITH(lines_of(checksum),
                    "'a.gz' is damaged, its gzip data cannot be decompressed: "
                    "incorrect data check");
  CHECK_THROWS_WITH(lines_of(whole + "rest"), contains("incorrect header check"));
  CHECK_THROWS_WITH(lines_of(gzipped("BZh91AY&SY")), contains("is compressed with bzip2"));
}
