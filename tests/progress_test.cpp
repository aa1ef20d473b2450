#include "attune/train/progress.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "attune/data/utf8.h"
#include "catch.h"

using namespace attune;

namespace {

// A file to write to, a manual clock, and a terminal of a given width.
class Stage {
 public:
  explicit Stage(int columns) : file_(std::tmpfile()), columns_(columns) { REQUIRE(file_); }
  ~Stage() { std::fclose(file_); }

  Progress::Output output() {
    return {file_, [this] { return TerminalSize{columns_, kRows}; }, [this] { return seconds; }};
  }

  std::string text() const {
    std::string result;
    std::rewind(file_);
    for (int c; (c = std::fgetc(file_)) != EOF;) result += static_cast<char>(c);
    return result;
  }

  double seconds = 0;
  static constexpr int kRows = 8;

 private:
  std::FILE* file_;
  int columns_;
};

int columns_of(std::string_view text) {
  return static_cast<int>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

int count(std::string_view text, std::string_view part) {
  int result = 0;
  for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++result;
  return result;
}

const ProgressState half_way = {"training", 500, 1000, 0.12345, 0.981, 35234, 12};

}  // namespace

TEST_CASE("a progress bar shows steps, loss, accuracy, tokens per second and time left") {
  CHECK(progress_bar(half_way, 100) ==
        "training ━━━━━━━━━━━───────────  500/1000   50%  loss 0.1235  accuracy 98.1%  35.2k tok/s"
        "  0:12 left");
}

TEST_CASE("a terminal of 80 columns shows every figure of a long training run") {
  ProgressState state = half_way;
  state.total = 20000;
  state.seconds_left = 754;
  const std::string line = progress_bar(state, 79);
  for (const char* part : {"─", "500/20000", "loss", "accuracy", "tok/s", "12:34 left"}) {
    CHECK_THAT(line, contains(part));
  }
}

TEST_CASE("a progress bar fits any width and drops the least important figures first") {
  std::size_t figures = 0;
  for (int columns = 1; columns < 150; ++columns) {
    const std::string line = progress_bar(half_way, columns);
    CAPTURE(columns, line);
    CHECK(columns_of(line) <= columns);
    CHECK_FALSE(line.empty());
    const std::vector<std::string> order = {"500/1000", "left",  "loss",
                                            "accuracy", "tok/s", "%  l"};
    std::size_t shown = 0;
    while (shown < order.size() && line.find(order[shown]) != line.npos) ++shown;
    CHECK(shown >= figures);
    figures = shown;
  }
  CHECK(figures == 6);
}

TEST_CASE("the filled part of a progress bar is the fraction done") {
  const auto bar = [](int done) { return progress_bar({"", done, 80}, 200); };
  CHECK(count(bar(0), "━") == 0);
  CHECK(count(bar(0), "─") == 40);
  CHECK(count(bar(1), "╸") == 1);
  CHECK(count(bar(40), "━") == 20);
  CHECK(count(bar(79), "━") == 39);
  CHECK(count(bar(80), "━") == 40);
  CHECK_THAT(bar(79), contains(" 98%"));
  CHECK_THAT(bar(80), contains("100%"));
}

TEST_CASE("unknown figures are left out of a progress line") {
  CHECK(progress_text({"reading", 3, 4}) == "reading 3/4   75%");
}

TEST_CASE("on a terminal the progress line is drawn at most ten times a second") {
  Stage stage(80);
  Progress progress("training", 1000, 0, stage.output());
  for (int i = 0; i < 1000; ++i) {
    stage.seconds += 0.001;
    progress.step({.loss = 1, .accuracy = 0.5, .tokens = 10});
  }
  CHECK(count(stage.text(), "\r") >= 9);
  CHECK(count(stage.text(), "\r") <= 10);
  CHECK(count(stage.text(), "\n") == 0);
  progress.finish();
  CHECK(stage.text().ends_with("\x1b[K\n"));
  CHECK_THAT(stage.text(), contains("1000/1000") && contains("took 0:01"));
}

TEST_CASE("without a terminal progress is a plain line for each tenth") {
  Stage stage(0);
  {
    Progress progress("training", 200, 0, stage.output());
    for (int i = 0; i < 200; ++i) {
      stage.seconds += 0.01;
      progress.step({.loss = 0.25, .tokens = 50});
    }
  }
  const std::string text = stage.text();
  CHECK(count(text, "\n") == 10);
  CHECK(count(text, "\r") == 0);
  CHECK(count(text, "\x1b") == 0);
  CHECK_THAT(text, contains("training  20/200   10%  loss 0.2500   5.0k tok/s  0:02 left\n"));
  CHECK(text.ends_with("training 200/200  100%  loss 0.2500   5.0k tok/s  took 0:02\n"));
}

TEST_CASE("without a terminal slow work is reported at least every ten seconds") {
  Stage stage(0);
  Progress progress("training", 100000, 0, stage.output());
  for (int i = 0; i < 35; ++i) {
    stage.seconds += 1;
    progress.step({});
  }
  CHECK(count(stage.text(), "\n") == 3);
}

TEST_CASE("speed and time left are measured from where work was resumed") {
  Stage stage(0);
  Progress progress("training", 100, 80, stage.output());
  for (int i = 0; i < 10; ++i) {
    stage.seconds += 2;
    progress.step({.tokens = 100});
  }
  CHECK_THAT(stage.text(), contains(" 90/100   90%") && contains(" 50 tok/s  0:20 left\n"));
}

TEST_CASE("a message is written above the progress line") {
  Stage stage(80);
  Progress progress("training", 100, 0, stage.output());
  progress.print("before");
  stage.seconds = 1;
  progress.step({});
  progress.print("valid accuracy 98%");
  progress.finish();
  progress.print("after");
  const std::string text = stage.text();
  CHECK(text.starts_with("\r\x1b[Jbefore\n\rtraining"));
  CHECK_THAT(text, contains("\r\x1b[Jvalid accuracy 98%\n\rtraining"));
  CHECK(text.ends_with("\x1b[K\nafter\n"));
}

TEST_CASE("finishing progress twice or without a step writes nothing") {
  Stage stage(80);
  {
    Progress progress("training", 2, 0, stage.output());
    progress.finish();
  }
  CHECK(stage.text().empty());
  Progress progress("training", 2, 0, stage.output());
  progress.step({});
  progress.finish();
  const std::string text = stage.text();
  progress.finish();
  CHECK(stage.text() == text);
}

TEST_CASE("progress that cannot be written in the destructor does not end the program") {
  struct Failed {};
  Stage stage(0);
  const auto run = [&] {
    bool broken = false;
    Progress progress("training", 3, 0, {.file = stage.output().file, .size = [&] {
                                           if (broken) throw std::bad_alloc();
                                           return TerminalSize();
                                         }});
    progress.step({});
    broken = true;
    throw Failed();
  };
  CHECK_THROWS_AS(run(), Failed);
}

TEST_CASE("a progress bar with a label in wide characters fits any width") {
  for (const char* label :
       {"訓練中です", "👩‍🚀🎉 训练", "e\u0301te\u0301", "\u200B\u200B훈련",
        "❤️❤️❤️❤️", "תרגול", "1️⃣🇩🇪",
        "a very long name of a run that says all that was chosen for it, and 訓練 as well"}) {
    ProgressState state = half_way;
    state.label = label;
    for (int columns = 1; columns < 150; ++columns) {
      const std::string line = progress_bar(state, columns);
      CAPTURE(columns, line);
      CHECK(utf8::display_width(line) <= columns);
      if (columns >= 80) {
        CHECK_THAT(line, contains("500/1000"));
        CHECK_THAT(line, contains("0:12 left"));
      }
    }
  }
}

TEST_CASE("a progress line shows no control characters of its label") {
  Stage terminal(60), file(0);
  for (Stage* stage : {&terminal, &file}) {
    Progress progress("\x1b[2Ja\nb\x9b", 2, 0, stage->output());
    stage->seconds += 1;
    progress.step({});
    progress.print("\x1b[31mx\ty");
    progress.finish();
  }
  CHECK_THAT(terminal.text(), contains("U+001B[2JaU+0…") || contains("U+001B[2JaU+000Ab"));
  CHECK_THAT(terminal.text(), contains("U+001B[31mxU+0009y"));
  CHECK_THAT(terminal.text(), !contains("\x1b[2J"));
  CHECK_THAT(file.text(), contains("U+001B[2JaU+000Ab\\x9b"));
  CHECK_THAT(file.text(), contains("\x1b[31mx\ty\n"));  // a file holds what was written
}

TEST_CASE("COLUMNS and LINES set the size of a terminal") {
  const auto check = [](const char* variable, auto size) {
    const char* before = std::getenv(variable);
    const std::string kept = before == nullptr ? "" : before;
    ::setenv(variable, "33", 1);
    CHECK(size() == 33);
    for (const char* none : {"", "0", "-3", "wide", "99999999999"}) {
      ::setenv(variable, none, 1);
      CHECK(size() > 0);
      CHECK(size() < 10000);
    }
    before == nullptr ? ::unsetenv(variable) : ::setenv(variable, kept.c_str(), 1);
  };
  check("COLUMNS", [] { return size_of_terminal(stderr).columns; });
  check("LINES", [] { return size_of_terminal(stderr).rows; });
}

TEST_CASE("lines below a progress bar are drawn over those before") {
  Stage stage(40);
  Progress progress("training", 10, 0, stage.output());
  std::vector<std::string> lines = {"a", "b", "c"};
  progress.show_below([&](TerminalSize room) {
    CHECK(room.columns == 39);
    CHECK(room.rows == Stage::kRows - 2);
    return lines;
  });
  const auto drawn = [&] {
    const std::size_t before = stage.text().size();
    stage.seconds += 1;
    progress.step({});
    return stage.text().substr(before);
  };
  const std::string first = drawn();
  CHECK(first.starts_with("\rtraining "));
  CHECK(first.ends_with("\x1b[K\na\x1b[K\nb\x1b[K\nc\x1b[K"));
  lines = {"d"};
  const std::string second = drawn();
  CHECK(second.starts_with("\r\x1b[3Atraining "));
  CHECK(second.ends_with("\x1b[K\nd\x1b[K\x1b[J"));
  const std::size_t before = stage.text().size();
  progress.print("note");
  const std::string printed = stage.text().substr(before);
  CHECK(printed.starts_with("\r\x1b[1A\x1b[Jnote\n\rtraining "));
  CHECK(printed.ends_with("\nd\x1b[K"));
  progress.finish();
  CHECK(stage.text().ends_with("\nd\x1b[K\n"));
}

TEST_CASE("nothing is shown below the lines of progress in a file") {
  Stage stage(0);
  Progress progress("training", 10, 0, stage.output());
  progress.show_below([](TerminalSize) { return std::vector<std::string>{"below"}; });
  for (int i = 0; i < 10; ++i) progress.step({});
  progress.finish();
  CHECK_THAT(stage.text(), contains("10/10") && !contains("below"));
}
