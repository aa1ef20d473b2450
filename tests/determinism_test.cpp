#include <cstring>
#include <vector>

#include "attune/autograd/array/random.h"
#include "attune/autograd/array/threads.h"
#include "attune/autograd/shards.h"
#include "attune/data/all.h"
#include "attune/models/all.h"
#include "attune/optim/all.h"
#include "catch.h"

using namespace attune;

namespace {

struct Outcome {
  std::vector<float> losses, parameters;
  bool operator==(const Outcome& other) const {
    // Bits, not numbers: -0 is not 0 here.
    return losses.size() == other.losses.size() && parameters.size() == other.parameters.size() &&
           std::memcmp(losses.data(), other.losses.data(), 4 * losses.size()) == 0 &&
           std::memcmp(parameters.data(), other.parameters.data(), 4 * parameters.size()) == 0;
  }
};

// A few steps of a whole training: batches in shards, dropout, clipping, Adam.
Outcome train(EncoderDecoderOptions options, std::uint64_t seed, int thread_count,
              std::int64_t shards = 1, const char* optimizer_name = "adam") {
  const int before = threads();
  set_threads(thread_count);
  attune::seed(seed);
  options.source_vocabulary = options.target_vocabulary = 30;
  const SyntheticPairs pairs{make_task("reverse"), Split::train, seed, 6, 12};
  const auto example = [&](std::uint64_t index) {
    Example made;
    const Pair pair = pairs[index];
    for (const char letter : pair.source) made.source.push_back(letter - 'a' + 4);
    for (const char letter : pair.target) made.target.push_back(letter - 'a' + 4);
    return made;
  };
  BatchStream batches(example, 64, seed);
  const std::shared_ptr<Seq2Seq> model = make_model(options);
  const double teacher_forcing = options.model == "transformer" ? 1 : 0.8;
  const auto optimizer = make_optimizer(optimizer_name, model->parameters());
  Outcome outcome;
  for (int step = 0; step < 3; ++step) {
    optimizer->zero_grad();
    const Batch batch = batches.next();
    const std::vector<Batch> parts = shards_of(batch, shards);
    const double loss = sharded_backward(shards, [&](std::int64_t i) {
      return model->loss(parts[static_cast<std::size_t>(i)], {.teacher_forcing = teacher_forcing}) *
             (1.0 / shards);
    });
    clip_grad_norm(model->parameters(), 0.5);
    optimizer->step();
    outcome.losses.push_back(static_cast<float>(loss));
  }
  for (const auto& [name, value] : model->values()) {
    const std::vector<float> numbers = value.to_vector();
    outcome.parameters.insert(outcome.parameters.end(), numbers.begin(), numbers.end());
  }
  set_threads(before);
  return outcome;
}

// With operations that are split among threads, and with fewer and more shards than threads.
void check_thread_counts(const EncoderDecoderOptions& options, const char* optimizer = "adam") {
  for (const std::int64_t shards : {1, 3}) {
    const Outcome one = train(options, 1, 1, shards, optimizer);
    for (const int count : {2, 3, 8}) {
      INFO(count << " threads, " << shards << " shards");
      CHECK((train(options, 1, count, shards, optimizer) == one));
    }
  }
}

}  // namespace

// With 256 units the gates of a GRU are products of 64 x 768 x 256, for which the threads of
// OpenBLAS give other bits than one thread.
TEST_CASE("training a wide GRU with additive attention is bitwise equal for 1, 2, 3, 8 threads") {
  check_thread_counts({.embedding = 256, .hidden = 256, .dropout = 0.1});
}

TEST_CASE("training a stacked LSTM with general attention is bitwise equal for any threads") {
  check_thread_counts({.cell = "lstm", .attention = "general", .layers = 2, .hidden = 128},
                      "rmsprop");
}

TEST_CASE("training a unidirectional RNN with dot attention is bitwise equal for any threads") {
  check_thread_counts(
      {.cell = "rnn", .attention = "dot", .bidirectional = false, .hidden = 384, .dropout = 0.3},
      "nesterov");
}

TEST_CASE("training a GRU with multi-head attention is bitwise equal for any threads") {
  for (const char* score : {"additive", "cosine"})
    check_thread_counts({.attention = score, .hidden = 96, .heads = 3});
}

TEST_CASE("training a Transformer is bitwise equal for any threads") {
  check_thread_counts({.model = "transformer",
                       .layers = 2,
                       .embedding = 128,
                       .dropout = 0.1,
                       .heads = 4,
                       .feed_forward = 512});
}

TEST_CASE("training is bitwise reproducible for one seed and differs for another") {
  const EncoderDecoderOptions options{.hidden = 32, .dropout = 0.2};
  const Outcome first = train(options, 7, 2, 2);
  CHECK((train(options, 7, 2, 2) == first));
  CHECK_FALSE((train(options, 8, 2, 2) == first));
}
