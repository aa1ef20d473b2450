#include "attune/autograd/kernels/multi_head_attention.h"

#include <cmath>
#include <limits>
#include <memory>
#include <type_traits>
#include <vector>

#include "attune/autograd/array/parallel.h"
#include "attune/autograd/array/random.h"
#include "attune/autograd/kernels/attention_tiles.h"
#include "attune/autograd/kernels/gemm.h"
#include "attune/autograd/kernels/gemm_kernel.h"
#include "attune/autograd/kernels/rows.h"

namespace attune::kernels {
namespace {

// A sequence [positions, B, heads * features], of which each (batch row, head) pair is a matrix
// whose rows are step() elements apart.
template <typename T>
struct Sequence {
  T* data;
  std::int64_t pairs, features;
  std::int64_t step() const { return pairs * features; }
  T* at(std::int64_t pair, std::int64_t position) const {
    return data + (position * pairs + pair) * features;
  }
};

// Sequences of queries (or of anything with an entry for each query), of keys, and of values.
template <typename T>
Sequence<T> queries_of(const MultiHeadSizes& n, T* data, std::int64_t features) {
  return {data, n.pairs(), features};
}
template <typename T>
Sequence<T> keys_of(const MultiHeadSizes& n, T* data) {
  return {data, n.key_pairs(), n.key_features};
}
template <typename T>
Sequence<T> values_of(const MultiHeadSizes& n, T* data) {
  return {data, n.value_pairs(), n.value_features};
}

// to = factor * from, from the rows of a pair to contiguous rows. Rows of a pair are B * H * d
// elements apart, often a power of two, which causes cache conflicts; what several products read or
// accumulate is therefore gathered first.
template <typename T>
void bring_together(const QueryTile& rows, const Sequence<const T>& sequence, T factor, T* to) {
  for (std::int64_t i = 0; i < rows.count; ++i)
    axpy(sequence.features, factor, sequence.at(rows.pair, rows.first + i),
         to + i * sequence.features, /*accumulate=*/false);
}

// The inverse, from contiguous rows to those of a pair: to (+)= factor * from.
template <typename T>
void spread_out(const QueryTile& rows, T factor, const T* from, const Sequence<T>& to,
                bool accumulate) {
  for (std::int64_t i = 0; i < rows.count; ++i)
    axpy(to.features, factor, from + i * to.features, to.at(rows.pair, rows.first + i), accumulate);
}

// Packs a tile of keys or values as a right operand.
template <typename T>
PackedMatrix<T> pack(Op op, std::int64_t pair, const KeyTile& keys,
                     const Sequence<const T>& sequence) {
  const bool transposed = op == Op::transpose;
  return PackedMatrix<T>(op, transposed ? keys.count : sequence.features,
                         transposed ? sequence.features : keys.count, sequence.at(pair, keys.first),
                         sequence.step());
}

// The unpacked rows of a matrix, `step` elements apart.
template <typename T>
struct Rows {
  const T* first;
  std::int64_t step, count, features;
  const T* operator[](std::int64_t row) const { return first + row * step; }
};

// The tile's keys or values: the rows that pack() packs.
template <typename T>
Rows<T> rows_of(std::int64_t pair, const KeyTile& keys, const Sequence<const T>& sequence) {
  return {sequence.at(pair, keys.first), sequence.step(), keys.count, sequence.features};
}

// True if no row holds NaN or infinity, checked with a single sum over all rows.
template <typename T>
bool all_finite(const Rows<T>& rows) {
  constexpr int kLanes = 16;
  T lanes[kLanes] = {}, rest = 0;
  for (std::int64_t j = 0; j < rows.count; ++j) {
    const T* x = rows[j];
    std::int64_t i = 0;
    for (; i + kLanes <= rows.features; i += kLanes) {
#pragma omp simd
      for (int lane = 0; lane < kLanes; ++lane) lanes[lane] += x[i + lane] - x[i + lane];
    }
    for (; i < rows.features; ++i) rest += x[i] - x[i];  // inf - inf is NaN
  }
  return rest + lane_sum<T>(kLanes, [&](std::int64_t i) { return lanes[i]; }) == 0;
}

// C = A B + beta C, where row j of B contributes to row i of C only if sees(i, j), and A[i, j] is 0
// otherwise. If B is finite this is the plain product. If not, 0 * NaN would reach hidden entries:
// rows of C are then grouped by which of the non-finite rows of B they see, and for each group the
// others are replaced by zeros. The result has the same bits either way.
template <typename T, typename Sees>
void multiply_seen(const PackedMatrix<T>& packed, const Rows<T>& b, Op op_a, std::int64_t m,
                   const T* a, T beta, T* c, const Sees& sees) {
  if (all_finite(b)) return packed.multiply(op_a, m, a, kTile, beta, c, b.features);
  std::vector<std::int64_t> wild;
  for (std::int64_t j = 0; j < b.count; ++j)
    if (!row_is_finite(b[j], b.features)) wild.push_back(j);

  Array scratch(Shape{b.count + m, b.features}, dtype_of<T>);
  T *tame = scratch.mutable_data<T>(), *product = tame + b.count * b.features;
  std::vector<bool> done(static_cast<std::size_t>(m));
  for (std::int64_t i = 0; i < m; ++i) {
    if (done[i]) continue;
    for (std::int64_t j = 0; j < b.count; ++j) std::copy_n(b[j], b.features, tame + j * b.features);
    for (const std::int64_t j : wild)
      if (!sees(i, j)) std::fill_n(tame + j * b.features, b.features, T{0});
    std::copy_n(c, m * b.features, product);
    PackedMatrix<T>(Op::none, b.features, b.count, tame, b.features)
        .multiply(op_a, m, a, kTile, beta, product, b.features);
    for (std::int64_t k = i; k < m; ++k) {
      if (done[k] || !std::all_of(wild.begin(), wild.end(),
                                  [&](std::int64_t j) { return sees(k, j) == sees(i, j); }))
        continue;
      std::copy_n(product + k * b.features, b.features, c + k * b.features);
      done[k] = true;
    }
  }
}

// Minimum work of a parallel range, in multiplications.
constexpr std::int64_t kRangeWork = 1 << 18;

// Calls body(pair, first tile, last tile) for groups of query tiles, in parallel. A group is all
// tiles of a pair if there are enough pairs for several threads.
template <typename Body>
void for_each_group(const MultiHeadSizes& n, const Body& body) {
  constexpr std::int64_t kEnough = 8;
  const std::int64_t tiles = query_tiles(n);
  if (tiles == 0 || n.pairs() == 0) return;
  const std::int64_t wanted = std::clamp<std::int64_t>(kEnough / n.pairs(), 1, tiles);
  const std::int64_t size = (tiles + wanted - 1) / wanted;
  const std::int64_t groups = (tiles + size - 1) / size;
  const std::int64_t work =
      std::min(size * kTile, n.queries) * n.keys * (n.key_features + n.value_features);
  parallel_for(n.pairs() * groups, kRangeWork / std::max<std::int64_t>(1, work) + 1,
               [&](std::int64_t first, std::int64_t last) {
                 for (std::int64_t i = first; i < last; ++i)
                   body(i / groups, i % groups * size, std::min(tiles, (i % groups + 1) * size));
               });
}

// Turns the scores of a tile into weights: exp(score - log sum), and 0 for hidden keys.
template <typename T>
void weigh(const MultiHeadSizes& n, const QueryTile& queries, const KeyTile& keys,
           const TileMask<T>& mask, const LogSumExp<T>* log_sums, Tile<T>& tile) {
  for (std::int64_t row = 0; row < queries.count; ++row) {
    const KeyRange seen = mask.seen(row);
    T* w = tile[row];
    mask.add_to(row, w);
    row_probabilities(w + seen.first, log_sums[queries.pair * n.queries + queries.first + row],
                      seen.count(), w + seen.first);
    std::fill(w, w + seen.first, T{0});
    std::fill(w + seen.last, w + keys.count, T{0});
    for (std::int64_t s = seen.first; mask.has_entries() && s < seen.last; ++s)
      if (mask.is_hidden(row, s)) w[s] = 0;  // also where the log sum is NaN
  }
}

// Applies dropout to the weights of a tile, or to their gradients.
template <typename T>
void drop(const MultiHeadSizes& n, const QueryTile& queries, const KeyTile& keys, Tile<T>& tile) {
  const auto lowest = static_cast<std::uint32_t>(std::ldexp(n.dropout.p, 32));
  const T factor = static_cast<T>(1 / (1 - n.dropout.p));
  for (std::int64_t row = 0; row < queries.count; ++row) {
    const auto of_query =
        static_cast<std::uint64_t>(queries.pair * n.queries + queries.first + row);
    for (std::int64_t s = 0; s < keys.count; s += 4) {  // keys.first is a multiple of 4
      const auto bits =
          philox(n.dropout.key, of_query, static_cast<std::uint64_t>((keys.first + s) / 4));
      for (std::int64_t i = s; i < std::min(keys.count, s + 4); ++i) {
        T& weight = tile[row][i];
        weight = bits[static_cast<std::size_t>(i - s)] < lowest ? T{0} : weight * factor;
      }
    }
  }
}

// Online softmax of rows whose scores arrive in tiles: scores are shifted by the largest one so
// far, and earlier sums are rescaled when that grows (Milakov and Gimelshein 2018).
template <typename T>
struct RunningSoftmax {
  T largest[kTile], total[kTile];
  explicit RunningSoftmax(std::int64_t rows) {
    std::fill_n(largest, rows, -std::numeric_limits<T>::infinity());
    std::fill_n(total, rows, T{0});
  }
  // Replaces `seen` scores by exp(score - largest) and returns the factor that rescales earlier
  // sums.
  T take_in(std::int64_t row, T* scores, std::int64_t seen) {
    const T before = largest[row];
    largest[row] = std::max(before, row_max(scores, seen));  // ignores NaN, which `total` keeps
    const bool nothing = largest[row] == -std::numeric_limits<T>::infinity();
    const T shift = nothing ? T{0} : largest[row];
    row_exp(scores, shift, seen, scores);
    const bool is_first = before == -std::numeric_limits<T>::infinity();
    const T shrink = is_first ? T{0} : math::exp(before - shift);
    total[row] = total[row] * shrink + lane_sum<T>(seen, [=](auto i) { return scores[i]; });
    return shrink;
  }
};

template <typename T>
void scale_row(T* x, std::int64_t n, T factor) {
#pragma omp simd
  for (std::int64_t i = 0; i < n; ++i) x[i] *= factor;
}

// Query tiles [first_tile, last_tile) of one pair.
template <typename T>
void forward(const MultiHeadSizes& n, std::int64_t pair, std::int64_t first_tile,
             std::int64_t last_tile, const T* query, const T* key, const T* value, T* context,
             LogSumExp<T>* log_sums) {
  const std::int64_t d = n.key_features, e = n.value_features;
  std::vector<KeyTile> tiles;
  std::vector<PackedMatrix<T>> keys, values;
  const std::int64_t first_query = first_tile * kTile;
  const std::int64_t count = std::min(n.queries, last_tile * kTile) - first_query;
  for_each_key_tile(visible_to_any(n, pair, first_query, count), [&](const KeyTile& k) {
    tiles.push_back(k);
    keys.push_back(pack(Op::transpose, n.key_pair(pair), k, keys_of(n, key)));
    values.push_back(pack(Op::none, n.value_pair(pair), k, values_of(n, value)));
  });
  Array scratch(Shape{kTile, d + e}, dtype_of<T>);
  T *own_query = scratch.mutable_data<T>(), *sum = own_query + kTile * d;

  for (std::int64_t index = first_tile; index < last_tile; ++index) {
    const QueryTile queries = query_tile(n, pair, index);
    Tile<T> weights;
    RunningSoftmax<T> softmax(queries.count);
    bring_together(queries, queries_of(n, query, d), static_cast<T>(n.scale), own_query);
    std::fill_n(sum, queries.count * e, T{0});
    const KeyRange seen_by_any = visible_to_any(n, queries);
    bool is_first = true;
    for (std::size_t i = first_of(tiles, seen_by_any);
         i < tiles.size() && tiles[i].first < seen_by_any.last; ++i) {
      const TileMask<T> mask(n, queries, tiles[i]);
      if (mask.hides_all()) continue;
      keys[i].multiply(Op::none, queries.count, own_query, d, T{0}, weights.rows, kTile);
      for (std::int64_t row = 0; row < queries.count; ++row) {
        const KeyRange seen = mask.seen(row);
        T* w = weights[row];
        if (seen.count() > 0) {
          mask.add_to(row, w);
          const T shrink = softmax.take_in(row, w + seen.first, seen.count());
          if (!is_first) scale_row(sum + row * e, e, shrink);
        }
        std::fill(w, w + seen.first, T{0});
        std::fill(w + seen.last, w + tiles[i].count, T{0});
      }
      if (n.dropout.p > 0) drop(n, queries, tiles[i], weights);
      const T beta = is_first ? T{0} : T{1};
      if (mask.hides_some())
        multiply_seen(values[i], rows_of(n.value_pair(pair), tiles[i], values_of(n, value)),
                      Op::none, queries.count, weights.rows, beta, sum,
                      [&](auto row, auto s) { return mask.sees(row, s); });
      else
        values[i].multiply(Op::none, queries.count, weights.rows, kTile, beta, sum, e);
      is_first = false;
    }
    for (std::int64_t row = 0; row < queries.count; ++row) {
      const std::int64_t t = queries.first + row;
      const bool sees = softmax.total[row] != 0;  // false: no visible key, or all scores -inf
      axpy(e, sees ? 1 / softmax.total[row] : T{1}, sum + row * e,
           queries_of(n, context, e).at(pair, t), /*accumulate=*/false);
      log_sums[pair * n.queries + t] =
          sees ? LogSumExp<T>{softmax.largest[row], std::log(softmax.total[row])} : LogSumExp<T>{};
    }
  }
}

// Rows of the batch whose single queries see the same keys.
struct RowGroup {
  std::int64_t first, count;
};

// All rows of the batch in groups, small enough for products without packing.
[[maybe_unused]] std::vector<RowGroup> row_groups(const MultiHeadSizes& n) {
  const auto are_alike = [&](std::int64_t a, std::int64_t b) {
    if (!n.key_rows || n.key_rows_step > 0 || n.key_rows[a] != n.key_rows[b]) return false;
    const KeyRange x = n.range(a * n.heads, 0), y = n.range(b * n.heads, 0);
    return x.first == y.first && x.last == y.last;
  };
  std::vector<RowGroup> groups;
  for (std::int64_t row = 0; row < n.batch; ++row)
    if (!groups.empty() && groups.back().count < gemm_kernel::kFewRows &&
        are_alike(groups.back().first, row))
      ++groups.back().count;
    else
      groups.push_back({row, 1});
  return groups;
}

// The keys or values of all heads of a row of the batch, those of a position beside each other:
// rows that are `step` elements apart.
template <typename T>
struct HeadRows {
  const T* first;
  std::int64_t step, features;

