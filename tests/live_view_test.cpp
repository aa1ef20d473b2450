#include "attune/train/live_view.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <regex>

#include "attune/autograd/array/random.h"
#include "attune/data/utf8.h"
#include "attune/train/all.h"
#include "catch.h"
#include "temporary_folder.h"

using namespace attune;

namespace {

Run trained(const TemporaryFolder& folder, TrainOptions options) {
  options.run = folder.path("run");
  options.steps = 3;
  options.batch = 4;
  options.model.hidden = 8;
  train(options);
  return load_run(options.run);
}

std::vector<Question> questions_for(const Run& run, const std::string& source,
                                    const std::string& target) {
  return {
      {.text = {}, .source = run.source.encode(source), .references = {run.target.encode(target)}}};
}

int widest(const std::vector<std::string>& lines) {
  int width = 0;
  for (const std::string& line : lines)
    width = std::max(
        width, utf8::display_width(std::regex_replace(line, std::regex("\x1b\\[[0-9;]*m"), "")));
  return width;
}

}  // namespace

TEST_CASE("a sparkline shows a loss on a logarithmic scale") {
  LossHistory losses;
  CHECK(losses.line(80).empty());
  for (const double loss : {8.0, 4.0, 2.0, 1.0, 0.5, 0.25, 0.125, 0.0625}) losses.add(loss);
  CHECK(losses.line(80) == "loss 8 █▇▆▅▄▃▂▁ 0.0625");
  CHECK(losses.line(20) == "loss 8 █▇▅▄▃▁ 0.0625");
  CHECK(losses.line(10).empty());
}

TEST_CASE("a sparkline of a constant loss is flat, and leaves out NaN and infinity") {
  LossHistory losses;
  losses.add(std::numeric_limits<double>::quiet_NaN());
  CHECK(losses.line(80).empty());
  losses.add(2);
  losses.add(std::numeric_limits<double>::infinity());
  losses.add(2);
  CHECK(losses.line(80) == "loss 2 ▁▁ 2");
  losses.add(0);  // has no logarithm
  CHECK(losses.line(80) == "loss 2 ██▁ 0");
}

TEST_CASE("the history of a loss stays bounded, and its means are those of equal parts") {
  LossHistory losses;
  constexpr int kValues = 3000;
  for (int i = 0; i < kValues; ++i) losses.add(i);
  const std::vector<double> means = losses.means();
  CHECK(means.size() == kValues / 8);
  for (std::size_t i = 0; i < means.size(); ++i)
    CHECK(means[i] == 8 * static_cast<double>(i) + 3.5);
  for (int columns = 1; columns < 120; ++columns)
    CHECK(utf8::display_width(losses.line(columns)) <= columns);
}

TEST_CASE("the live view fits the terminal, whatever the tokens are") {
  const TemporaryFolder folder;
  const std::string source = "猫 \xF0\x9F\x98\x80 a\u0301 \x1b[2J שלום " + std::string(1000, 'x');
  TrainOptions options;
  options.data = {.file = folder.write("pairs.tsv", source + "\tone 二 three\n"),
                  .source_tokens = "words",
                  .target_tokens = "words"};
  const Run run = trained(folder, options);
  LiveView view(run, questions_for(run, source, "one 二 three"));
  for (int i = 0; i < 100; ++i) view.add_loss(100 - i);
  for (const int rows : {-1, 0, 1, 2, 5, 23, 50})
    for (const int columns : {1, 9, 19, 20, 30, 79, 200}) {
      CAPTURE(rows, columns);
      LiveView fresh = view;  // which computes the map at once
      const std::vector<std::string> lines = fresh.lines({columns, rows});
      CHECK(std::ssize(lines) <= std::max(rows, 0));
      CHECK(widest(lines) <= columns);
      const bool has_map = lines.size() > 1;
      CHECK(has_map == (rows >= 23 && columns >= 20));
      for (const std::string& line : lines) CHECK(line.find("\x1b[2J") == std::string::npos);
    }
}

TEST_CASE("the live view shows the first pair that fits, and only the loss without any") {
  const TemporaryFolder folder;
  TrainOptions options;
  options.data = {.task = "reverse", .max_length = 20};
  const Run run = trained(folder, options);
  std::vector<Question> questions = questions_for(run, "abcdefghijkl", "lkjihgfedcba");
  questions.push_back(questions_for(run, "abc", "cba").front());
  const auto lines_in = [&](int rows) { return LiveView(run, questions).lines({60, rows}); };
  CHECK(lines_in(20).size() == 1 + 12 + 2);  // without a loss: letters, targets, colour scale
  CHECK(lines_in(14).size() == 1 + 3 + 2);
  CHECK(lines_in(5).empty());
  LiveView none(run, {});
  none.add_loss(1);
  CHECK(none.lines({60, 20}) == std::vector<std::string>{"loss 1 ▁ 1"});
}

TEST_CASE("the live view draws no random numbers, and keeps the map for a while") {
  const TemporaryFolder folder;
  TrainOptions options;
  options.data = {.task = "reverse"};
  options.model.dropout = 0.5;
  options.model.normalizer = "gumbel";
  const Run run = trained(folder, options);
  LiveView view(run, questions_for(run, "abc", "cba"));
  const std::uint64_t draws = generator().draws();
  const std::vector<std::string> lines = view.lines({60, 20});
  CHECK(lines.size() == 6);
  CHECK(generator().draws() == draws);
  NamedArrays zeros = run.model->values();
  for (auto& [name, values] : zeros) values = Array::zeros(values.shape());
  run.model->load(zeros);
  CHECK(view.lines({60, 20}) == lines);
  CHECK(view.lines({60, 5}).empty());  // the terminal became smaller
}
