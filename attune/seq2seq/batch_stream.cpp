#include "attune/seq2seq/batch_stream.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <utility>

#include "attune/autograd/array/error.h"

namespace attune {
namespace {

// How many batches are drawn at a time and shared out by length: the short examples into one, the
// long ones into the other. With more, the examples of a batch would all be of one length, and
// gradients that lean to one length and then to another cost more than the padding saves: of
// reversed sequences 0.5% rather than 0.1% stay wrong after a training.
constexpr std::size_t kBuckets = 2;

// The order draws from streams that no model with the same seed comes near.
constexpr std::uint64_t kFirstStream = std::uint64_t{1} << 63;

// Fisher and Yates.
template <typename T>
void shuffle(std::vector<T>& items, Generator& generator) {
  for (std::size_t left = items.size(); left > 1; --left)
    std::swap(items[left - 1],
              items[static_cast<std::size_t>(generator.below(static_cast<std::int64_t>(left)))]);
}

}  // namespace

BatchStream::BatchStream(std::function<Example(std::uint64_t)> example, int batch_size,
                         std::uint64_t seed)
    : example_(std::move(example)),
      batch_size_(static_cast<std::size_t>(batch_size)),
      generator_(seed, kFirstStream) {
  ATTUNE_CHECK(batch_size >= 1, "BatchStream: batch size {}; expected at least 1", batch_size);
}

BatchStream::BatchStream(std::vector<Example> examples, int batch_size, std::uint64_t seed)
    : BatchStream([](std::uint64_t) { return Example{}; }, batch_size, seed) {
  ATTUNE_CHECK(!examples.empty(), "BatchStream: there are no examples; expected at least one");
  set_size_ = examples.size();
  example_ = [set = std::make_shared<std::vector<Example>>(std::move(examples))](
                 std::uint64_t index) { return (*set)[index]; };
}

std::vector<Example> BatchStream::next_examples(std::size_t count) {
  std::vector<Example> examples;
  if (set_size_ == 0) {
    for (std::size_t i = 0; i < count; ++i) examples.push_back(example_(drawn_++));
    return examples;
  }
  if (epoch_.empty()) {
    epoch_.resize(set_size_);
    std::iota(epoch_.begin(), epoch_.end(), std::uint64_t{0});
    shuffle(epoch_, generator_);
  }
  for (; count > 0 && !epoch_.empty(); --count) {
    examples.push_back(example_(epoch_.back()));
    epoch_.pop_back();
  }
  return examples;
}

void BatchStream::refill() {
  std::vector<Example> examples = next_examples(kBuckets * batch_size_);
  std::stable_sort(examples.begin(), examples.end(), [](const Example& a, const Example& b) {
    return std::pair(a.target.size(), a.source.size()) <
           std::pair(b.target.size(), b.source.size());
  });
  for (std::size_t first = 0; first < examples.size(); first += batch_size_) {
    const std::size_t last = std::min(first + batch_size_, examples.size());
    batches_.emplace_back(
        std::make_move_iterator(examples.begin() + static_cast<std::ptrdiff_t>(first)),
        std::make_move_iterator(examples.begin() + static_cast<std::ptrdiff_t>(last)));
  }
  shuffle(batches_, generator_);
}

Batch BatchStream::next() {
  if (batches_.empty()) refill();
  const std::vector<Example> examples = std::move(batches_.back());
  batches_.pop_back();
  return make_batch(examples);
}

}  // namespace attune
