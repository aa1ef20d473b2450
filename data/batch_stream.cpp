#include "attune/data/batch_stream.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string_view>
#include <utility>

#include "attune/autograd/array/digest.h"
#include "attune/autograd/array/error.h"

namespace attune {
namespace {

// The number of batches that are drawn together and then divided by length: the shorter examples go
// into one batch, the longer ones into the other. With more buckets, all examples of a batch would
// have about the same length, and gradients that favour one length after another cost more than the
// saved padding gains: after training on reversed sequences, 0.5% instead of 0.1% are wrong.
constexpr std::size_t kBuckets = 2;

// The same for batches of a number of tokens. Text has many lengths, and much padding with few
// buckets: of Multi30k, 2 leave 31% of a batch to padding and 32 leave 15%.
constexpr std::size_t kTokenBuckets = 32;

// The generator's first draw: far beyond the draws that a model with the same seed makes.
constexpr std::uint64_t kFirstStream = std::uint64_t{1} << 63;

// The Fisher-Yates shuffle.
template <typename T>
void shuffle(std::vector<T>& items, Generator& generator) {
  for (std::size_t left = items.size(); left > 1; --left)
    std::swap(items[left - 1],
              items[static_cast<std::size_t>(generator.below(static_cast<std::int64_t>(left)))]);
}

// The tokens of the longer side of an example, as the model reads them.
std::size_t tokens_of(const Example& example) {
  return std::max(example.source.size(), example.target.size() + 1);
}

}  // namespace

BatchStream::BatchStream(std::function<Example(std::uint64_t)> example, BatchSize size,
                         std::uint64_t seed)
    : example_(std::move(example)), size_(size), generator_(seed, kFirstStream) {
  ATTUNE_CHECK(size.examples >= 1 || size.tokens >= 1,
               "BatchStream: batch size {}; expected at least 1",
               std::min(size.examples, size.tokens));
}

BatchStream::BatchStream(PairTable examples, BatchSize size, std::uint64_t seed,
                         Variation variation)
    : BatchStream([](std::uint64_t) { return Example{}; }, size, seed) {
  variation_ = std::move(variation);
  ATTUNE_CHECK(examples.size() > 0, "BatchStream: there are no examples; expected at least one");
  set_size_ = examples.size();
  example_ = [set = std::move(examples)](std::uint64_t index) { return set[index]; };
}

void BatchStream::begin_epoch() {
  refill_.epoch_draws = generator_.draws() - kFirstStream;
  epoch_.resize(set_size_);
  std::iota(epoch_.begin(), epoch_.end(), std::uint64_t{0});
  shuffle(epoch_, generator_);
}

// Draws an example; returns false at the end of an epoch.
bool BatchStream::next_example(Example& example) {
  if (set_size_ == 0) {
    example = example_(drawn_++);
    return true;
  }
  if (epoch_.empty()) return false;
  const std::uint64_t index = epoch_.back();
  epoch_.pop_back();
  example = example_(index);
  if (!variation_) return true;
  // A generator for each epoch and example, so that nothing depends on what was drawn before.
  Generator random(Digest().add(generator_.seed()).add(refill_.epoch_draws).add(index).value());
  example = variation_(example, random);
  return true;
}

// The examples that are divided into batches together.
std::vector<Example> BatchStream::next_pool() {
  std::vector<Example> examples;
  const auto limit = size_.examples > 0 ? kBuckets * static_cast<std::size_t>(size_.examples)
                                        : kTokenBuckets * static_cast<std::size_t>(size_.tokens);
  std::size_t size = 0;
  for (Example example; size < limit && next_example(example);) {
    size += size_.examples > 0 ? 1 : tokens_of(example);
    examples.push_back(std::move(example));
  }
  return examples;
}

// Where to cut examples in the order of their lengths: the end of each batch.
std::vector<std::size_t> BatchStream::cuts_of(const std::vector<Example>& sorted) const {
  std::vector<std::size_t> cuts;
  std::size_t begin = 0, longest = 0;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const std::size_t longer = std::max(longest, tokens_of(sorted[i]));
    const std::size_t count = i + 1 - begin;
    const bool is_too_large =
        size_.examples > 0 ? count > static_cast<std::size_t>(size_.examples)
                           : count > 1 && count * longer > static_cast<std::size_t>(size_.tokens);
    if (is_too_large) {
      cuts.push_back(i);
      begin = i;
    }
    longest = is_too_large ? tokens_of(sorted[i]) : longer;
  }
  cuts.push_back(sorted.size());
  return cuts;
}

