// Checks the gradients of this project's members, then trains a model that is made of them:
//
//   extension [FAMILY=NAME...]
//
// FAMILY is cell, score, normalizer, encoder, optimizer or task, and NAME any member of it, one of
// the library's or of this project's. Exits with 1 if a gradient is wrong, or if the model has not
// learned its task.
#include <map>

#include "batch_norm.h"
#include "gated.h"
#include "members.h"
#include "squared_distance.h"

using namespace attune;
using namespace extension;

namespace {

constexpr int kSteps = 800, kBatch = 64, kLongest = 10, kTested = 1000;
constexpr double kWanted = 0.95;  // of unseen words, written without a mistake

using Names = std::map<std::string, std::string>;  // by family

Tensor random(const Shape& shape) {
  Array values(shape, DType::f64);
  generator().uniform(values, -1, 1);
  return Tensor::parameter(values);
}

using Results = std::vector<Tensor>;

// Compares the gradients of a layer's parameters and of its inputs with finite differences.
// Errors: they differ.
void check(const std::string& name, const Layer& layer, const std::vector<Tensor>& inputs,
           const std::function<Results()>& function) {
  std::vector<std::pair<std::string, Tensor>> leaves;
  for (const Param& param : layer.parameters()) leaves.emplace_back(param.name, param.value);
  for (const Tensor& input : inputs) leaves.emplace_back("input", input);
  const GradcheckResult result = gradcheck(function, leaves);
  ATTUNE_CHECK(result.ok, "{}: {}", name, result.message);
  fmt::print("{}: right gradients\n", name);
}

void check_operations() {
  const Tensor x = random({3, 5}), gate = random({5});
  check("gated", Layer(), {x, gate}, [&] { return Results{gated(x, gate)}; });
  const Tensor a = random({4, 3, 7}), b = random({3, 7});
  check("squared_distance", Layer(), {a, b}, [&] { return Results{squared_distance(a, b)}; });
}

void check_layer() {
  const BatchNorm norm(2);
  const Tensor x = random({64, 2});
  const auto run = [&] { return Results{norm(x)}; };
  check("BatchNorm in training", norm, {x}, run);
  for (int i = 0; i < 100; ++i) run();
  const Tensor trained = norm(x);
  const Eval eval;
  check("BatchNorm under Eval", norm, {x}, run);
  ATTUNE_CHECK(all(abs(norm(x) - trained) < 0.05),
               "BatchNorm: under Eval its output is not that of training");
}

void check_cell(const std::string& name) {
  const auto cell = make_cell(name, 3, 4);
  const Tensor x = random({5, 2, 3});
  check(name, *cell, {x}, [&] {
    const SequenceResult result = cell->run(x, {}, {.lengths = {5, 3}});
    return Results{result.output, result.h};
  });
}

void check_attention(const std::string& score, const std::string& normalizer) {
  const Attention attention(score, {.query_size = 4, .hidden = 3, .normalizer = normalizer});
  const Tensor query = random({2, 4}), keys = random({5, 2, 4});
  check(score + " with " + normalizer, attention, {query, keys}, [&] {
    const AttentionResult found = attention.attend(query, attention.memorize(keys, {5, 3}));
    return Results{found.context, found.weights};
  });
}

void check_encoder(const std::string& name) {
  const auto encoder = make_encoder(name, {.source_vocabulary = 7, .embedding = 3, .hidden = 2});
  const Sources source = make_sources(std::vector<std::vector<int>>{{4, 5, 6, 5}, {6, 4}});
  check(name, *encoder, {}, [&] { return Results{(*encoder)(source).states}; });
}

void check_gradients(Names& names) {
  const DefaultDType float64(DType::f64);
  check_operations();
  check_layer();
  check_cell(names["cell"]);
  check_attention(names["score"], names["normalizer"]);
  check_encoder(names["encoder"]);
}

// Trains on random words. Errors: too few unseen ones come out right.
void train(Names& names) {
  const Vocabulary letters =
      Vocabulary::build(Tokens::chars, std::vector<std::string>{"abcdefghijklmnopqrstuvwxyz"});
  const EncoderDecoderOptions options{.source_vocabulary = letters.size(),
                                      .target_vocabulary = letters.size(),
                                      .cell = names["cell"],
                                      .attention = names["score"],
                                      .normalizer = names["normalizer"]};
  const auto encoder = make_encoder(names["encoder"], options);
  const Seq2Seq model(encoder, make_decoder("recurrent", options, encoder->state_size()));

  const Task task = make_task(names["task"]);
  const auto pair = [&](Split split, std::uint64_t i) {
    const Pair words = SyntheticPairs{task, split, 1, 1, kLongest}[i];
    return Example{letters.encode(words.source), letters.encode(words.target)};
  };
  BatchStream batches([&](std::uint64_t i) { return pair(Split::train, i); }, kBatch, /*seed=*/1);
  const auto optimizer =
      make_optimizer(names["optimizer"], model.parameters(), {.learning_rate = 0.001});
  const auto schedule = make_schedule("cosine", {.total_steps = kSteps});
  for (int step = 0; step < kSteps; ++step) {
    optimizer->zero_grad();
    model.loss(batches.next()).backward();
    clip_grad_norm(model.parameters(), 1);
    optimizer->scale_learning_rate(schedule->factor(step));
    optimizer->step();
  }

  std::vector<std::vector<int>> sources, targets;
  for (int i = 0; i < kTested; ++i) {
    const Example unseen = pair(Split::test, static_cast<std::uint64_t>(i));
    sources.push_back(unseen.source), targets.push_back(unseen.target);
  }
  const std::vector<Hypothesis> found = greedy_search(model, sources, 2 * kLongest);
  Scores scores;
  for (std::size_t i = 0; i < found.size(); ++i) scores.add(found[i].tokens, targets[i]);
  fmt::print("{:.1f}% of {} unseen words are right\n", 100 * scores.sequence_accuracy(), kTested);
  ATTUNE_CHECK(scores.sequence_accuracy() >= kWanted,
               "too few words are right; expected at least {}%", 100 * kWanted);
}

// Parses FAMILY=NAME, which replaces the member of a family. Errors: any other argument.
void choose(Names& names, const std::string& argument) {
  const std::size_t equals = argument.find('=');
  const auto family = names.find(argument.substr(0, equals));
  ATTUNE_CHECK(equals != std::string::npos && family != names.end(), "'{}' is not FAMILY=NAME",
               argument);
  family->second = argument.substr(equals + 1);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    add_members();
    Names names{{"cell", "mgu"},     {"score", "l2"},       {"normalizer", "softmax"},
                {"encoder", "conv"}, {"optimizer", "lion"}, {"task", "swap"}};
    for (int i = 1; i < argc; ++i) choose(names, argv[i]);
    seed(1);
    check_gradients(names);
    train(names);
  } catch (const Error& error) {
    fmt::print(stderr, "extension: {}\n", error.what());
    return 1;
  }
}
