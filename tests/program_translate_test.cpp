#include "program.h"

#include <algorithm>
#include <cmath>
#include <sstream>
#include <string_view>

#include "attune/autograd/kernels/gemm.h"

using namespace program;

namespace {

// 150 sources of 1 to 9 letters; the third is empty and the last one too long.
std::string sources() {
  std::string text;
  for (int i = 0; i < 150; ++i) {
    if (i != 2)
      for (int k = 0; k <= i * i % 9; ++k) text += static_cast<char>('a' + (i + 3 * k) % 20);
    text += "\n";
  }
  return text + std::string(99, 'a') + "\n";
}

std::vector<std::string> columns_of(const std::string& line) {
  std::vector<std::string> columns;
  std::istringstream stream(line);
  for (std::string column; std::getline(stream, column, '\t');) columns.push_back(column);
  return columns;
}

// Whether outputs are the same, bit for bit where Attune's own kernel computes the products. By
// OpenBLAS, as without -march=native, the last digits of a score depend on the size of the batch.
bool same(const std::string& a, const std::string& b) {
  if (std::string_view(attune::kernels::blas_description()).find("own kernel") !=
      std::string_view::npos)
    return a == b;
  std::istringstream left(a), right(b);
  for (std::string x, y;;) {
    left >> x, right >> y;
    if (!left || !right) return !left && !right;
    const bool are_scores = x.find('.') != std::string::npos && y.find('.') != std::string::npos;
    if (are_scores ? std::abs(std::stod(x) - std::stod(y)) > 1e-4 : x != y) return false;
  }
}

}  // namespace

TEST_CASE("seq2seq translate writes the same for many lines as for one line at a time") {
  const TemporaryFolder folder;
  for (const std::string model : {"recurrent --hidden 16", "transformer --heads 2"}) {
    const Result trained = seq2seq(folder,
                                   "train --run run --steps 20 --embedding 8 "
                                   "--max-length 9 --model " +
                                       model);
    INFO(trained.err);
    REQUIRE(trained.code == 0);
    for (const std::string search :
         {"", "--beam 3 --n-best 2 --length-penalty 0.6 --coverage-penalty 0.2 --no-repeat-ngram 2",
          "--sample --temperature 0.8 --top-k 9 --top-p 0.9 --seed 3 --n-best 2"}) {
      INFO(model << " " << search);
      const std::string command = "translate --run run --alignment " + search;
      const Result together = seq2seq(folder, command, sources());
      CHECK(together.code == 3);
      CHECK_THAT(together.err, contains("standard input, line 3: the source is empty"));
      CHECK_THAT(together.err, contains("standard input, line 151: the source has 99 tokens"));
      CHECK_THAT(together.err, contains("151 lines: "));
      CHECK_THAT(together.err, contains(" sentences/s, "));
      CHECK_THAT(together.err, contains("2 of 151 sources could not be translated"));
      CHECK(same(seq2seq(folder, command + " --batch 1 --threads 1", sources()).out, together.out));
      CHECK(same(seq2seq(folder, command + " --batch 7 --threads 3", sources()).out, together.out));

      folder.write("lines", sources());
      const Result slowly = shell(folder, "cd '" + folder.path("") +
                                              "'\n(while read -r l; do echo \"$l\"; sleep 0.001; "
                                              "done < lines) | \"$seq2seq\" " +
                                              command);
      CHECK(same(slowly.out, together.out));
    }
  }
}

TEST_CASE("seq2seq translate answers a line before the next one is written") {
  const TemporaryFolder folder;
  REQUIRE(train(folder, "").code == 0);
  const Result result =
      shell(folder, "cd '" + folder.path("") +
                        "'\nmkfifo to from\n\"$seq2seq\" translate --run run < to > from &\n"
                        "exec 3> to 4< from\n"
                        "echo abc >&3\nread -r first <&4\necho \"$first\" x >&3\n"
                        "read -r second <&4\nexec 3>&-\nwait $!\necho \"$second\"\n");
  INFO(result.err);
  CHECK(lines_of(result.out).size() == 1);
}