  // C = A op(B) + beta C, with B [count, features] of a head from a position on.
  void multiply(Op op, std::int64_t head, std::int64_t position, std::int64_t count, std::int64_t m,
                const T* a, std::int64_t lda, T beta, T* c, std::int64_t ldc) const {
    const bool transposed = op == Op::transpose;
    gemm_panel(Op::none, op, m, transposed ? count : features, transposed ? features : count, a,
               lda, first + position * step + head * features, step, beta, c, ldc);
  }
};

template <typename T>
HeadRows<T> rows_of_group(const MultiHeadSizes& n, const RowGroup& group, std::int64_t heads,
                          const Sequence<const T>& from) {
  return {from.at(n.pair_of(group.first * n.heads, heads), 0), from.step(), from.features};
}

// The same where each position has a row of its own, for a single query.
template <typename T>
struct ScatteredHeadRows {
  const T* const* rows;  // of the positions
  std::int64_t features;

  void multiply(Op op, std::int64_t head, std::int64_t position, std::int64_t count, std::int64_t,
                const T* a, std::int64_t, T beta, T* c, std::int64_t) const {
    const bool transposed = op == Op::transpose;
    gemm_scattered(op, transposed ? count : features, transposed ? features : count, a,
                   rows + position, head * features, beta, c);
  }
};

// Of the positions that are seen; their rows are kept in `rows`.
template <typename T>
ScatteredHeadRows<T> scattered(const MultiHeadSizes& n, const RowGroup& group, std::int64_t heads,
                               const Sequence<const T>& from, std::vector<const T*>& rows) {
  const std::int64_t pair = group.first * n.heads;
  const KeyRange seen = n.range(pair, 0);
  rows.resize(static_cast<std::size_t>(n.keys));
  for (std::int64_t s = seen.first; s < seen.last; ++s)
    rows[static_cast<std::size_t>(s)] = from.at(n.pair_of(pair, heads, s), s);
  return {rows.data(), from.features};
}

// forward() of single queries, as when a target is decoded step by step: their products are too
// small for packed keys and values. The queries of one head in a group of rows are computed
// together. The results have the same bits as those of forward(). Heads is HeadRows or
// ScatteredHeadRows.
template <typename T, typename Heads>
void forward_one(const MultiHeadSizes& n, const RowGroup& group, std::int64_t head, const T* query,
                 const Heads& keys, const Heads& values, T* context, LogSumExp<T>* log_sums) {
  const std::int64_t d = n.key_features, e = n.value_features, m = group.count;
  const std::int64_t pair = group.first * n.heads + head, step = n.heads;  // to the next row's pair
  constexpr std::int64_t kOnStack = 512;
  T on_stack[kOnStack];
  Array scratch;
  if (m * d > kOnStack) scratch = Array(Shape{m, d}, dtype_of<T>);
  T* const own = m * d <= kOnStack ? on_stack : scratch.mutable_data<T>();
  T* const sums = context + pair * e;
  for (std::int64_t i = 0; i < m; ++i) {
    axpy(d, static_cast<T>(n.scale), query + (pair + i * step) * d, own + i * d,
         /*accumulate=*/false);
    std::fill_n(sums + i * step * e, e, T{0});
  }
  RunningSoftmax<T> softmax(m);
  const KeyRange seen = n.range(pair, 0);
  T weights[gemm_kernel::kFewRows * kTile];
  constexpr std::int64_t kLanes = 16;  // of the loops over rows
  bool is_first = true;
  for_each_key_tile(seen, [&](const KeyTile& tile) {
    const std::int64_t first = std::max(tile.first, seen.first);
    const std::int64_t count = tile.first + tile.count - first;
    keys.multiply(Op::transpose, head / (n.heads / n.key_heads), first, count, m, own, d, T{0},
                  weights, kTile);
    // Whole vectors: further scores of minus infinity change nothing.
    const std::int64_t whole = std::min(kTile, (count + kLanes - 1) / kLanes * kLanes);
    for (std::int64_t i = 0; i < m; ++i) {
      std::fill(weights + i * kTile + count, weights + i * kTile + whole,
                -std::numeric_limits<T>::infinity());
      const T shrink = softmax.take_in(i, weights + i * kTile, whole);
      if (!is_first) scale_row(sums + i * step * e, e, shrink);
    }
    values.multiply(Op::none, head / (n.heads / n.value_heads), first, count, m, weights, kTile,
                    is_first ? T{0} : T{1}, sums, step * e);
    is_first = false;
  });
  for (std::int64_t i = 0; i < m; ++i) {
    const bool sees = softmax.total[i] != 0;
    scale_row(sums + i * step * e, e, sees ? 1 / softmax.total[i] : T{1});
    log_sums[pair + i * step] =
        sees ? LogSumExp<T>{softmax.largest[i], std::log(softmax.total[i])} : LogSumExp<T>{};
  }
}

// forward_one() of all rows of the batch.
template <typename T>
void forward_all_of_one(const MultiHeadSizes& n, const T* query, const Sequence<const T>& keys,
                        const Sequence<const T>& values, T* context, LogSumExp<T>* log_sums) {
  const std::vector<RowGroup> groups = row_groups(n);
  const auto count = std::ssize(groups);
  const auto group = [&](std::int64_t i) { return groups[static_cast<std::size_t>(i)]; };
  const std::int64_t work = n.keys * (n.key_features + n.value_features);
  const auto grain = [](std::int64_t work) {
    return kRangeWork / std::max<std::int64_t>(1, work) + 1;
  };
  if (n.key_rows_step == 0) {
    parallel_for(count * n.heads, grain(work), [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t i = first; i < last; ++i)
        forward_one(n, group(i / n.heads), i % n.heads, query,
                    rows_of_group(n, group(i / n.heads), n.key_heads, keys),
                    rows_of_group(n, group(i / n.heads), n.value_heads, values), context, log_sums);
    });
    return;
  }
  parallel_for(count, grain(work * n.heads), [&](std::int64_t first, std::int64_t last) {
    std::vector<const T*> key_rows, value_rows;
    for (std::int64_t i = first; i < last; ++i) {
      const auto k = scattered(n, group(i), n.key_heads, keys, key_rows);
      const auto v = scattered(n, group(i), n.value_heads, values, value_rows);
      for (std::int64_t head = 0; head < n.heads; ++head)
        forward_one(n, group(i), head, query, k, v, context, log_sums);
    }
  });
}

// The gradients of one (batch row, head) pair. Only pairs that share a head of keys or values write
// to the same memory; these run one after another on one thread.
template <typename T>
class PairBackward {
 public:
  PairBackward(const MultiHeadSizes& n, const MultiHeadSaved<T>& saved, std::int64_t pair)
      : n_(n),
        saved_(saved),
        pair_(pair),
        seen_(visible_to_any(n, pair, 0, n.queries)),
        first_(tile_begin(seen_.first)),
        count_(std::max<std::int64_t>(0, seen_.last - first_)),
        scratch_(Shape{2 * kTile + count_, 2 * n.key_features + n.value_features}, dtype_of<T>) {
    const std::int64_t d = n.key_features, e = n.value_features;
    for_each_key_tile(seen_, [&](const KeyTile& k) {
      tiles_.push_back(k);
      const std::int64_t of_key = n.key_pair(pair), of_value = n.value_pair(pair);
      to_scores_.push_back(pack(Op::transpose, of_key, k, keys_of(n, saved.key)));
      to_dweights_.push_back(pack(Op::transpose, of_value, k, values_of(n, saved.value)));
      to_dquery_.push_back(pack(Op::none, of_key, k, keys_of(n, saved.key)));
    });
    query_ = scratch_.mutable_data<T>();
    dquery_ = query_ + kTile * d;
    dcontext_ = dquery_ + kTile * d;
    dkey_ = dcontext_ + kTile * e;
    dvalue_ = dkey_ + count_ * d;
    std::fill_n(dkey_, count_ * (d + e), T{0});
    if (n.dropout.p > 0) dropped_ = std::make_unique<Tile<T>>();
  }

