#include "attune/data/files.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <string>

#include "attune/autograd/array/error.h"
#include "catch.h"
#include "temporary_folder.h"

using namespace attune;

namespace {

// During its lifetime, no file of this process can grow beyond `bytes`, which simulates a full disk
// portably.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit = {bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  void (*handler_)(int);
  rlimit before_;
};

}  // namespace

TEST_CASE("a file written atomically holds exactly the bytes given") {
  const TemporaryFolder folder;
  const std::string bytes("a\0b\r\n\xFF", 6);
  write_file_atomically(folder.path("f"), bytes);
  CHECK(read_file(folder.path("f")) == bytes);
  write_file_atomically(folder.path("f"), "shorter");
  CHECK(read_file(folder.path("f")) == "shorter");
  write_file_atomically(folder.path("f"), "");
  CHECK(read_file(folder.path("f")).empty());
  CHECK(folder.entries() == 1);
}

TEST_CASE("a file larger than a read block is read completely") {
  const TemporaryFolder folder;
  std::string bytes(1 << 20, 'x');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 31 % 251);
  write_file_atomically(folder.path("f"), bytes);
  CHECK(read_file(folder.path("f")) == bytes);
}

TEST_CASE("a failed atomic write leaves only the old file") {
  const TemporaryFolder folder;
  const std::string path = folder.write("model", "the old model");
  std::string message;
  {
    const FileSizeLimit limit(1000);
    try {
      write_file_atomically(path, std::string(5000, 'x'));
    } catch (const Error& error) {
      message = error.what();
    }
  }
  CHECK_THAT(message, contains(path) && contains("File too large"));
  CHECK(folder.read("model") == "the old model");
  CHECK(folder.entries() == 1);
}

TEST_CASE("a failed atomic write of a new file leaves nothing") {
  const TemporaryFolder folder;
  bool failed = false;
  {
    const FileSizeLimit limit(1000);
    try {
      write_file_atomically(folder.path("model"), std::string(5000, 'x'));
    } catch (const Error&) {
      failed = true;
    }
  }
  CHECK(failed);
  CHECK(folder.entries() == 0);
}

TEST_CASE("an error in writing names the path and the system's reason") {
  const TemporaryFolder folder;
  const std::string path = folder.path("no/such/model");
  CHECK_THROWS_AS(write_file_atomically(path, "x"), Error);
  CHECK_THROWS_WITH(write_file_atomically(path, "x"), contains(path) && contains("No such file"));
}

TEST_CASE("only regular files are replaced, never a folder, pipe or device") {
  const TemporaryFolder folder;
  const std::string sub = folder.path("sub"), pipe = folder.path("pipe");
  std::filesystem::create_directory(sub);
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);  // stands for /dev/null, which a bug would destroy
  CHECK_THROWS_WITH(write_file_atomically(sub, "x"), contains("'" + sub + "'"));
  CHECK_THROWS_WITH(write_file_atomically(pipe, "x"), contains("expected a plain file"));
  CHECK(std::filesystem::is_directory(sub));
  CHECK(std::filesystem::is_fifo(pipe));
  CHECK(folder.entries() == 2);
}

TEST_CASE("an error in reading names the file and the system's reason") {
  const TemporaryFolder folder;
  CHECK_THROWS_WITH(read_file(folder.path("none")),
                    contains(folder.path("none")) && contains("No such file"));
  CHECK_THROWS_WITH(read_file(folder.path("")), contains("Is a directory"));
}
