#include "attune/data/pair_table.h"

#include <algorithm>
#include <limits>
#include <type_traits>
#include <utility>

#include "attune/autograd/array/error.h"

namespace attune {
namespace {

constexpr int kNarrow = 1 << 16;  // the size of the largest vocabulary whose ids take two bytes

PairTable packed(const std::vector<Example>& examples) {
  int vocabulary = 0;
  for (const Example& example : examples)
    for (const std::vector<int>* side : {&example.source, &example.target})
      for (const int id : *side) vocabulary = id < 0 ? kNarrow + 1 : std::max(vocabulary, id);
  PairTableBuilder builder(vocabulary < kNarrow ? kNarrow : std::numeric_limits<int>::max());
  for (const Example& example : examples) builder.add(example.source, example.target);
  return std::move(builder).build();
}

}  // namespace

PairTable::PairTable(const std::vector<Example>& examples) : PairTable(packed(examples)) {}

PairTable::PairTable(std::span<const std::uint64_t> offsets, Ids ids,
                     std::shared_ptr<const void> memory)
    : offsets_(offsets), ids_(ids), memory_(std::move(memory)) {
  const std::size_t count = std::visit([](const auto& all) { return all.size(); }, ids_);
  ATTUNE_CHECK(offsets_.size() % 2 == 1 && offsets_.front() == 0 && offsets_.back() == count &&
                   std::is_sorted(offsets_.begin(), offsets_.end()),
               "PairTable: {} offsets do not fit {} ids", offsets_.size(), count);
}

std::vector<int> PairTable::between(std::uint64_t first, std::uint64_t last) const {
  return std::visit(
      [&](const auto& all) {
        const auto part = all.subspan(first, last - first);
        return std::vector<int>(part.begin(), part.end());
      },
      ids_);
}

Example PairTable::operator[](std::size_t i) const {
  return {between(offsets_[2 * i], offsets_[2 * i + 1]),
          between(offsets_[2 * i + 1], offsets_[2 * i + 2])};
}

PairTableBuilder::PairTableBuilder(int vocabulary) {
  if (vocabulary > kNarrow) memory_->ids = std::vector<std::int32_t>();
}

void PairTableBuilder::add(std::span<const int> side) {
  std::visit(
      [&](auto& ids) {
        using Id = typename std::decay_t<decltype(ids)>::value_type;
        for (const int id : side) ids.push_back(static_cast<Id>(id));
        memory_->offsets.push_back(ids.size());
      },
      memory_->ids);
}

void PairTableBuilder::add(std::span<const int> source, std::span<const int> target) {
  add(source);
  add(target);
}

PairTable PairTableBuilder::build() && {
  const std::shared_ptr<Memory> memory = std::move(memory_);
  return std::visit(
      [&](const auto& ids) {
        return PairTable(memory->offsets, PairTable::Ids(std::span(ids)), memory);
      },
      std::as_const(memory->ids));
}

}  // namespace attune