  // `dbias` is this pair's bias gradient, or nullptr.
  void run(const Target<T>& dquery, const Target<T>& dkey, const Target<T>& dvalue, T* dbias) {
    dbias_ = dbias;
    const T scale = static_cast<T>(n_.scale);
    for (std::int64_t i = 0; i < query_tiles(n_); ++i) {
      const QueryTile queries = query_tile(n_, pair_, i);
      run_tile(queries);
      if (dquery.data)
        spread_out(queries, scale, dquery_, queries_of(n_, dquery.data, n_.key_features),
                   dquery.accumulate);
    }
    put(n_.key_pair(pair_), dkey_, keys_of(n_, dkey.data), dkey.accumulate);
    put(n_.value_pair(pair_), dvalue_, values_of(n_, dvalue.data), dvalue.accumulate);
  }

 private:
  // Writes the gradients of keys or values; those that no query sees get 0.
  void put(std::int64_t pair, const T* from, const Sequence<T>& to, bool accumulate) {
    if (!to.data) return;
    spread_out(QueryTile{pair, first_, count_}, T{1}, from, to, accumulate);
    for (std::int64_t s = 0; s < n_.keys && !accumulate; ++s)
      if (s < first_ || s >= first_ + count_) std::fill_n(to.at(pair, s), to.features, T{0});
  }

