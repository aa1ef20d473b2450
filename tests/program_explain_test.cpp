// seq2seq explain: one decoding, stage by stage.
#include <filesystem>
#include <regex>

#include "attune/data/files.h"
#include "program.h"

namespace fs = std::filesystem;
using namespace program;

namespace {

// Every FILE:LINE in a text.
std::vector<std::pair<std::string, std::size_t>> places_in(const std::string& text) {
  const std::regex place("([a-z0-9_/]+\\.cpp):(\\d+)");
  std::vector<std::pair<std::string, std::size_t>> places;
  for (std::sregex_iterator found(text.begin(), text.end(), place), end; found != end; ++found)
    places.emplace_back((*found)[1], std::stoul((*found)[2]));
  return places;
}

std::string explain(const TemporaryFolder& folder, const std::string& arguments) {
  const Result result = seq2seq(folder, "explain --run run " + arguments);
  INFO(result.err);
  REQUIRE(result.code == 0);
  return result.out;
}

}  // namespace

TEST_CASE("seq2seq explain prints every stage, with the lines that computed it") {
  const TemporaryFolder folder;
  const std::string model = GENERATE(
      as<std::string>(), "", "--model transformer --heads 2 --layers 2",
      "--heads 2 --attention location", "--attention gaussian_mixture --normalizer exp",
      "--normalizer monotonic", "--normalizer chunkwise --query current",
      "--locality local_p --cell lstm", "--model transformer --heads 2 --head-mixer differential",
      "--output-layer pointer_generator --encoder convolutional --decoder recurrent");
  const std::string sizes = model.starts_with("--model") ? "--embedding 8 " : kSmall;
  REQUIRE(seq2seq(folder, "train --run run --steps 3 --batch 8 " + sizes + model).code == 0);
  const std::string text = explain(folder, "abc --target cba");
  for (const char* stage :
       {"\n 1  encode", "\n 2  query", "\n 3  keys and values", "\n 4  score", "\n 5  weights",
        "\n 6  weighted sum", "\n 7  context", "\n 8  combine", "\n 9  repeat"})
    CHECK_THAT(text, contains(stage));
  const auto places = places_in(text);
  CHECK(places.size() >= 4 * 8);
  for (const auto& [file, line] : places) {
    INFO(file << ":" << line);
    REQUIRE(fs::exists(ATTUNE_ROOT "/" + file));
    const auto lines = lines_of(attune::read_file(ATTUNE_ROOT "/" + file));
    REQUIRE(line <= lines.size());
    CHECK_THAT(lines[line - 1], contains("recorded("));
  }
}

TEST_CASE("seq2seq explain writes a page without a script") {
  const TemporaryFolder folder;
  REQUIRE(train(folder, "").code == 0);
  CHECK(explain(folder, "abc --html page.html").empty());
  const std::string page = folder.read("page.html");
  CHECK_THAT(page, Catch::Matchers::StartsWith("<!DOCTYPE html>"));
  CHECK_THAT(page, contains("id=\"step-1\"") && !contains("<script") && !contains("http:") &&
                       !contains("https:") && !contains("src=") && !contains("@import"));
  CHECK_THAT(page, contains("default-src 'none'") && contains("prefers-color-scheme: dark"));
  CHECK_THAT(page, contains("v<sup>T</sup> tanh(W [h ; y])") && contains("s<sub>t-1</sub>"));
}

TEST_CASE("seq2seq explain reports wrong use in one line and writes nothing") {
  const TemporaryFolder folder;
  REQUIRE(train(folder, "").code == 0);
  const int entries = folder.entries();
  const auto refuses = [&](const std::string& arguments, const std::string& part) {
    INFO(arguments);
    const Result result = seq2seq(folder, "explain --run run " + arguments);
    check_error(result, part);
    CHECK(result.out.empty());
    CHECK(folder.entries() == entries);
  };
  refuses("", "source: there are 0; expected one, in quotes");
  refuses("abc de", "source: there are 2; expected one, in quotes");
  refuses("abc --html no/page.html", "--html: there is no folder 'no'");
  refuses("''", "the source is empty");
  refuses("abc --target ''", "--target: it is empty");
  refuses("abc --layer 2", "--layer 2: the model has one layer with attention to the source");
  refuses("abc --head 2", "--head 2: its attention has one head");
  refuses("abc --target ab --step 4", "--step 4: the decoding has 3 steps");
  refuses("abc --step 0", "--step");
  refuses("abc --beam 2", "--beam");
  check_error(seq2seq(folder, "explain abc"), "--run");
  check_error(seq2seq(folder, "explain --run nowhere abc"), "there is no run folder 'nowhere'");

  const Result unknown = seq2seq(folder, "explain --run run abÉ --target aÜ --step 1");
  CHECK(unknown.code == 0);
  CHECK_THAT(unknown.err, contains("training never showed 'É', 'Ü'"));
  CHECK_THAT(unknown.out, contains("<unk>"));
}
