#include "attune/data/text_windows.h"

#include <map>
#include <numeric>

#include "attune/data/vocabulary.h"
#include "catch.h"

using namespace attune;

namespace {

// Tokens 4, 5, 6, ..., so that a token tells its place.
std::vector<int> counting(int length) {
  std::vector<int> text(static_cast<std::size_t>(length));
  std::iota(text.begin(), text.end(), Vocabulary::specials);
  return text;
}

}  // namespace

TEST_CASE("windows of a text are whole, shifted by a step, and begin with <s>") {
  constexpr int kContext = 5, kBatch = 3, kLength = 12;
  TextWindows windows(counting(kLength), kContext, kBatch, 1);
  std::map<int, int> places;
  for (int i = 0; i < 100; ++i) {
    const Batch batch = windows.next();
    CHECK_FALSE(batch.source.ids.defined());
    CHECK(batch.tokens == kContext * kBatch);
    REQUIRE(batch.target_input.shape() == Shape{kContext, kBatch});
    REQUIRE(batch.target_output.shape() == Shape{kContext, kBatch});
    for (int b = 0; b < kBatch; ++b) {
      const int first = batch.target_output.at(b);
      ++places[first];
      CHECK(batch.target_input.at(b) == Vocabulary::start);
      for (int t = 0; t < kContext; ++t) {
        CHECK(batch.target_output.at(t * kBatch + b) == first + t);
        if (t > 0) CHECK(batch.target_input.at(t * kBatch + b) == first + t - 1);
      }
    }
  }
  // Each of the places is drawn, 37.5 times on average.
  CHECK(places.size() == kLength - kContext + 1);
  CHECK(places.begin()->first == Vocabulary::specials);
  for (const auto& [place, count] : places) CHECK(count > 15);
}

TEST_CASE("a text as long as the context has one window") {
  TextWindows windows(counting(5), 5, 1, 1);
  CHECK(windows.next().target_output.to_vector() == counting(5));
  CHECK(windows.next().target_output.to_vector() == counting(5));
  CHECK_THROWS_WITH(TextWindows(counting(4), 5, 1, 1),
                    contains("a text of 4 tokens, but windows of 5"));
  CHECK_THROWS_WITH(TextWindows(counting(4), 0, 1, 1), contains("a context of 0 tokens"));
  CHECK_THROWS_WITH(TextWindows(counting(4), 1, 0, 1), contains("batch size 0"));
}

TEST_CASE("a stream of windows continues from its state, with the same text only") {
  TextWindows windows(counting(40), 4, 2, 7);
  windows.next();
  const NamedArrays state = windows.state();
  const std::vector<int> next = windows.next().target_output.to_vector();
  TextWindows other(counting(40), 4, 2, 7);
  other.load_state(state);
  CHECK(other.next().target_output.to_vector() == next);
  TextWindows shorter(counting(39), 4, 2, 7);
  const std::vector<int> expected = TextWindows(shorter).next().target_output.to_vector();
  CHECK_THROWS_WITH(shorter.load_state(state), contains("another text"));
  CHECK(shorter.next().target_output.to_vector() == expected);
}

TEST_CASE("overlapping windows count each token once, and predict it from half a context") {
  for (const int length : {1, 2, 7, 8, 9, 13, 40})
    for (const int context : {2, 3, 8})
      for (const int batch_size : {1, 4, 100}) {
        INFO(length << " tokens, context " << context << ", batch size " << batch_size);
        std::vector<int> counted(static_cast<std::size_t>(length));
        std::int64_t tokens = 0;
        for (const Batch& batch : overlapping_windows(counting(length), context, batch_size)) {
          tokens += batch.tokens;
          const std::int64_t columns = batch.sequences();
          CHECK(columns <= batch_size);
          for (std::int64_t k = 0; k < batch.target_output.elements(); ++k) {
            const int token = batch.target_output.at(k);
            if (token == kIgnore) continue;
            const int place = token - Vocabulary::specials;
            ++counted[static_cast<std::size_t>(place)];
            const std::int64_t seen = k / columns;  // tokens of the window before it
            CHECK(seen >= std::min(place, context / 2));
            if (seen > 0)
              CHECK(batch.target_input.at(k) == token - 1);
            else
              CHECK(batch.target_input.at(k) == Vocabulary::start);
          }
        }
        CHECK(tokens == length);
        CHECK(counted == std::vector<int>(static_cast<std::size_t>(length), 1));
      }
  CHECK_THROWS_WITH(overlapping_windows({}, 4, 1), contains("no tokens"));
  CHECK_THROWS_WITH(overlapping_windows(counting(4), 1, 1), contains("a context of 1"));
  CHECK_THROWS_WITH(overlapping_windows(counting(4), 4, 0), contains("batch size 0"));
}