  // Adds what these queries contribute to dkey_ and dvalue_, and computes dquery_, still unscaled.
  void run_tile(const QueryTile& queries) {
    const std::int64_t d = n_.key_features, e = n_.value_features, rows = queries.count;
    bring_together(queries, queries_of(n_, saved_.query, d), static_cast<T>(n_.scale), query_);
    bring_together(queries, queries_of(n_, saved_.dcontext, e), T{1}, dcontext_);
    find_means(queries);
    std::fill_n(dquery_, rows * d, T{0});
    const PackedMatrix<T> to_dkey(Op::none, d, rows, query_, d);
    const PackedMatrix<T> to_dvalue(Op::none, e, rows, dcontext_, e);
    const KeyRange seen_by_any = visible_to_any(n_, queries);
    for (std::size_t i = first_of(tiles_, seen_by_any);
         i < tiles_.size() && tiles_[i].first < seen_by_any.last; ++i) {
      const KeyTile& keys = tiles_[i];
      const TileMask<T> mask(n_, queries, keys);
      if (mask.hides_all()) continue;
      to_scores_[i].multiply(Op::none, rows, query_, d, T{0}, weights_.rows, kTile);
      weigh(n_, queries, keys, mask, saved_.log_sums, weights_);
      to_dweights_[i].multiply(Op::none, rows, dcontext_, e, T{0}, dweights_.rows, kTile);
      Tile<T>& used = dropped_ ? *dropped_ : weights_;  // the weights after dropout
      if (dropped_) {
        std::copy_n(weights_.rows, rows * kTile, used.rows);
        drop(n_, queries, keys, used);
        drop(n_, queries, keys, dweights_);
      }
      T* dkey = dkey_ + (keys.first - first_) * d;
      T* dvalue = dvalue_ + (keys.first - first_) * e;
      if (!mask.hides_some()) {
        to_dvalue.multiply(Op::transpose, keys.count, used.rows, kTile, T{1}, dvalue, e);
        differentiate_softmax(queries, keys, mask);
        to_dquery_[i].multiply(Op::none, rows, weights_.rows, kTile, T{1}, dquery_, d);
        to_dkey.multiply(Op::transpose, keys.count, weights_.rows, kTile, T{1}, dkey, d);
        continue;
      }
      const auto sees = [&](auto row, auto s) { return mask.sees(row, s); };
      const auto seen_by = [&](auto s, auto row) { return sees(row, s); };
      multiply_seen(to_dvalue, {dcontext_, e, rows, e}, Op::transpose, keys.count, used.rows, T{1},
                    dvalue, seen_by);
      differentiate_softmax(queries, keys, mask);
      multiply_seen(to_dquery_[i], rows_of(n_.key_pair(pair_), keys, keys_of(n_, saved_.key)),
                    Op::none, rows, weights_.rows, T{1}, dquery_, sees);
      multiply_seen(to_dkey, {query_, d, rows, d}, Op::transpose, keys.count, weights_.rows, T{1},
                    dkey, seen_by);
    }
  }

