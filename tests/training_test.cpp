#include "attune/train/training.h"

#include "attune/optim/all.h"
#include "attune/train/all.h"
#include "catch.h"
#include "temporary_folder.h"

using namespace attune;

namespace {

Vocabulary letters() { return Vocabulary::build(Tokens::chars, std::vector<std::string>{"abc"}); }

Seq2Seq small_model() {
  seed(1);
  return *make_model({.source_vocabulary = letters().size(),
                      .target_vocabulary = letters().size(),
                      .embedding = 3,
                      .hidden = 5});
}

Batch small_batch() {
  const std::vector<Example> examples = {{letters().encode("abc"), letters().encode("cba")},
                                         {letters().encode("b"), letters().encode("b")}};
  return make_batch(examples);
}

std::vector<std::vector<float>> values_of(const Layer& model) {
  std::vector<std::vector<float>> values;
  for (const auto& [name, array] : model.values()) values.push_back(array.to_vector());
  return values;
}

}  // namespace

TEST_CASE("a training step reduces the loss of its batch") {
  const Seq2Seq model = small_model();
  SGD optimizer(model.parameters(), {.learning_rate = 0.1});
  ParameterCopy last_good(model);
  const auto before = values_of(model);
  const StepResult first = train_step(model, small_batch(), optimizer, last_good);
  const StepResult second = train_step(model, small_batch(), optimizer, last_good);
  CHECK(first.good());
  CHECK(first.loss == Approx(small_model().loss(small_batch()).item()));
  CHECK(first.gradient_norm > 0);
  CHECK(second.loss < first.loss);
  CHECK(values_of(model) != before);
}

TEST_CASE("a step that gives infinity restores the parameters and reports where it occurred") {
  const Seq2Seq model = small_model();
  SGD optimizer(model.parameters(), {.learning_rate = 1e300});
  ParameterCopy last_good(model);
  const auto before = values_of(model);
  const StepResult result = train_step(model, small_batch(), optimizer, last_good);
  CHECK_FALSE(result.good());
  CHECK(result.fault.starts_with("the values of parameter '"));
  CHECK(values_of(model) == before);
}

TEST_CASE("train() writes a run folder whose model can translate") {
  const TemporaryFolder folder;
  const std::string path = folder.path("run");
  const TrainingEnd end = train({.run = path,
                                 .data = {.task = "copy", .max_length = 4},
                                 .model = {.hidden = 8},
                                 .batch = 4,
                                 .steps = 3});
  CHECK(end.signal == 0);
  CHECK_FALSE(end.was_finished);
  CHECK_FALSE(end.heat_map.empty());

  const Run run = load_run(path);
  CHECK(run.config.task == "copy");
  CHECK(run.config.max_length == 4);
  const std::vector<std::vector<int>> sources = {run.source.encode("ab")};
  CHECK(answer(run, sources).size() == 1);
  CHECK(train({.run = path, .resume = true}).was_finished);

  const Evaluation result = evaluate({.run = path, .count = 5});
  CHECK(result.measures.scores.sequences() == 5);
  CHECK_THAT(result.json(), contains("\"sequences\":5"));
  CHECK_THROWS_WITH(evaluate({.run = path, .max_source_length = 3}),
                    contains("max_source_length is for data; min_length and max_length"));
  CHECK_THROWS_AS(evaluate({.run = path, .count = 0}), OptionError);

  Translator translate({.run = path, .max_output_length = 2});
  const Translation found = translate("abc");
  CHECK(found.alignment.source == std::vector<std::string>{"a", "b", "c"});
  CHECK(found.alignment.target.size() <= 2);
  CHECK_THROWS_AS(translate(""), BadLine);
  CHECK_THROWS_WITH(translate("abcde"), contains("raise it with max_source_length"));
}

TEST_CASE("gradients of several batches are those of the whole, per token") {
  const std::vector<Example> examples = {{letters().encode("abc"), letters().encode("cba")},
                                         {letters().encode("b"), letters().encode("b")},
                                         {letters().encode("ca"), letters().encode("acab")}};
  const Seq2Seq whole = small_model(), parts = small_model();
  const std::vector<Batch> all = {make_batch(examples)};
  const std::vector<Batch> two = {make_batch(std::span(examples).first(1)),
                                  make_batch(std::span(examples).last(2))};
  const BatchLoss one = add_gradients(whole, all, {});
  const BatchLoss sum = add_gradients(parts, two, {});
  CHECK(sum.loss == Approx(one.loss));
  CHECK(sum.accuracy == Approx(one.accuracy));
  const std::vector<Param> a = whole.parameters(), b = parts.parameters();
  for (std::size_t i = 0; i < a.size(); ++i) {
    const std::vector<float> x = a[i].value.grad().to_vector(), y = b[i].value.grad().to_vector();
    for (std::size_t k = 0; k < x.size(); ++k) CHECK(x[k] == Approx(y[k]).margin(1e-6));
  }
}
