#include "attune/autograd/kernels/multi_head_attention.h"

#include <cmath>
#include <limits>

#include "attune/autograd/array/parallel.h"
#include "attune/autograd/kernels/gemm.h"
#include "attune/autograd/kernels/rows.h"

namespace attune {
namespace {

// Scores are made kTile queries by kTile keys at a time: a tile of floats stays in the nearest
// cache, and most sentences are one tile.
constexpr std::int64_t kTile = 64;

template <typename T>
struct Tile {
  alignas(64) T rows[kTile * kTile];
  T* operator[](std::int64_t row) { return rows + row * kTile; }
};

// Up to kTile queries of one pair.
struct QueryTile {
  std::int64_t pair, first, count;
};

// Up to kTile keys.
struct KeyTile {
  std::int64_t first, count;
};

std::int64_t query_tiles(const MultiHeadSizes& n) { return (n.queries + kTile - 1) / kTile; }

QueryTile query_tile(const MultiHeadSizes& n, std::int64_t pair, std::int64_t index) {
  return {pair, index * kTile, std::min(kTile, n.queries - index * kTile)};
}

// body(keys) for the tiles that at least one of the queries sees.
template <typename Body>
void for_each_key_tile(const MultiHeadSizes& n, const QueryTile& queries, const Body& body) {
  const std::int64_t seen = n.visible(queries.pair, queries.first + queries.count - 1);
  for (std::int64_t first = 0; first < seen; first += kTile)
    body(KeyTile{first, std::min(kTile, seen - first)});
}

// How many keys of the tile, counted from its first, a query sees.
std::int64_t visible_in(const MultiHeadSizes& n, const QueryTile& queries, std::int64_t row,
                        const KeyTile& keys) {
  const std::int64_t seen = n.visible(queries.pair, queries.first + row);
  return std::clamp<std::int64_t>(seen - keys.first, 0, keys.count);
}

// Where position `first` of a pair begins in a sequence with `features` numbers for each head.
template <typename T>
T* at(const MultiHeadSizes& n, T* sequence, std::int64_t features, std::int64_t pair,
      std::int64_t first) {
  return sequence + (first * n.pairs() + pair) * features;
}

// Work in multiplications that is worth a range of its own.
constexpr std::int64_t kRangeWork = 1 << 18;

// body(query tile) for all of them, shared out over threads.
template <typename Body>
void for_each_query_tile(const MultiHeadSizes& n, const Body& body) {
  const std::int64_t tiles = query_tiles(n);
  const std::int64_t work =
      std::min(kTile, n.queries) * n.keys * (n.key_features + n.value_features);
  parallel_for(n.pairs() * tiles, kRangeWork / std::max<std::int64_t>(1, work) + 1,
               [&](std::int64_t first, std::int64_t last) {
                 for (std::int64_t i = first; i < last; ++i)
                   body(query_tile(n, i / tiles, i % tiles));
               });
}

// scores = scale query key^T
template <typename T>
void score(const MultiHeadSizes& n, const QueryTile& queries, const KeyTile& keys, const T* query,
           const T* key, Tile<T>& scores) {
  gemm_panel(Op::none, Op::transpose, queries.count, keys.count, n.key_features,
             at(n, query, n.key_features, queries.pair, queries.first), n.key_step(),
             at(n, key, n.key_features, queries.pair, keys.first), n.key_step(), T{0}, scores.rows,
             kTile);
  const T scale = static_cast<T>(n.scale);
  for (std::int64_t row = 0; row < queries.count; ++row) {
    T* s = scores[row];
#pragma omp simd
    for (std::int64_t i = 0; i < keys.count; ++i) s[i] *= scale;
  }
}

// The weights of a tile, made again: exp(score - log sum), and 0 where a query does not see.
template <typename T>
void weigh(const MultiHeadSizes& n, const QueryTile& queries, const KeyTile& keys, const T* query,
           const T* key, const T* log_sums, Tile<T>& weights) {
  score(n, queries, keys, query, key, weights);
  for (std::int64_t row = 0; row < queries.count; ++row) {
    const std::int64_t seen = visible_in(n, queries, row, keys);
    T* w = weights[row];
    row_exp(w, log_sums[queries.pair * n.queries + queries.first + row], seen, w);
    std::fill(w + seen, w + keys.count, T{0});
  }
}

// The softmax of rows whose scores come in tiles: the largest score so far is taken out, and when a
// larger one comes, what was added up before shrinks (Milakov and Gimelshein 2018).
template <typename T>
struct RunningSoftmax {
  T largest[kTile], total[kTile];
  RunningSoftmax() {
    std::fill_n(largest, kTile, -std::numeric_limits<T>::infinity());
    std::fill_n(total, kTile, T{0});
  }
  // Turns `seen` scores into exp(score - largest) and gives the factor for what is there already.
  T take_in(std::int64_t row, T* scores, std::int64_t seen) {
    const T before = largest[row];
    largest[row] = std::max(before, row_max(scores, seen));
    row_exp(scores, largest[row], seen, scores);
    const T shrink = math::exp(before - largest[row]);
    total[row] = total[row] * shrink + lane_sum<T>(seen, [=](auto i) { return scores[i]; });
    return shrink;
  }
};

template <typename T>
void scale_row(T* x, std::int64_t n, T factor) {
#pragma omp simd
  for (std::int64_t i = 0; i < n; ++i) x[i] *= factor;
}

template <typename T>
void forward(const MultiHeadSizes& n, const QueryTile& queries, const T* query, const T* key,
             const T* value, T* context, T* log_sums) {
  Tile<T> weights;
  RunningSoftmax<T> softmax;
  const std::int64_t step = n.value_step(), features = n.value_features;
  T* sum = at(n, context, features, queries.pair, queries.first);
  if (n.visible(queries.pair, queries.first + queries.count - 1) == 0)
    for (std::int64_t row = 0; row < queries.count; ++row)
      std::fill_n(sum + row * step, features, T{0});

  for_each_key_tile(n, queries, [&](const KeyTile& keys) {
    score(n, queries, keys, query, key, weights);
    for (std::int64_t row = 0; row < queries.count; ++row) {
      const std::int64_t seen = visible_in(n, queries, row, keys);
      if (seen > 0) {
        const T shrink = softmax.take_in(row, weights[row], seen);
        if (keys.first > 0) scale_row(sum + row * step, features, shrink);
      }
      std::fill(weights[row] + seen, weights[row] + keys.count, T{0});
    }
    gemm_panel(Op::none, Op::none, queries.count, features, keys.count, weights.rows, kTile,
               at(n, value, features, queries.pair, keys.first), step, keys.first > 0 ? T{1} : T{0},
               sum, step);
  });

  for (std::int64_t row = 0; row < queries.count; ++row) {
    const bool sees = n.visible(queries.pair, queries.first + row) > 0;
    const T total = sees ? softmax.total[row] : 1;
    scale_row(sum + row * step, features, 1 / total);
    log_sums[queries.pair * n.queries + queries.first + row] =
        sees ? softmax.largest[row] + std::log(total) : 0;
  }
}

// Zeros for a pair's part of a gradient that is to be written and not added to.
template <typename T>
void clear(const MultiHeadSizes& n, std::int64_t positions, std::int64_t features,
           std::int64_t pair, const Target<T>& target) {
  if (!target.data || target.accumulate) return;
  for (std::int64_t i = 0; i < positions; ++i)
    std::fill_n(at(n, target.data, features, pair, i), features, T{0});
}

// The gradients of one pair, which no other pair touches. All of them only add from here on.
template <typename T>
class PairBackward {
 public:
  PairBackward(const MultiHeadSizes& n, const MultiHeadSaved<T>& saved, T* dquery, T* dkey,
               T* dvalue)
      : n_(n), saved_(saved), dquery_(dquery), dkey_(dkey), dvalue_(dvalue) {}

