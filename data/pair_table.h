#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <variant>
#include <vector>

#include "attune/data/batch.h"

namespace attune {

/// Any number of examples in little memory: all ids are in one array, with two bytes each if every
/// id is below 65,536 and four otherwise, and each example takes 16 bytes more. Copies share them.
class PairTable {
 public:
  /// Ids with two or four bytes each.
  using Ids = std::variant<std::span<const std::uint16_t>, std::span<const std::int32_t>>;

  /// The same examples, packed.
  PairTable(const std::vector<Example>& examples);
  /// Ids that `memory` keeps alive. The source of example i is at [offsets[2i], offsets[2i + 1]),
  /// its target from there to offsets[2i + 2]. Errors: offsets that fall, or do not fit the ids.
  PairTable(std::span<const std::uint64_t> offsets, Ids ids, std::shared_ptr<const void> memory);

  std::size_t size() const { return offsets_.size() / 2; }
  std::size_t source_length(std::size_t i) const { return offsets_[2 * i + 1] - offsets_[2 * i]; }
  std::size_t target_length(std::size_t i) const {
    return offsets_[2 * i + 2] - offsets_[2 * i + 1];
  }
  Example operator[](std::size_t i) const;

  std::span<const std::uint64_t> offsets() const { return offsets_; }
  const Ids& ids() const { return ids_; }

 private:
  std::vector<int> between(std::uint64_t first, std::uint64_t last) const;

  std::span<const std::uint64_t> offsets_;
  Ids ids_;
  std::shared_ptr<const void> memory_;
};

/// Packs one example after the other.
class PairTableBuilder {
 public:
  /// Ids are from 0 to below `vocabulary`, the larger size of both vocabularies; or any, if that is
  /// the largest int.
  explicit PairTableBuilder(int vocabulary);
  void add(std::span<const int> source, std::span<const int> target);
  /// All examples so far; none can be added afterwards.
  PairTable build() &&;

 private:
  struct Memory {
    std::vector<std::uint64_t> offsets = {0};
    std::variant<std::vector<std::uint16_t>, std::vector<std::int32_t>> ids;
  };

  void add(std::span<const int> side);

  std::shared_ptr<Memory> memory_ = std::make_shared<Memory>();
};

}  // namespace attune
