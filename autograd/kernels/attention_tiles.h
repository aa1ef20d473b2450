#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "attune/autograd/kernels/multi_head_attention.h"

/// Tiles of the attention score matrix, and the part of a mask that applies to each.
namespace attune::kernels {

/// Scores are computed in tiles of kTile queries by kTile keys: a float32 tile (16 KiB) fits into
/// the L1 cache, and most sentences fit into one tile.
inline constexpr std::int64_t kTile = 64;

template <typename T>
struct Tile {
  alignas(64) T rows[kTile * kTile];
  T* operator[](std::int64_t row) { return rows + row * kTile; }
  const T* operator[](std::int64_t row) const { return rows + row * kTile; }
};

/// Up to kTile queries of one (batch row, head) pair.
struct QueryTile {
  std::int64_t pair, first, count;
};

/// Up to kTile keys.
struct KeyTile {
  std::int64_t first, count;
};

inline std::int64_t query_tiles(const MultiHeadSizes& n) { return (n.queries + kTile - 1) / kTile; }

inline QueryTile query_tile(const MultiHeadSizes& n, std::int64_t pair, std::int64_t index) {
  return {pair, index * kTile, std::min(kTile, n.queries - index * kTile)};
}

/// The range from the first to the last key that is visible to any of the queries.
inline KeyRange visible_to_any(const MultiHeadSizes& n, std::int64_t pair, std::int64_t first_query,
                               std::int64_t count) {
  return {n.range(pair, first_query).first, n.range(pair, first_query + count - 1).last};
}

inline KeyRange visible_to_any(const MultiHeadSizes& n, const QueryTile& queries) {
  return visible_to_any(n, queries.pair, queries.first, queries.count);
}

/// Which keys of a key tile are visible to the queries of a query tile.
template <typename T>
class TileMask {
 public:
  TileMask(const MultiHeadSizes& n, const QueryTile& queries, const KeyTile& keys) {
    for (std::int64_t row = 0; row < queries.count; ++row)
      seen_[row] = n.range(queries.pair, queries.first + row).within(keys.first, keys.count);
    // Range ends are non-decreasing, so the first and the last query decide.
    hides_some_ = seen_[0].last < keys.count || seen_[queries.count - 1].first > 0;
    if (n.mask.has_entries()) read_entries(n, queries, keys);
  }

  // The query's range of visible keys, relative to the tile's first key.
  const KeyRange& seen(std::int64_t row) const { return seen_[row]; }
  bool sees(std::int64_t row, std::int64_t s) const {
    return s >= seen_[row].first && s < seen_[row].last && !(has_entries_ && is_hidden(row, s));
  }
  bool hides_some() const { return hides_some_; }
  bool hides_all() const { return hides_all_; }
  bool has_entries() const { return has_entries_; }
  // True if a mask or bias entry hides a key in the query's range. Requires has_entries().
  bool is_hidden(std::int64_t row, std::int64_t s) const { return added_[row][s] == kHidden; }

  // Adds the bias to a query's scores; scores of hidden keys become -infinity.
  void add_to(std::int64_t row, T* scores) const {
    if (!has_entries_) return;
    const T* added = added_[row];
    for (std::int64_t s = seen_[row].first; s < seen_[row].last; ++s)
      scores[s] = added[s] == kHidden ? kHidden : scores[s] + added[s];
  }

 private:
  static constexpr T kHidden = -std::numeric_limits<T>::infinity();

  void read_entries(const MultiHeadSizes& n, const QueryTile& queries, const KeyTile& keys) {
    const AttentionMask& mask = n.mask;
    const std::int64_t b = queries.pair / n.heads, h = queries.pair % n.heads;
    std::int64_t hidden = 0, all = 0;
    for (std::int64_t row = 0; row < queries.count; ++row) {
      const std::int64_t t = queries.first + row;
      const auto entry = [&](const BroadcastSteps& steps, std::int64_t s) {
        return b * steps.batch + h * steps.head + t * steps.query + (keys.first + s) * steps.key;
      };
      T* added = added_[row];
      for (std::int64_t s = seen_[row].first; s < seen_[row].last; ++s) {
        added[s] = mask.bias ? static_cast<const T*>(mask.bias)[entry(mask.bias_steps, s)] : T{0};
        if (mask.allowed && !mask.allowed[entry(mask.allowed_steps, s)]) added[s] = kHidden;
        hidden += added[s] == kHidden;
      }
      all += seen_[row].count();
    }
    has_entries_ = true;
    hides_some_ |= hidden > 0;
    hides_all_ = hidden == all;
  }

  KeyRange seen_[kTile];
  bool hides_some_, hides_all_ = false, has_entries_ = false;
  Tile<T> added_;  // bias; -infinity for hidden keys
};

/// The first key of the tile that contains `key`.
inline std::int64_t tile_begin(std::int64_t key) { return key / kTile * kTile; }

/// Calls body(key_tile) for each tile that overlaps the range `seen`.
template <typename Body>
void for_each_key_tile(const KeyRange& seen, const Body& body) {
  if (seen.first >= seen.last) return;
  for (std::int64_t first = tile_begin(seen.first); first < seen.last; first += kTile)
    body(KeyTile{first, std::min(kTile, seen.last - first)});
}

/// Index of the first of these tiles that overlaps `seen`.
inline std::size_t first_of(const std::vector<KeyTile>& tiles, const KeyRange& seen) {
  return tiles.empty() ? 0 : static_cast<std::size_t>((seen.first - tiles[0].first) / kTile);
}

}  // namespace attune::kernels
