#include "attune/seq2seq/batch_stream.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <utility>

#include "attune/autograd/array/error.h"
#include "attune/autograd/array/random.h"

namespace attune {
namespace {

// Batches that an endless supply is sorted into at a time.
constexpr std::uint64_t kBatchesPerWindow = 32;

// Fisher and Yates.
template <typename T>
void shuffle(std::vector<T>& items, Generator& generator) {
  for (std::size_t left = items.size(); left > 1; --left)
    std::swap(items[left - 1],
              items[static_cast<std::size_t>(generator.below(static_cast<std::int64_t>(left)))]);
}

// The shuffling of window `number` draws from streams that no model with the same seed comes near.
Generator generator_of(std::uint64_t seed, std::uint64_t number) {
  return Generator(seed, (std::uint64_t{1} << 63) + (number << 32));
}

}  // namespace

BatchStream::BatchStream(std::vector<Example> examples, int batch_size, std::uint64_t seed)
    : examples_(std::move(examples)), batch_size_(batch_size), seed_(seed) {
  ATTUNE_CHECK(batch_size >= 1, "BatchStream: batch size {}; expected at least 1", batch_size);
  ATTUNE_CHECK(!examples_.empty(), "BatchStream: there are no examples; expected at least one");
}

BatchStream::BatchStream(std::function<Example(std::uint64_t)> example, int batch_size,
                         std::uint64_t seed)
    : example_(std::move(example)), batch_size_(batch_size), seed_(seed) {
  ATTUNE_CHECK(batch_size >= 1, "BatchStream: batch size {}; expected at least 1", batch_size);
}

std::vector<Example> BatchStream::window(std::uint64_t number) {
  if (!example_) return examples_;
  const std::uint64_t count = kBatchesPerWindow * static_cast<std::uint64_t>(batch_size_);
  std::vector<Example> examples;
  for (std::uint64_t i = 0; i < count; ++i) examples.push_back(example_(number * count + i));
  return examples;
}

void BatchStream::cut_into_batches(std::vector<Example> examples) {
  Generator generator = generator_of(seed_, windows_);
  shuffle(examples, generator);
  std::stable_sort(examples.begin(), examples.end(), [](const Example& a, const Example& b) {
    return std::pair(a.target.size(), a.source.size()) <
           std::pair(b.target.size(), b.source.size());
  });
  const auto size = static_cast<std::size_t>(batch_size_);
  for (std::size_t first = 0; first < examples.size(); first += size) {
    const std::size_t last = std::min(first + size, examples.size());
    batches_.emplace_back(
        std::make_move_iterator(examples.begin() + static_cast<std::ptrdiff_t>(first)),
        std::make_move_iterator(examples.begin() + static_cast<std::ptrdiff_t>(last)));
  }
  shuffle(batches_, generator);
}

Batch BatchStream::next() {
  if (batches_.empty()) {
    cut_into_batches(window(windows_));
    ++windows_;
  }
  const std::vector<Example> examples = std::move(batches_.back());
  batches_.pop_back();
  return make_batch(examples);
}

}  // namespace attune