void BatchStream::refill() {
  if (set_size_ > 0 && epoch_.empty()) begin_epoch();
  refill_.taken = set_size_ > 0 ? set_size_ - epoch_.size() : drawn_;
  refill_.draws = generator_.draws() - kFirstStream;
  refill_.given = 0;
  std::vector<Example> examples = next_pool();
  std::stable_sort(examples.begin(), examples.end(), [](const Example& a, const Example& b) {
    return std::pair(a.target.size(), a.source.size()) <
           std::pair(b.target.size(), b.source.size());
  });
  auto first = examples.begin();
  for (const std::size_t cut : cuts_of(examples)) {
    const auto last = examples.begin() + static_cast<std::ptrdiff_t>(cut);
    batches_.emplace_back(std::make_move_iterator(first), std::make_move_iterator(last));
    first = last;
  }
  shuffle(batches_, generator_);
}

Batch BatchStream::next() {
  if (batches_.empty()) refill();
  const std::vector<Example> examples = std::move(batches_.back());
  batches_.pop_back();
  ++refill_.given;
  return make_batch(examples);
}

std::int64_t BatchStream::batches_per_epoch() const {
  if (size_.examples > 0) {
    const auto examples = static_cast<std::uint64_t>(size_.examples);
    return static_cast<std::int64_t>((set_size_ + examples - 1) / examples);
  }
  if (set_size_ == 0) return 0;
  if (batches_per_epoch_ < 0) {
    BatchStream first = *this;
    first.batches_.clear();
    first.epoch_.clear();
    first.generator_ = Generator(generator_.seed(), kFirstStream);
    batches_per_epoch_ = 0;
    do {
      first.refill();
      batches_per_epoch_ += std::ssize(first.batches_);
      first.batches_.clear();
    } while (!first.epoch_.empty());
  }
  return batches_per_epoch_;
}

// A digest of everything that determines the batches, as an integer that float64 holds exactly.
double BatchStream::fingerprint() const {
  if (fingerprint_ >= 0) return fingerprint_;
  constexpr std::uint64_t kSome = 32;  // examples of an endless supply that are hashed
  Digest digest;
  digest.add(generator_.seed()).add(static_cast<std::uint64_t>(size_.examples)).add(set_size_);
  if (size_.tokens > 0) digest.add(static_cast<std::uint64_t>(size_.tokens));
  for (std::uint64_t i = 0; i < (set_size_ > 0 ? set_size_ : kSome); ++i) {
    const Example example = example_(i);
    for (const std::vector<int>* side : {&example.source, &example.target}) {
      digest.add(std::uint64_t{side->size()});
      for (const int id : *side) digest.add(static_cast<std::uint64_t>(id));
    }
  }
  return fingerprint_ = static_cast<double>(digest.value() >> 11);
}

NamedArrays BatchStream::state() const {
  const auto number = [](double value) { return Array::full({}, value, DType::f64); };
  return {{"fingerprint", number(fingerprint())},
          {"epoch_draws", number(static_cast<double>(refill_.epoch_draws))},
          {"taken", number(static_cast<double>(refill_.taken))},
          {"draws", number(static_cast<double>(refill_.draws))},
          {"given", number(static_cast<double>(refill_.given))}};
}

void BatchStream::load_state(const NamedArrays& state) {
  const auto number = [&](std::string_view name) {
    return static_cast<std::uint64_t>(count_in(state, name));
  };
  ATTUNE_CHECK(number("fingerprint") == static_cast<std::uint64_t>(fingerprint()),
               "BatchStream: the examples, the batch size or the seed are others than those that "
               "the state is of; was the data changed?");
  const Refill from{number("epoch_draws"), number("taken"), number("draws"), number("given")};
  ATTUNE_CHECK(set_size_ == 0 || from.taken < set_size_,
               "BatchStream: the state is {} examples into an epoch of {}", from.taken, set_size_);

  BatchStream stream = *this;
  stream.batches_.clear();
  stream.epoch_.clear();
  stream.drawn_ = 0;
  stream.refill_ = {};
  const auto draw_from = [&](std::uint64_t draws) {
    stream.generator_ = Generator(generator_.seed(), kFirstStream + draws);
  };
  draw_from(from.epoch_draws);
  if (from.given > 0) {
    if (set_size_ > 0) stream.begin_epoch();
    stream.epoch_.resize(stream.epoch_.size() - (set_size_ > 0 ? from.taken : 0));
    stream.drawn_ = from.taken;
    draw_from(from.draws);
    stream.refill();
    ATTUNE_CHECK(from.given <= stream.batches_.size(),
                 "BatchStream: the state has given {} batches of {}", from.given,
                 stream.batches_.size());
    stream.batches_.resize(stream.batches_.size() - from.given);
    stream.refill_ = from;
  }
  *this = std::move(stream);
}

}  // namespace attune
