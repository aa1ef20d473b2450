#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "attune/autograd/kernels/multi_head_attention.h"

/// The tiles that scores of attention are made in, and what a mask does in each.
namespace attune::kernels {

/// Scores are made kTile queries by kTile keys at a time: a tile of floats stays in the nearest
/// cache, and most sentences are one tile.
inline constexpr std::int64_t kTile = 64;

template <typename T>
struct Tile {
  alignas(64) T rows[kTile * kTile];
  T* operator[](std::int64_t row) { return rows + row * kTile; }
  const T* operator[](std::int64_t row) const { return rows + row * kTile; }
};

/// Up to kTile queries of one pair.
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

/// From the first key that one of the queries sees to the last.
inline KeyRange visible_to_any(const MultiHeadSizes& n, std::int64_t pair, std::int64_t first_query,
                               std::int64_t count) {
  return {n.range(pair, first_query).first, n.range(pair, first_query + count - 1).last};
}

inline KeyRange visible_to_any(const MultiHeadSizes& n, const QueryTile& queries) {
  return visible_to_any(n, queries.pair, queries.first, queries.count);
}

/// What the queries of one tile see of the keys of another.
template <typename T>
class TileMask {
 public:
  TileMask(const MultiHeadSizes& n, const QueryTile& queries, const KeyTile& keys) {
    for (std::int64_t row = 0; row < queries.count; ++row)
      seen_[row] = n.range(queries.pair, queries.first + row).within(keys.first, keys.count);
    // Neither end is before that of the query before.
    hides_some_ = seen_[0].last < keys.count || seen_[queries.count - 1].first > 0;
    if (n.mask.has_entries()) read_entries(n, queries, keys);
  }

  // The keys that a query may see, counted from the tile's first.
  const KeyRange& seen(std::int64_t row) const { return seen_[row]; }
  bool sees(std::int64_t row, std::int64_t s) const {
    return s >= seen_[row].first && s < seen_[row].last && !(has_entries_ && is_hidden(row, s));
  }
  bool hides_some() const { return hides_some_; }
  bool hides_all() const { return hides_all_; }
  bool has_entries() const { return has_entries_; }
  // True for a key in the range of a query that an entry hides; only if there are entries.
  bool is_hidden(std::int64_t row, std::int64_t s) const { return added_[row][s] == kHidden; }

  // Adds the bias to the scores of a query; those that are hidden become -infinity.
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
  Tile<T> added_;  // to the scores
};

/// Where the tile begins that holds a key.
inline std::int64_t tile_begin(std::int64_t key) { return key / kTile * kTile; }

/// body(keys) for tiles that together hold the keys that are seen.
template <typename Body>
void for_each_key_tile(const KeyRange& seen, const Body& body) {
  if (seen.first >= seen.last) return;
  for (std::int64_t first = tile_begin(seen.first); first < seen.last; first += kTile)
    body(KeyTile{first, std::min(kTile, seen.last - first)});
}

/// Where in such tiles the first one lies that holds a key that is seen.
inline std::size_t first_of(const std::vector<KeyTile>& tiles, const KeyRange& seen) {
  return tiles.empty() ? 0 : static_cast<std::size_t>((seen.first - tiles[0].first) / kTile);
}

}  // namespace attune::kernels