  void find_means(const QueryTile& queries) {
    const std::int64_t features = n_.value_features;
    for (std::int64_t row = 0; row < queries.count; ++row) {
      const std::int64_t t = queries.first + row;
      mean_[row] = dot(dcontext_ + row * features,
                       queries_of(n_, saved_.context, features).at(pair_, t), features);
      if (!saved_.dweights) continue;
      const KeyRange seen = n_.range(pair_, t);
      const std::int64_t offset = (pair_ * n_.queries + t) * n_.keys + seen.first;
      const T *w = saved_.weights + offset, *dw = saved_.dweights + offset;
      if (!n_.mask.has_entries()) {
        mean_[row] += dot(w, dw, seen.count());
        continue;
      }
      // A hidden key has weight 0, and its gradient may hold anything.
      mean_[row] +=
          lane_sum<T>(seen.count(), [=](auto i) { return w[i] == 0 ? T{0} : w[i] * dw[i]; });
    }
  }

  // Overwrites weights_ with ds = p (dp - mean). For hidden keys ds is 0, whatever dp holds.
  void differentiate_softmax(const QueryTile& queries, const KeyTile& keys,
                             const TileMask<T>& mask) {
    for (std::int64_t row = 0; row < queries.count; ++row) {
      const KeyRange seen = mask.seen(row);
      T *w = weights_[row], *dw = dweights_[row];
      const T m = mean_[row];
      if (saved_.dweights) {
        const std::int64_t t = pair_ * n_.queries + queries.first + row;
        axpy(seen.count(), T{1}, saved_.dweights + t * n_.keys + keys.first + seen.first,
             dw + seen.first);
      }
#pragma omp simd
      for (std::int64_t i = seen.first; i < seen.last; ++i) w[i] *= dw[i] - m;
      for (std::int64_t i = seen.first; mask.has_entries() && i < seen.last; ++i)
        if (mask.is_hidden(row, i)) w[i] = 0;
      if (dbias_) add_to_dbias(queries.first + row, keys.first, seen, w);
    }
  }