  void run(const QueryTile& queries) {
    const std::int64_t step = n_.key_step(), features = n_.key_features, pair = queries.pair;
    find_means(queries);
    for_each_key_tile(n_, queries, [&](const KeyTile& keys) {
      weigh(n_, queries, keys, saved_.query, saved_.key, saved_.log_sums, weights_);
      if (dvalue_)
        gemm_panel(Op::transpose, Op::none, keys.count, n_.value_features, queries.count,
                   weights_.rows, kTile,
                   at(n_, saved_.dcontext, n_.value_features, pair, queries.first), n_.value_step(),
                   T{1}, at(n_, dvalue_, n_.value_features, pair, keys.first), n_.value_step());
      if (!dquery_ && !dkey_) return;
      differentiate_softmax(queries, keys);
      if (dquery_)
        gemm_panel(Op::none, Op::none, queries.count, features, keys.count, weights_.rows, kTile,
                   at(n_, saved_.key, features, pair, keys.first), step, T{1},
                   at(n_, dquery_, features, pair, queries.first), step);
      if (dkey_)
        gemm_panel(Op::transpose, Op::none, keys.count, features, queries.count, weights_.rows,
                   kTile, at(n_, saved_.query, features, pair, queries.first), step, T{1},
                   at(n_, dkey_, features, pair, keys.first), step);
    });
  }

