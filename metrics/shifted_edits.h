#pragma once

#include <span>

namespace attune {

/// The number of edits that turn `output` into `reference`, where an edit is an insertion, deletion
/// or substitution of a word, or a shift of a phrase to another place (Snover et al. 2006). The
/// smallest number is hard to find, so shifts are chosen greedily, as in the paper and with the
/// limits of the program tercom: in each round, the shift that lowers the edit distance most.
/// Shifted phrases have up to 10 words, and move by up to 50; the edit distance is computed within
/// 25 words of the diagonal; at most 1000 shifts are tried. The results are those of sacreBLEU.
int shifted_edit_distance(std::span<const int> output, std::span<const int> reference);

}  // namespace attune