  // Adds ds of one query to the bias gradient.
  void add_to_dbias(std::int64_t t, std::int64_t first_key, const KeyRange& seen, const T* ds) {
    const BroadcastSteps& steps = n_.mask.bias_steps;
    T* to = dbias_ + t * steps.query + first_key * steps.key;
    for (std::int64_t i = seen.first; i < seen.last; ++i) to[i * steps.key] += ds[i];
  }

  const MultiHeadSizes& n_;
  const MultiHeadSaved<T>& saved_;
  std::int64_t pair_;
  KeyRange seen_;
  std::int64_t first_, count_;  // of keys: from the start of a tile to the last visible key
  std::vector<KeyTile> tiles_;
  std::vector<PackedMatrix<T>> to_scores_, to_dweights_, to_dquery_;  // one per tile
  Array scratch_;
  T *query_, *dquery_, *dcontext_;  // [kTile, features]: the current query tile; query_ is scaled
  T *dkey_, *dvalue_;               // [count_, features]
  Tile<T> weights_, dweights_;
  std::unique_ptr<Tile<T>> dropped_;  // null without dropout
  T* dbias_ = nullptr;
  T mean_[kTile];
};

// Whether small products need no packing.
template <typename T>
constexpr bool kHasSmallProducts = std::is_same_v<T, float>&& gemm_kernel::kAvailable;

}  // namespace

