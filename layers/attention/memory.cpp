#include "attune/layers/attention/memory.h"

#include <numeric>
#include <vector>

#include "attune/autograd/ops/shaping.h"
#include "attune/autograd/scopes.h"

namespace attune {
namespace {

bool is_table(const Indices& rows) { return rows.defined() && rows.shape().rank() == 2; }

// 0, 1 ... count - 1.
std::vector<std::int32_t> own_rows(std::int64_t count) {
  std::vector<std::int32_t> rows(static_cast<std::size_t>(count));
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

// The given columns of a table.
Indices select_columns(const Indices& table, const Indices& columns) {
  const std::int64_t positions = table.shape()[0], count = table.shape()[1];
  const std::vector<std::int32_t> chosen = columns.to_vector();
  for (const std::int32_t column : chosen)
    ATTUNE_CHECK(column >= 0 && column < count,
                 "memory: select() of query {}, but there are {} queries", column, count);
  std::vector<std::int32_t> selected;
  selected.reserve(static_cast<std::size_t>(positions) * chosen.size());
  for (std::int64_t s = 0; s < positions; ++s)
    for (const std::int32_t column : chosen) selected.push_back(table.data()[s * count + column]);
  return Indices(selected, {positions, columns.elements()});
}

// A table [before + more, queries]: first `rows`, repeated at each of the `before` positions unless
// it is a table already; then each query's own row at the `more` positions.
Indices grown_table(const Indices& rows, std::int64_t before, std::int64_t more,
                    std::int64_t queries) {
  std::vector<std::int32_t> table;
  table.reserve(static_cast<std::size_t>((before + more) * queries));
  const auto add = [&](std::span<const std::int32_t> numbers, std::int64_t times) {
    for (std::int64_t i = 0; i < times; ++i)
      table.insert(table.end(), numbers.begin(), numbers.end());
  };
  add({rows.data(), static_cast<std::size_t>(rows.elements())}, is_table(rows) ? 1 : before);
  add(own_rows(queries), more);
  return Indices(table, {before + more, queries});
}

// x [S, R, ...] with `rows` rows, the last ones 0.
Tensor with_rows(const Tensor& x, std::int64_t rows) {
  Shape more = x.shape();
  more[1] = rows - x.size(1);
  return more[1] == 0 ? x : concat({x, Tensor(Array::zeros(more, x.dtype()))}, 1);
}

}  // namespace

Memory Memory::select(const Indices& queries) const {
  if (!keys.defined()) return {};
  if (is_table(rows)) return {keys, values, lengths, select_columns(rows, queries)};
  if (rows.defined()) return {keys, values, lengths, select_lengths(rows, queries)};
  return {index_select(keys, 1, queries), index_select(values, 1, queries),
          select_lengths(lengths, queries)};
}

Memory Memory::shared() const {
  if (!keys.defined() || rows.defined()) return *this;
  return {keys, values, lengths, Indices(own_rows(keys.size(1)))};
}

Memory Memory::copied() const {
  if (!rows.defined()) return *this;
  return {index_select(keys, 1, rows), index_select(values, 1, rows), query_lengths()};
}

Memory Memory::append(const Memory& more) const {
  if (!keys.defined()) return more;
  ATTUNE_CHECK(!lengths.defined(),
               "attention: a memory with lengths cannot be extended: new positions would come "
               "after the padding");
  const std::int64_t own = keys.size(1), queries = more.keys.size(1);
  if (rows.defined() && rows.shape().last() == queries && queries <= own && own <= 2 * queries)
    return {attune::append(keys, with_rows(more.keys, own)),
            attune::append(values, with_rows(more.values, own)),
            {},
            grown_table(rows, keys.size(0), more.keys.size(0), queries)};
  const Memory before = copied();
  return {attune::append(before.keys, more.keys), attune::append(before.values, more.values), {}};
}

Indices Memory::query_lengths() const {
  return rows.defined() ? select_lengths(lengths, rows) : lengths;
}

Indices select_lengths(const Indices& lengths, const Indices& rows) {
  if (!lengths.defined()) return {};
  std::vector<std::int32_t> selected;
  for (const std::int32_t row : rows.to_vector()) selected.push_back(lengths.at(row));
  return Indices(selected);
}

}  // namespace attune
