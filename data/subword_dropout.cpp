#include "attune/data/subword_dropout.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "attune/autograd/array/error.h"
#include "attune/data/subwords.h"
#include "attune/data/utf8.h"

namespace attune {
namespace {

std::uint64_t pair_of(int left, int right) {
  return static_cast<std::uint64_t>(left) << 32 | static_cast<std::uint64_t>(right);
}

}  // namespace

SubwordDropout::SubwordDropout(const Vocabulary& vocabulary, double probability)
    : probability_(probability) {
  ATTUNE_CHECK(vocabulary.kind() == Tokens::subwords,
               "SubwordDropout: a vocabulary of {}; expected subwords", name_of(vocabulary.kind()));
  ATTUNE_CHECK(probability >= 0 && probability < 1,
               "SubwordDropout: probability {}; expected at least 0 and below 1", probability);
  std::unordered_map<std::string_view, int> ids;
  for (int id = Vocabulary::specials; id < vocabulary.size(); ++id)
    ids.emplace(vocabulary.token(id), id);
  const auto id_of = [&](std::string_view piece) {
    const auto found = ids.find(piece);
    return found == ids.end() ? Vocabulary::unknown : found->second;
  };
  for (int id = 0; id < vocabulary.size(); ++id) {
    const std::string_view piece = vocabulary.token(id);
    begins_word_.push_back(piece.starts_with(SubwordModel::space));
    std::vector<int>& characters = characters_.emplace_back();
    if (id >= Vocabulary::specials)
      for (std::size_t end = 0; const std::string& character : utf8::characters(piece)) {
        characters.push_back(id_of(character));
        end += character.size();
        const int left = id_of(piece.substr(0, end)), right = id_of(piece.substr(end));
        if (left != Vocabulary::unknown && right != Vocabulary::unknown)
          joined_.emplace(pair_of(left, right), id);
      }
    if (characters.empty() || std::ranges::count(characters, Vocabulary::unknown) > 0)
      characters = {id};
  }
}

std::vector<int> SubwordDropout::operator()(const std::vector<int>& ids, Generator& random) const {
  std::vector<int> result, word;
  const auto end_word = [&] {
    join(word, random);
    result.insert(result.end(), word.begin(), word.end());
    word.clear();
  };
  for (const int id : ids) {
    ATTUNE_CHECK(id >= 0 && static_cast<std::size_t>(id) < characters_.size(),
                 "SubwordDropout: id {} is outside of the vocabulary of {}", id,
                 characters_.size());
    const auto place = static_cast<std::size_t>(id);
    if (begins_word_[place]) end_word();
    word.insert(word.end(), characters_[place].begin(), characters_[place].end());
  }
  end_word();
  return result;
}

// Joins pieces of a word, those that BPE learned to join first, until no candidate is left.
void SubwordDropout::join(std::vector<int>& word, Generator& random) const {
  while (word.size() > 1) {
    std::size_t best = word.size();
    int joined = 0;
    for (std::size_t i = 0; i + 1 < word.size(); ++i) {
      const auto found = joined_.find(pair_of(word[i], word[i + 1]));
      if (found == joined_.end()) continue;
      if (probability_ > 0 && random.uniform() < probability_) continue;
      if (best < word.size() && found->second >= joined) continue;
      best = i, joined = found->second;
    }
    if (best == word.size()) return;
    word[best] = joined;
    word.erase(word.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
}

}  // namespace attune
