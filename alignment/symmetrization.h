#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "attune/alignment/reference_alignment.h"

namespace attune {

/// How alignments of both directions, in which each word has one link at most, become one:
///
///     forward              the links of each target word with its source word
///     backward             the links of each source word with its target word
///     intersection         those that are in both
///     union                those that are in either
///     grow-diag-final-and  the intersection; links of the union beside one that is there, also
///                          diagonally, of which a word has none yet, again and again; and last,
///                          links of either direction both of whose words have none (Koehn et al.
///                          2005)
///     graded               as grow-diag-final-and, but only links of the intersection are sure
enum class Symmetrization { forward, backward, intersection, union_, grow_diag_final_and, graded };

/// The names above, in their order.
const std::vector<std::string>& symmetrization_names();
/// Errors: an unknown name.
Symmetrization symmetrization_named(std::string_view name);

/// The links of a pair, in the order of their source positions, by those of both directions:
/// `forward` has the source position of each target word, `backward` the target position of each
/// source word, or kNowhere. Errors: a position outside the other sentence.
ReferenceAlignment symmetrized(std::span<const int> forward, std::span<const int> backward,
                               Symmetrization how);

}  // namespace attune
