#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "attune/alignment/alignment.h"

namespace attune {

/// For each piece of a SubwordModel the position of its word, counted from 0. A piece begins a word
/// if it begins with SubwordModel::space, or is the first.
std::vector<int> words_of_pieces(std::span<const std::string> pieces);

/// The weights of words [T_words, S_words] by those of pieces [T, S]: what a target word attends to
/// is the mean over its pieces, what a source word is attended to the sum over its pieces, so that
/// rows keep their sum (Clark et al. 2019, section 4.1):
///
///     w_ts = 1/|t| sum_{j in t} sum_{i in s} a_ji
///
/// `source_words` and `target_words` have the word of each piece, as from words_of_pieces().
/// Errors: the number of weights is not that of the target pieces times that of the source pieces;
/// the words of a side are not 0, 1, 2 and so on in this order.
std::vector<float> merged_weights(std::span<const float> weights, std::span<const int> source_words,
                                  std::span<const int> target_words);

/// An alignment of words by that of their pieces, with the weights above; the space before a word
/// is removed. Errors: as Alignment::check() and merged_weights().
Alignment merge_pieces(const Alignment& pieces, std::span<const int> source_words,
                       std::span<const int> target_words);

}  // namespace attune