TEST_CASE("seq2seq translate --n-best lists outputs with numbers and scores") {
  const TemporaryFolder folder;
  REQUIRE(train(folder, "").code == 0);
  const Result result = seq2seq(folder, "translate --run run --beam 4 --n-best 3 abc de");
  const std::vector<std::string> lines = lines_of(result.out);
  REQUIRE(lines.size() == 6);
  for (std::size_t i = 0; i < 6; ++i) {
    const std::vector<std::string> columns = columns_of(lines[i]);
    REQUIRE(columns.size() >= 2);
    CHECK(columns[0] == (i < 3 ? "1" : "2"));
    CHECK(std::stod(columns[1]) < 0);
  }
  const Result best = seq2seq(folder, "translate --run run --beam 4 abc de");
  CHECK(lines_of(best.out).size() == 2);
  CHECK(lines_of(best.out)[0] == columns_of(lines[0] + "\t")[2]);
}

TEST_CASE("seq2seq translate --sample depends on the seed, and --prefix begins each output") {
  const TemporaryFolder folder;
  REQUIRE(train(folder, "").code == 0);
  const auto sample = [&](const std::string& seed) {
    return seq2seq(folder, "translate --run run --sample abc abc --seed " + seed).out;
  };
  CHECK(sample("1") == sample("1"));
  CHECK(sample("1") != sample("2"));
  CHECK(lines_of(sample("1"))[0] != lines_of(sample("1"))[1]);
  for (const std::string& line :
       lines_of(seq2seq(folder, "translate --run run --beam 2 --prefix ba abc de f").out))
    CHECK_THAT(line, Catch::Matchers::StartsWith("ba"));
}

TEST_CASE("seq2seq translate refuses impossible searches before it translates") {
  const TemporaryFolder folder;
  REQUIRE(train(folder, "").code == 0);
  for (const auto& [flags, message] : std::vector<std::pair<std::string, std::string>>{
           {"--beam 0", "--beam: '0' is not a whole number from 1"},
           {"--n-best 3 --beam 2", "--n-best 3 is more than --beam 2"},
           {"--sample --temperature 0", "--temperature: '0' is not a number above 0"},
           {"--sample --top-p 0", "--top-p: '0' is not a number above 0 up to 1"},
           {"--sample --top-p 1.5", "--top-p: '1.5' is not a number above 0 up to 1"},
           {"--sample --top-k -1", "--top-k: '-1' is not a whole number from 0"},
           {"--sample --beam 2", "--beam excludes --sample"},
           {"--top-k 3", "--top-k requires --sample"},
           {"--batch 0", "--batch: '0' is not a whole number from 1"},
           {"--length-penalty -1", "--length-penalty: '-1' is not a number from 0"},
           {"--prefix abé", "--prefix: 'é' is not in the target vocabulary of 'run'"},
           {"--prefix abc --max-output-length 2", "--prefix: 3 tokens are more than the 2"}}) {
    INFO(flags);
    const Result result = seq2seq(folder, "translate --run run " + flags + " abc");
    check_error(result, message);
    CHECK(result.out.empty());
  }
}

TEST_CASE("seq2seq test --beam tests what a beam search finds") {
  const TemporaryFolder folder;
  REQUIRE(train(folder, "").code == 0);
  const auto outputs = [&](const std::string& flags) {
    const Result result = seq2seq(folder, "test --run run --count 30 --output - " + flags);
    CHECK(result.code == 0);
    return result.out;
  };
  CHECK(outputs("--beam 1") == outputs(""));
  CHECK(outputs("--beam 4 --length-penalty 1") != outputs(""));
  check_error(seq2seq(folder, "test --run run --beam 0"), "--beam: '0'");
}
