#include "attune/data/pair_table.h"

#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "attune/data/batch_stream.h"
#include "attune/data/vocabulary.h"
#include "catch.h"

using namespace attune;

namespace {

// Whether the ids take two bytes each.
bool is_narrow(const PairTable& table) { return table.ids().index() == 0; }

void check_holds(const PairTable& table, const std::vector<Example>& examples) {
  REQUIRE(table.size() == examples.size());
  for (std::size_t i = 0; i < examples.size(); ++i) {
    CHECK(table[i].source == examples[i].source);
    CHECK(table[i].target == examples[i].target);
    CHECK(table.source_length(i) == examples[i].source.size());
    CHECK(table.target_length(i) == examples[i].target.size());
  }
}

}  // namespace

TEST_CASE("a table of pairs holds examples of any length, in two bytes an id if these suffice") {
  for (const auto& [largest, narrow] : {std::pair{9, true},
                                        {65535, true},
                                        {65536, false},
                                        {std::numeric_limits<int>::max(), false}}) {
    const std::vector<Example> examples = {
        {{4, 5, largest}, {6}}, {{7}, {}}, {{}, {8, 9}}, {{largest}, {largest, 4, 5, 6, 7}}};
    const PairTable table(examples);
    check_holds(table, examples);
    CHECK(is_narrow(table) == narrow);
    PairTable copy = table;
    check_holds(copy, examples);
    CHECK(copy.offsets().data() == table.offsets().data());  // shared
  }
  check_holds(PairTable({{{-1, 3}, {-5}}}), {{{-1, 3}, {-5}}});
  CHECK(PairTable(std::vector<Example>{}).size() == 0);
}

TEST_CASE("a table of pairs is built one pair after the other") {
  for (const int vocabulary : {10, 1 << 16, (1 << 16) + 1}) {
    PairTableBuilder builder(vocabulary);
    const std::vector<Example> examples = {{{1, 2, 3}, {vocabulary - 1}},
                                           {{vocabulary - 1}, {4, 5}}};
    for (const Example& example : examples) builder.add(example.source, example.target);
    const PairTable table = std::move(builder).build();
    check_holds(table, examples);
    CHECK(is_narrow(table) == (vocabulary <= 1 << 16));
  }
}

TEST_CASE("a table of pairs rejects offsets that do not fit its ids") {
  const std::vector<std::uint16_t> ids = {4, 5, 6};
  const auto table = [&](const std::vector<std::uint64_t>& offsets) {
    return PairTable(offsets, std::span<const std::uint16_t>(ids), nullptr).size();
  };
  CHECK(table({0, 2, 3}) == 1);
  for (const auto& offsets : std::vector<std::vector<std::uint64_t>>{
           {}, {0}, {0, 3}, {0, 2, 4}, {1, 2, 3}, {0, 2, 1, 3, 3}, {0, 1, 2, 3}})
    CHECK_THROWS_WITH(table(offsets), contains("offsets do not fit 3 ids"));
}

TEST_CASE("batches are the same from wide ids as from narrow ones") {
  std::vector<Example> examples;
  for (int i = 0; i < 50; ++i)
    examples.push_back({std::vector<int>(1 + i % 7, 4 + i), std::vector<int>(1 + i % 5, 4 + i)});
  PairTableBuilder wide(1 << 20);
  for (const Example& example : examples) wide.add(example.source, example.target);
  BatchStream a(examples, 8, 3), b(std::move(wide).build(), 8, 3);
  CHECK(a.state().front().second.item() == b.state().front().second.item());
  for (int i = 0; i < 20; ++i) {
    const Batch one = a.next(), other = b.next();
    REQUIRE(one.target_output.elements() == other.target_output.elements());
    for (std::int64_t k = 0; k < one.target_output.elements(); ++k)
      CHECK(one.target_output.at(k) == other.target_output.at(k));
  }
}
