#include "attune/data/spooled_lines.h"

#include <stdlib.h>  // setenv

#include <string>
#include <vector>

#include "attune/autograd/array/digest.h"
#include "attune/data/mapped_file.h"
#include "catch.h"
#include "temporary_folder.h"

using namespace attune;

TEST_CASE("spooled lines come back in order, any number of times, and leave no file") {
  const TemporaryFolder folder;
  const char* before = ::getenv("TMPDIR");
  const std::string kept = before == nullptr ? "" : before;
  ::setenv("TMPDIR", folder.path("").c_str(), 1);
  std::vector<std::string> lines = {"one", "", "\r\t x", std::string(100'000, 'y'), "ends"};
  SpooledLines spool;
  CHECK(folder.entries() == 0);
  for (const std::string& line : lines) spool.add(line);
  for (int i = 0; i < 2; ++i) {
    spool.rewind();
    std::vector<std::string> read;
    for (std::string line; spool.next(line);) read.push_back(line);
    CHECK(read == lines);
  }
  ::setenv("TMPDIR", folder.path("missing").c_str(), 1);
  CHECK_THROWS(SpooledLines());
  if (before == nullptr)
    ::unsetenv("TMPDIR");
  else
    ::setenv("TMPDIR", kept.c_str(), 1);
}

TEST_CASE("a mapped file has the bytes of the file, also after it is replaced") {
  const TemporaryFolder folder;
  const MappedFile file(folder.write("a", "some bytes")), empty(folder.write("b", ""));
  folder.write("c", "other");
  std::filesystem::rename(folder.path("c"), folder.path("a"));
  CHECK(file.bytes() == "some bytes");
  CHECK(empty.bytes().empty());
  CHECK_THROWS_WITH(MappedFile(folder.path("none")), contains("none': No such file"));
  CHECK_THROWS_WITH(MappedFile(folder.path("")), contains("cannot read"));
}

TEST_CASE("a digest of a number is that of its bytes, and one of words tells any change") {
  for (const std::uint64_t number : {0ull, 1ull, 255ull, 256ull, 0x1200340000ull, ~0ull}) {
    std::string bytes;
    for (int i = 0; i < 8; ++i) bytes += static_cast<char>(number >> (8 * i) & 0xFF);
    CHECK(Digest().add(number).value() == Digest().add(bytes).value());
  }
  std::string text = "some twenty-one bytes";
  const std::uint64_t digest = Digest().add_words(text).value();
  for (std::size_t i = 0; i < text.size(); ++i)
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = text;
      changed[i] = static_cast<char>(changed[i] ^ 1 << bit);
      CHECK(Digest().add_words(changed).value() != digest);
    }
  CHECK(Digest().add_words(text.substr(0, 16)).add_words(text.substr(16)).value() == digest);
}