template <typename T>
bool takes_rows_of_positions(const MultiHeadSizes& n) {
  return kHasSmallProducts<T> && n.queries == 1 && !n.mask.has_entries() && n.dropout.p == 0;
}

template <typename T>
void multi_head_forward(const MultiHeadSizes& n, const T* query, const T* key, const T* value,
                        T* context, LogSumExp<T>* log_sums) {
  if constexpr (kHasSmallProducts<T>)
    if (takes_rows_of_positions<T>(n))
      return forward_all_of_one(n, query, keys_of(n, key), values_of(n, value), context, log_sums);
  for_each_group(n, [&](std::int64_t pair, std::int64_t first, std::int64_t last) {
    forward(n, pair, first, last, query, key, value, context, log_sums);
  });
}

template <typename T>
void multi_head_weights(const MultiHeadSizes& n, const T* query, const T* key,
                        const LogSumExp<T>* log_sums, T* weights) {
  for_each_group(n, [&](std::int64_t pair, std::int64_t first, std::int64_t last) {
    const std::int64_t d = n.key_features;
    Array scratch(Shape{kTile, d}, dtype_of<T>);
    Tile<T> tile;
    for (std::int64_t index = first; index < last; ++index) {
      const QueryTile queries = query_tile(n, pair, index);
      T* rows = weights + (pair * n.queries + queries.first) * n.keys;
      std::fill_n(rows, queries.count * n.keys, T{0});
      bring_together(queries, queries_of(n, query, d), static_cast<T>(n.scale),
                     scratch.mutable_data<T>());
      for_each_key_tile(visible_to_any(n, queries), [&](const KeyTile& keys) {
        const TileMask<T> mask(n, queries, keys);
        if (mask.hides_all()) return;
        gemm_panel(Op::none, Op::transpose, queries.count, keys.count, d, scratch.data<T>(), d,
                   keys_of(n, key).at(n.key_pair(pair), keys.first), keys_of(n, key).step(), T{0},
                   tile.rows, kTile);
        weigh(n, queries, keys, mask, log_sums, tile);
        for (std::int64_t row = 0; row < queries.count; ++row)
          std::copy_n(tile[row], keys.count, rows + row * n.keys + keys.first);
      });
    }
  });
}

