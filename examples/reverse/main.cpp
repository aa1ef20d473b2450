#include "attune/attune.h"
using namespace attune;

constexpr int kSteps = 600, kBatch = 64, kLongest = 12;

// A model and its vocabulary: letters are the tokens of both source and target.
struct Reverser {
  Vocabulary letters = Vocabulary::build(Tokens::chars, std::vector<std::string>{alphabet});
  std::shared_ptr<Seq2Seq> model = make_model({.model = "recurrent",
                                               .source_vocabulary = letters.size(),
                                               .target_vocabulary = letters.size(),
                                               .cell = "gru",
                                               .attention = "additive"});

  static constexpr const char* alphabet = "abcdefghijklmnopqrstuvwxyz";
};

// Words of random letters and their reverses. No word of Split::test is in Split::train.
SyntheticPairs words(Split split) { return {make_task("reverse"), split, 1, 1, kLongest}; }

void train(Reverser& reverser) {
  const auto example = [&letters = reverser.letters, pairs = words(Split::train)](std::uint64_t i) {
    return Example{letters.encode(pairs[i].source), letters.encode(pairs[i].target)};
  };
  BatchStream batches(example, kBatch, /*seed=*/1);
  Adam optimizer(reverser.model->parameters(), {.learning_rate = 0.004});
  const auto schedule = make_schedule("cosine", {.total_steps = kSteps});
  Progress progress("training", kSteps);
  for (int step = 0; step < kSteps; ++step) {
    const Batch batch = batches.next();
    const Tensor loss = reverser.model->loss(batch);
    optimizer.zero_grad();
    loss.backward();
    clip_grad_norm(reverser.model->parameters(), 1);
    optimizer.scale_learning_rate(schedule->factor(step));
    optimizer.step();
    progress.step({.loss = loss.item(), .tokens = batch.tokens});
  }
}

// How many unseen words come out right, and how often the heaviest weight is on the right letter.
void test(const Reverser& reverser, int count) {
  const SyntheticPairs pairs = words(Split::test);
  std::vector<std::vector<int>> sources;
  for (int i = 0; i < count; ++i) sources.push_back(reverser.letters.encode(pairs[i].source));
  const std::vector<Hypothesis> found = greedy_search(*reverser.model, sources, 2 * kLongest);

  Scores scores;
  AlignmentScores alignment;
  for (int i = 0; i < count; ++i) {
    const Pair pair = pairs[i];
    scores.add(found[i].tokens, reverser.letters.encode(pair.target));
    alignment.add(hard_alignment(found[i].weights, sources[i].size()),
                  reference_of(pairs.task.true_positions(pair.source)), pair.target.size());
  }
  fmt::print("{} unseen words: {:.1f}% right, {:.1f}% of the letters aligned\n", count,
             100 * scores.sequence_accuracy(), 100 * alignment.accuracy());
}

// Draws the attention weights, as a picture and on the terminal.
void show(const Reverser& reverser, const std::string& word) {
  const std::vector<std::vector<int>> source = {reverser.letters.encode(word)};
  const Hypothesis found = greedy_search(*reverser.model, source, 2 * kLongest).front();
  const Alignment alignment{reverser.letters.tokens(source.front()),
                            reverser.letters.tokens(found.tokens), found.weights};
  const std::string title = alignment_title(word, reverser.letters.decode(found.tokens));
  write_file_atomically("reverse.svg", to_svg(alignment, title));
  fmt::print("\n{}\n{}", title, to_terminal(alignment, terminal_color(stdout)));
}

int main() {
  Reverser reverser;
  train(reverser);
  test(reverser, 1000);
  show(reverser, "attention");
}