 private:
  void find_means(const QueryTile& queries) {
    const std::int64_t features = n_.value_features;
    for (std::int64_t row = 0; row < queries.count; ++row) {
      const std::int64_t t = queries.first + row;
      mean_[row] = dot(at(n_, saved_.dcontext, features, queries.pair, t),
                       at(n_, saved_.context, features, queries.pair, t), features);
      if (!saved_.dweights) continue;
      const std::int64_t offset = (queries.pair * n_.queries + t) * n_.keys;
      mean_[row] += dot(saved_.weights + offset, saved_.dweights + offset, n_.keys);
    }
  }

  // weights = scale ds
  void differentiate_softmax(const QueryTile& queries, const KeyTile& keys) {
    gemm_panel(Op::none, Op::transpose, queries.count, keys.count, n_.value_features,
               at(n_, saved_.dcontext, n_.value_features, queries.pair, queries.first),
               n_.value_step(), at(n_, saved_.value, n_.value_features, queries.pair, keys.first),
               n_.value_step(), T{0}, dweights_.rows, kTile);
    const T scale = static_cast<T>(n_.scale);
    for (std::int64_t row = 0; row < queries.count; ++row) {
      T *w = weights_[row], *dw = dweights_[row];
      const T m = mean_[row];
      if (saved_.dweights) {
        const std::int64_t t = queries.pair * n_.queries + queries.first + row;
        axpy(keys.count, T{1}, saved_.dweights + t * n_.keys + keys.first, dw);
      }
#pragma omp simd
      for (std::int64_t i = 0; i < keys.count; ++i) w[i] *= scale * (dw[i] - m);
    }
  }

  const MultiHeadSizes& n_;
  const MultiHeadSaved<T>& saved_;
  T *dquery_, *dkey_, *dvalue_;
  Tile<T> weights_, dweights_;
  T mean_[kTile];
};

}  // namespace

template <typename T>
void multi_head_forward(const MultiHeadSizes& n, const T* query, const T* key, const T* value,
                        T* context, T* log_sums) {
  for_each_query_tile(n, [&](const QueryTile& queries) {
    forward(n, queries, query, key, value, context, log_sums);
  });
}

template <typename T>
void multi_head_weights(const MultiHeadSizes& n, const T* query, const T* key, const T* log_sums,
                        T* weights) {
  for_each_query_tile(n, [&](const QueryTile& queries) {
    Tile<T> tile;
    T* rows = weights + (queries.pair * n.queries + queries.first) * n.keys;
    std::fill_n(rows, queries.count * n.keys, T{0});
    for_each_key_tile(n, queries, [&](const KeyTile& keys) {
      weigh(n, queries, keys, query, key, log_sums, tile);
      for (std::int64_t row = 0; row < queries.count; ++row)
        std::copy_n(tile[row], keys.count, rows + row * n.keys + keys.first);
    });
  });
}

template <typename T>
void multi_head_backward(const MultiHeadSizes& n, const MultiHeadSaved<T>& saved, Target<T> dquery,
                         Target<T> dkey, Target<T> dvalue) {
  // Queries of one pair add to the same keys, so a pair is not shared out.
  const std::int64_t work = n.queries * n.keys * (3 * n.key_features + 2 * n.value_features);
  parallel_for(n.pairs(), kRangeWork / std::max<std::int64_t>(1, work) + 1,
               [&](std::int64_t first, std::int64_t last) {
                 PairBackward<T> backward(n, saved, dquery.data, dkey.data, dvalue.data);
                 for (std::int64_t pair = first; pair < last; ++pair) {
                   clear(n, n.queries, n.key_features, pair, dquery);
                   clear(n, n.keys, n.key_features, pair, dkey);
                   clear(n, n.keys, n.value_features, pair, dvalue);
                   for (std::int64_t i = 0; i < query_tiles(n); ++i)
                     backward.run(query_tile(n, pair, i));
                 }
               });
}

#define ATTUNE_INSTANTIATE(T)                                                                    \
  template void multi_head_forward(const MultiHeadSizes&, const T*, const T*, const T*, T*, T*); \
  template void multi_head_weights(const MultiHeadSizes&, const T*, const T*, const T*, T*);     \
  template void multi_head_backward(const MultiHeadSizes&, const MultiHeadSaved<T>&, Target<T>,  \
                                    Target<T>, Target<T>)
ATTUNE_INSTANTIATE(float);
ATTUNE_INSTANTIATE(double);
#undef ATTUNE_INSTANTIATE

}  // namespace attune
