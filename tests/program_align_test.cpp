// seq2seq align: pictures of alignments.
#include <filesystem>

#include "attune/alignment/heat_map.h"
#include "program.h"

namespace fs = std::filesystem;
using namespace program;

namespace {

// The number of cells of an SVG picture.
int cells_of(const std::string& svg) {
  int count = 0;
  for (std::size_t at = svg.find("<title>"); at != svg.npos; at = svg.find("<title>", at + 1))
    ++count;
  return count;
}

Result train_transformer(const TemporaryFolder& folder) {
  return seq2seq(folder,
                 "train --run run --model transformer --steps 3 --embedding 8 --heads 4 "
                 "--layers 2 --feed-forward 12 --batch 8 --max-length 9");
}

}  // namespace

TEST_CASE("seq2seq align draws the alignment of the model's output or of a given target") {
  const TemporaryFolder folder;
  REQUIRE(train(folder, "").code == 0);
  const Result own = seq2seq(folder, "align --run run abc --svg own.svg");
  INFO(own.err);
  REQUIRE(own.code == 0);
  CHECK(own.out.empty());
  REQUIRE(seq2seq(folder, "translate --run run abc --svg translated.svg").code == 0);
  CHECK(folder.read("own.svg") == folder.read("translated.svg"));

  REQUIRE(seq2seq(folder, "align --run run abc --target cbaz --svg given.svg").code == 0);
  const std::string given = folder.read("given.svg");
  CHECK(cells_of(given) == 3 * 4);
  CHECK_THAT(given, contains(">abc → cbaz</text>"));

  const Result unknown = seq2seq(folder, "align --run run abÉ --target aÜ --svg unknown.svg");
  CHECK(unknown.code == 0);
  CHECK_THAT(unknown.err, contains("training never showed 'É', 'Ü'"));
  CHECK_THAT(folder.read("unknown.svg"), contains("&lt;unk&gt;"));
}

TEST_CASE("seq2seq align draws every head of every layer, or of one") {
  const TemporaryFolder folder;
  REQUIRE(train_transformer(folder).code == 0);
  const std::string align = "align --run run abc --target cb ";
  const auto drawn = [&](const std::string& flags) {
    const Result result = seq2seq(folder, align + flags + " --svg a.svg");
    INFO(result.err);
    CHECK(result.code == 0);
    return folder.read("a.svg");
  };
  CHECK(cells_of(drawn("")) == 6);
  const std::string all = drawn("--heads"), second = drawn("--heads --layer 2");
  CHECK(cells_of(all) == 2 * 4 * 6);
  CHECK_THAT(all, contains(">layer 1, head 1</text>") && contains(">layer 2, head 4</text>"));
  CHECK(cells_of(second) == 4 * 6);
  CHECK_THAT(second, contains(">layer 2, head 4</text>") && !contains("layer 1"));
  check_error(seq2seq(folder, align + "--heads --layer 3 --svg b.svg"),
              "--layer 3: the model has 2 layers with attention to the source");
  CHECK_FALSE(fs::exists(folder.path("b.svg")));

  REQUIRE(train(folder, "--heads 2").code == 0);
  const std::string recurrent = drawn("--heads");
  CHECK(cells_of(recurrent) == 2 * 6);
  CHECK_THAT(recurrent, contains(">head 2</text>") && !contains("layer"));
}

TEST_CASE("seq2seq align draws the alignment of a recorded pair after steps of the training") {
  const TemporaryFolder folder;
  REQUIRE(train(folder, "").code == 0);
  const Result result = seq2seq(folder, "align --run run --steps 1,2 --example 2 --svg steps.svg");
  INFO(result.err);
  REQUIRE(result.code == 0);
  CHECK_THAT(folder.read("steps.svg"), contains(">step 1</text>") && contains(">step 2</text>"));
  const auto refuses = [&](const std::string& arguments, const std::string& part) {
    INFO(arguments);
    check_error(seq2seq(folder, "align --run run --svg no.svg " + arguments), part);
    CHECK_FALSE(fs::exists(folder.path("no.svg")));
  };
  refuses("--steps 1,77", "nothing was recorded at step 77; expected one of 1, 2");
  refuses("--steps 1,x", "--steps: 'x' is not a whole number from 1");
  refuses("--steps 0", "--steps: '0' is not a whole number from 1");
  refuses("--steps 1 --example 0", "--example");
  refuses("--steps 1 abc", "--steps: it draws a recorded pair; expected no source");
  refuses("--steps 1 --heads", "--heads excludes --steps");
  refuses("abc --example 2", "--example requires --steps");
}

TEST_CASE("seq2seq align draws PNG and PDF files, or says what is missing before it works") {
  const TemporaryFolder folder;
  // There is no such run, which is noticed only later.
  if (!attune::has_cairo()) {
    for (const std::string flag : {"--png", "--pdf"})
      check_error(seq2seq(folder, "align --run nowhere abc " + flag + " a"),
                  flag + ": this program was built without cairo and pango");
    return;
  }
  REQUIRE(train(folder, "").code == 0);
  const Result result = seq2seq(folder, "align --run run abc --png a.png --pdf a.pdf --svg a.svg");
  INFO(result.err);
  REQUIRE(result.code == 0);
  CHECK_THAT(folder.read("a.png"), Catch::Matchers::StartsWith("\x89PNG"));
  CHECK_THAT(folder.read("a.pdf"), Catch::Matchers::StartsWith("%PDF"));
  CHECK_THAT(folder.read("a.svg"), Catch::Matchers::StartsWith("<svg"));
}

TEST_CASE("seq2seq align reports wrong use in one line and writes nothing") {
  const TemporaryFolder folder;
  REQUIRE(train(folder, "").code == 0);
  fs::create_directory(folder.path("folder"));
  const int entries = folder.entries();
  const auto refuses = [&](const std::string& arguments, const std::string& part) {
    INFO(arguments);
    check_error(seq2seq(folder, "align --run run " + arguments), part);
    CHECK(folder.entries() == entries);
  };
  refuses("abc", "name a file with --svg, --png or --pdf");
  refuses("--svg a.svg", "source: there are 0; expected one, in quotes");
  refuses("abc de --svg a.svg", "source: there are 2; expected one, in quotes");
  refuses("abc --svg no/a.svg", "--svg: there is no folder 'no'");
  refuses("abc --svg folder", "--svg: 'folder' is a folder");
  refuses("'' --svg a.svg", "the source is empty");
  refuses("abc --target '' --svg a.svg", "--target: it is empty");
  refuses("abc --target $'\\xff' --svg a.svg", "--target");
  refuses("abc --target cba --beam 2 --svg a.svg", "--beam");
  refuses("abc --layer 1 --svg a.svg", "--layer requires --heads");
  refuses("abc --heads --layer 0 --svg a.svg", "--layer");
  refuses("-x --svg a.svg", "sources that begin with - go behind --");

  REQUIRE(train(folder, "--attention none").code == 0);
  refuses("abc --svg a.svg", "has no attention (it was trained with --attention none)");
}
