#include "attune/data/batch.h"

#include <algorithm>
#include <cstddef>

#include "attune/autograd/array/error.h"
#include "attune/data/vocabulary.h"

namespace attune {
namespace {

// A [steps, columns] table with one sequence in each column.
class Table {
 public:
  Table(std::size_t steps, std::size_t columns, int fill)
      : steps_(steps), columns_(columns), values_(steps * columns, fill) {}
  std::int32_t& at(std::size_t step, std::size_t column) {
    return values_[step * columns_ + column];
  }
  Indices indices() const {
    return Indices(values_,
                   {static_cast<std::int64_t>(steps_), static_cast<std::int64_t>(columns_)});
  }

 private:
  std::size_t steps_, columns_;
  std::vector<std::int32_t> values_;
};

// The sources in columns [first, first + count), no longer than the longest of them.
Sources columns_of(const Sources& all, std::int64_t first, std::int64_t count) {
  const Indices lengths = all.lengths.block(first, count);
  const std::int64_t longest = *std::max_element(lengths.data(), lengths.data() + count);
  return {all.ids.columns(first, count).block(0, longest), lengths};
}

}  // namespace

Sources make_sources(std::span<const std::vector<int>> sources) {
  ATTUNE_CHECK(!sources.empty(), "make_sources: there are no sources; expected at least one");
  std::size_t longest = 0;
  for (const auto& source : sources) longest = std::max(longest, source.size());

  Table ids(longest, sources.size(), Vocabulary::pad);
  std::vector<std::int32_t> lengths;
  for (std::size_t b = 0; b < sources.size(); ++b) {
    ATTUNE_CHECK(!sources[b].empty(),
                 "make_sources: source {} is empty; expected at least one token", b);
    for (std::size_t s = 0; s < sources[b].size(); ++s) ids.at(s, b) = sources[b][s];
    lengths.push_back(static_cast<std::int32_t>(sources[b].size()));
  }
  return {ids.indices(), Indices(lengths)};
}

Batch make_batch(std::span<const Example> examples) {
  std::vector<std::vector<int>> sources;
  std::size_t longest = 0;
  for (const Example& example : examples) {
    sources.push_back(example.source);
    longest = std::max(longest, example.target.size());
  }
  Table input(longest + 1, examples.size(), Vocabulary::pad);
  Table output(longest + 1, examples.size(), kIgnore);
  std::int64_t tokens = 0;
  for (std::size_t b = 0; b < examples.size(); ++b) {
    const std::vector<int>& target = examples[b].target;
    input.at(0, b) = Vocabulary::start;
    for (std::size_t t = 0; t < target.size(); ++t)
      input.at(t + 1, b) = output.at(t, b) = target[t];
    output.at(target.size(), b) = Vocabulary::end;
    tokens += static_cast<std::int64_t>(target.size()) + 1;
  }
  return {make_sources(sources), input.indices(), output.indices(), tokens};
}

Indices target_lengths(const Batch& batch) {
  const Indices& output = batch.target_output;
  const std::int64_t columns = output.shape()[1];
  std::vector<std::int32_t> lengths(static_cast<std::size_t>(columns));
  for (std::int64_t k = 0; k < output.elements(); ++k)
    if (output.at(k) != kIgnore)
      lengths[static_cast<std::size_t>(k % columns)] = static_cast<std::int32_t>(k / columns + 1);
  return Indices(lengths, {columns});
}

std::vector<Batch> shards_of(const Batch& batch, std::int64_t count) {
  const std::int64_t sequences = batch.sequences();
  const bool has_source = batch.source.ids.defined();
  ATTUNE_CHECK(count >= 1 && count <= sequences,
               "shards_of: cannot split a batch of {} sequences into {} shards; expected 1 to {}",
               sequences, count, sequences);
  std::vector<Batch> shards;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t first = i * sequences / count;
    const std::int64_t columns = (i + 1) * sequences / count - first;
    const Indices output = batch.target_output.columns(first, columns);
    std::int64_t steps = 0, tokens = 0;
    for (std::int64_t k = 0; k < output.elements(); ++k) {
      if (output.at(k) == kIgnore) continue;
      steps = k / columns + 1;
      ++tokens;
    }
    shards.push_back({has_source ? columns_of(batch.source, first, columns) : Sources{},
                      batch.target_input.columns(first, columns).block(0, steps),
                      output.block(0, steps), tokens});
  }
  return shards;
}

}  // namespace attune
