#include "attune/data/batch_stream.h"

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "catch.h"

using namespace attune;

namespace {

// Examples of many lengths; the first source token identifies the example.
std::vector<Example> examples_of_lengths(int count) {
  std::vector<Example> examples;
  for (int i = 0; i < count; ++i) {
    const auto source = static_cast<std::size_t>(1 + i * 7 % 11);
    const auto target = static_cast<std::size_t>(i * 5 % 13);
    examples.push_back({std::vector<int>(source, 100 + i), std::vector<int>(target, 5)});
  }
  return examples;
}

// The padded number of tokens of the larger side.
std::int64_t size_of(const Batch& batch) {
  return std::max(batch.source.ids.elements(), batch.target_input.elements());
}

}  // namespace

TEST_CASE("batches by tokens are as large as allowed, and an epoch has every example once") {
  BatchStream batches(examples_of_lengths(300), BatchSize::of_tokens(60), 1);
  std::map<int, int> seen;
  std::int64_t padded = 0, count = 0;
  while (seen.size() < 300) {
    const Batch batch = batches.next();
    CHECK(size_of(batch) <= 60);
    padded += size_of(batch);
    ++count;
    for (std::int64_t b = 0; b < batch.sequences(); ++b) ++seen[batch.source.ids.at(b)];
  }
  CHECK(std::all_of(seen.begin(), seen.end(), [](const auto& entry) { return entry.second == 1; }));
  CHECK(padded > 40 * count);  // most batches are nearly full
  CHECK(batches.batches_per_epoch() == count);
  CHECK(batches.examples_per_epoch() == 300);
}

TEST_CASE("an example that has more tokens than a batch makes a batch of its own") {
  BatchStream batches(examples_of_lengths(30), BatchSize::of_tokens(5), 1);
  for (int i = 0; i < 30; ++i) {
    const Batch batch = batches.next();
    CHECK((size_of(batch) <= 5 || batch.sequences() == 1));
  }
}

TEST_CASE("a stream of batches by tokens continues from its state") {
  const auto make = [](BatchSize size) { return BatchStream(examples_of_lengths(100), size, 3); };
  const int stop = GENERATE(0, 1, 7, 40, 90);
  BatchStream whole = make(BatchSize::of_tokens(30));
  for (int i = 0; i < stop; ++i) whole.next();
  BatchStream resumed = make(BatchSize::of_tokens(30));
  resumed.load_state(whole.state());
  for (int i = 0; i < 50; ++i)
    CHECK(resumed.next().source.ids.to_vector() == whole.next().source.ids.to_vector());

  BatchStream other = make(BatchSize::of_tokens(31));
  CHECK_THROWS_WITH(other.load_state(whole.state()), contains("batch size"));
  BatchStream by_examples = make(30);
  CHECK_THROWS_WITH(by_examples.load_state(whole.state()), contains("batch size"));
}

TEST_CASE("examples that vary have a new form in each epoch, also after a stream continues") {
  // The first source token says which example it is, the second is drawn.
  const Variation variation = [](const Example& example, Generator& random) {
    return Example{{example.source[0], static_cast<int>(random.below(1000))}, example.target};
  };
  const auto stream = [&] {
    return BatchStream(examples_of_lengths(40), BatchSize::of_tokens(30), 3, variation);
  };
  BatchStream whole = stream();
  const std::int64_t batches = whole.batches_per_epoch();
  std::map<int, std::vector<int>> forms;
  for (std::int64_t i = 0; i < 3 * batches; ++i) {
    const Batch batch = whole.next();
    for (std::int64_t b = 0; b < batch.sequences(); ++b)
      forms[batch.source.ids.at(b)].push_back(batch.source.ids.at(batch.sequences() + b));
  }
  CHECK(forms.size() == 40);
  std::set<std::vector<int>> all;
  for (const auto& [example, drawn] : forms) all.insert(drawn);
  CHECK(all.size() == 40);
  CHECK(forms[100][0] != forms[100][1]);
  BatchStream resumed = stream();
  resumed.load_state(whole.state());
  for (int i = 0; i < 20; ++i)
    CHECK(resumed.next().source.ids.to_vector() == whole.next().source.ids.to_vector());
}

TEST_CASE("an endless supply can be cut into batches by tokens") {
  const auto example = [](std::uint64_t i) {
    return Example{std::vector<int>(1 + i % 5, 4), std::vector<int>(i % 3, 4)};
  };
  BatchStream batches(example, BatchSize::of_tokens(20), 1);
  for (int i = 0; i < 100; ++i) CHECK(size_of(batches.next()) <= 20);
  CHECK(batches.batches_per_epoch() == 0);
}

TEST_CASE("a batch size below 1 is refused") {
  CHECK_THROWS_WITH(BatchStream(examples_of_lengths(3), 0, 1), contains("batch size 0"));
  CHECK_THROWS_WITH(BatchStream(examples_of_lengths(3), BatchSize::of_tokens(-2), 1),
                    contains("batch size -2"));
}
