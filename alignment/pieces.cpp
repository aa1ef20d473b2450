#include "attune/alignment/pieces.h"

#include "attune/autograd/array/error.h"
#include "attune/data/subwords.h"

namespace attune {
namespace {

// The number of words of a side.
std::size_t count_of(std::span<const int> words, const char* side) {
  int next = 0;
  for (const int word : words) {
    ATTUNE_CHECK(
        word == next || (word == next - 1 && next > 0),
        "merged_weights: a {} piece of word {} is behind one of word {}; expected words in "
        "their order, from 0",
        side, word, next - 1);
    next = word + 1;
  }
  return static_cast<std::size_t>(next);
}

std::vector<std::string> merged(std::span<const std::string> pieces, std::span<const int> words) {
  std::vector<std::string> result;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (i == 0 || words[i] != words[i - 1]) result.emplace_back();
    const bool is_marked = pieces[i].starts_with(SubwordModel::space);
    result.back() += pieces[i].substr(is_marked ? SubwordModel::space.size() : 0);
  }
  return result;
}

}  // namespace

std::vector<int> words_of_pieces(std::span<const std::string> pieces) {
  std::vector<int> words;
  int word = -1;
  for (const std::string& piece : pieces) {
    word += word < 0 || piece.starts_with(SubwordModel::space);
    words.push_back(word);
  }
  return words;
}

std::vector<float> merged_weights(std::span<const float> weights, std::span<const int> source_words,
                                  std::span<const int> target_words) {
  const std::size_t sources = source_words.size(), targets = target_words.size();
  ATTUNE_CHECK(weights.size() == sources * targets,
               "merged_weights: {} weights for {} target x {} source pieces; expected {}",
               weights.size(), targets, sources, sources * targets);
  const std::size_t width = count_of(source_words, "source"),
                    height = count_of(target_words, "target");
  std::vector<double> sums(width * height), pieces(height);
  for (std::size_t t = 0; t < targets; ++t) {
    const auto row = static_cast<std::size_t>(target_words[t]);
    ++pieces[row];
    for (std::size_t s = 0; s < sources; ++s)
      sums[row * width + static_cast<std::size_t>(source_words[s])] +=
          static_cast<double>(weights[t * sources + s]);
  }
  std::vector<float> result;
  for (std::size_t i = 0; i < sums.size(); ++i)
    result.push_back(static_cast<float>(sums[i] / pieces[i / width]));
  return result;
}

Alignment merge_pieces(const Alignment& pieces, std::span<const int> source_words,
                       std::span<const int> target_words) {
  pieces.check();
  return {.source = merged(pieces.source, source_words),
          .target = merged(pieces.target, target_words),
          .weights = merged_weights(pieces.weights, source_words, target_words)};
}

}  // namespace attune
