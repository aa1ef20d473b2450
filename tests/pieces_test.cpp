#include "attune/alignment/pieces.h"

#include <vector>

#include "attune/autograd/array/error.h"
#include "catch.h"

using namespace attune;

namespace {

using Words = std::vector<int>;
using Strings = std::vector<std::string>;
using Weights = std::vector<float>;

}  // namespace

TEST_CASE("pieces belong to the word that the last marked piece began") {
  CHECK(words_of_pieces(Strings{"▁ein", "▁Haus", "boot", "▁", "!", "▁x"}) ==
        Words{0, 1, 1, 2, 2, 3});
  CHECK(words_of_pieces(Strings{"boot", "e", "▁x"}) == Words{0, 0, 1});  // no mark at the start
  CHECK(words_of_pieces(Strings{}).empty());
}

TEST_CASE("weights of words are sums over source pieces and means over target pieces") {
  // Words {0}, {1, 2} of the source, {0, 1}, {2} of the target.
  const Weights pieces = {0.5f, 0.25f, 0.25f, 0.0f, 0.5f, 0.5f, 1.0f, 0.0f, 0.0f};
  CHECK(merged_weights(pieces, Words{0, 1, 1}, Words{0, 0, 1}) ==
        Weights{0.25f, 0.75f, 1.0f, 0.0f});
  // One piece a word changes nothing.
  CHECK(merged_weights(pieces, Words{0, 1, 2}, Words{0, 1, 2}) == pieces);
  CHECK(merged_weights(Weights{}, Words{}, Words{0, 1}).empty());
  CHECK(merged_weights(Weights{}, Words{0}, Words{}).empty());
}

TEST_CASE("an alignment of pieces becomes one of words, whose largest weight may be elsewhere") {
  // The piece with the largest weight is not in the word with the largest weight.
  const Alignment pieces = {
      {"▁a", "▁b", "c", "d"}, {"▁x", "y"}, {0.4f, 0.2f, 0.2f, 0.2f, 0.4f, 0.2f, 0.2f, 0.2f}};
  CHECK(to_moses(pieces) == "0-0 0-1");
  const Alignment words =
      merge_pieces(pieces, words_of_pieces(pieces.source), words_of_pieces(pieces.target));
  CHECK(words.source == Strings{"a", "bcd"});
  CHECK(words.target == Strings{"xy"});
  CHECK(words.weight(0, 1) == Approx(0.6f));
  CHECK(to_moses(words) == "1-0");
}

TEST_CASE("merging says what is wrong with weights and words") {
  CHECK_THROWS_WITH(merged_weights(Weights{1, 0}, Words{0}, Words{0}),
                    contains("2 weights for 1 target x 1 source pieces; expected 1"));
  CHECK_THROWS_WITH(merged_weights(Weights{1, 0}, Words{0, 2}, Words{0}),
                    contains("a source piece of word 2 is behind one of word 0"));
  CHECK_THROWS_WITH(merged_weights(Weights{1, 0}, Words{0}, Words{1, 0}),
                    contains("a target piece of word 1 is behind one of word -1"));
  CHECK_THROWS_WITH(merged_weights(Weights{1, 0, 0}, Words{0}, Words{0, 1, 0}),
                    contains("word 0 is behind one of word 1"));
  CHECK_THROWS_WITH(merge_pieces({{"▁a"}, {"▁b"}, {}}, Words{0}, Words{0}), contains("0 weights"));
}
