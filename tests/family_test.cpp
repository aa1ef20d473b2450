#include "attune/autograd/array/family.h"

#include "attune/autograd/array/error.h"
#include "attune/autograd/ops/arithmetic.h"
#include "attune/data/tasks.h"
#include "attune/layers/all.h"
#include "attune/metrics/all.h"
#include "attune/models/decoder.h"
#include "attune/models/encoder.h"
#include "attune/optim/all.h"
#include "catch.h"

using namespace attune;

namespace {

int twice(int x) { return 2 * x; }
int square_of(int x) { return x * x; }

Family<int (*)(int)> family() {
  return {"function", {{"twice", "2 x", "", twice}, {"square", "x^2", "Euclid", square_of}}};
}

template <typename Maker>
void check_table(const Family<Maker>& family, const std::vector<std::string>& names) {
  INFO(family.what());
  CHECK(family.names() == names);
  for (const auto& member : family.members()) {
    INFO(member.name);
    CHECK_FALSE(member.summary.empty());
    CHECK(member.make);
  }
}

}  // namespace

TEST_CASE("a family lists its members in the order of its table") {
  const auto functions = family();
  CHECK(functions.names() == std::vector<std::string>{"twice", "square"});
  CHECK(functions.at("square").make(3) == 9);
  CHECK(functions.at("square").source == "Euclid");
}

TEST_CASE("an unknown name is an error that lists the family's names") {
  CHECK_THROWS_WITH(family().at("cube"), "function: 'cube' is unknown; known are twice, square");
}

TEST_CASE("a program can add a member with an unused name to a family") {
  auto functions = family();
  const auto& first = functions.at("twice");
  functions.add({"cube", "x^3", "", [](int x) { return x * x * x; }});
  CHECK(functions.at("cube").make(2) == 8);
  CHECK(&first == &functions.at("twice"));
  CHECK_THROWS_WITH(functions.add({"cube", "", "", twice}), "function: the name 'cube' is taken");
  CHECK_THROWS_AS(functions.add({"", "", "", twice}), Error);
}

TEST_CASE("every member of a family has a summary and can be made by name") {
  check_table(activations(), activation_names());
  check_table(cells(), cell_names());
  check_table(attention_scores(), score_names());
  check_table(positional_encodings(), positional_encoding_names());
  check_table(norm_layers(), norm_layer_names());
  check_table(head_mixers(), head_mixer_names());
  check_table(sequence_mixers(), sequence_mixer_names());
  check_table(optimizers(), optimizer_names());
  check_table(schedules(), schedule_names());
  check_table(encoders(), encoders().names());
  check_table(decoders(), decoders().names());
  check_table(tasks(), task_names());
  check_table(text_metrics(), text_metrics().names());
  check_table(tokenizers(), tokenizers().names());
}

TEST_CASE("an activation added by a program is accepted wherever activations are named") {
  static const bool added = [] {
    activations().add({"cube", "x^3", "", [](const Tensor& x) { return x * x * x; }});
    return true;
  }();
  REQUIRE(added);
  CHECK(make_activation("cube")(Array::full({1}, 2)).item() == 8);
  CHECK(FeedForward({2, 3, 1}, "cube")(Array::full({1, 2}, 1)).shape() == Shape({1, 1}));
}

TEST_CASE("a task added by a program generates examples") {
  static const bool added = [] {
    tasks().add({"first", "write the first letter", "", [](const TaskOptions&) {
                   return Task{[](std::string_view) { return std::vector<int>{0}; }};
                 }});
    return true;
  }();
  REQUIRE(added);
  const Pair pair = SyntheticPairs{make_task("first")}[3];
  CHECK(pair.target == pair.source.substr(0, 1));
}