template <typename T>
void multi_head_backward(const MultiHeadSizes& n, const MultiHeadSaved<T>& saved, Target<T> dquery,
                         Target<T> dkey, Target<T> dvalue, T* dbias) {
  // All queries that attend to the same keys or values add to the same gradients, so they are not
  // split among threads. The first query head of each key or value head overwrites
  // its gradient, unless that accumulates; the others add to it.
  const BroadcastSteps& steps = n.mask.bias_steps;
  const std::int64_t bias_size = (steps.query ? n.queries : 1) * (steps.key ? n.keys : 1);
  const std::int64_t together = n.heads / std::min(n.key_heads, n.value_heads);
  const std::int64_t work =
      together * n.queries * n.keys * (3 * n.key_features + 2 * n.value_features);
  const auto of_head = [](Target<T> target, bool is_first) -> Target<T> {
    return {target.data, target.accumulate || !is_first};
  };
  parallel_for(n.pairs() / together, kRangeWork / std::max<std::int64_t>(1, work) + 1,
               [&](std::int64_t first, std::int64_t last) {
                 for (std::int64_t pair = first * together; pair < last * together; ++pair)
                   PairBackward<T>(n, saved, pair)
                       .run(dquery, of_head(dkey, pair % (n.heads / n.key_heads) == 0),
                            of_head(dvalue, pair % (n.heads / n.value_heads) == 0),
                            dbias ? dbias + pair * bias_size : nullptr);
               });
}

#define ATTUNE_INSTANTIATE(T)                                                                      \
  template bool takes_rows_of_positions<T>(const MultiHeadSizes&);                                 \
  template void multi_head_forward(const MultiHeadSizes&, const T*, const T*, const T*, T*,        \
                                   LogSumExp<T>*);                                                 \
  template void multi_head_weights(const MultiHeadSizes&, const T*, const T*, const LogSumExp<T>*, \
                                   T*);                                                            \
  template void multi_head_backward(const MultiHeadSizes&, const MultiHeadSaved<T>&, Target<T>,    \
                                    Target<T>, Target<T>, T*)
ATTUNE_INSTANTIATE(float);
ATTUNE_INSTANTIATE(double);
#undef ATTUNE_INSTANTIATE

}  // namespace attune::kernels
