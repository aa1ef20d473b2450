#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "attune/autograd/array/family.h"

namespace attune {

/// Separates the tokens of a text by spaces.
using Tokenizer = std::function<std::string(std::string_view text)>;

/// The tokenizations of BLEU by sacreBLEU's names:
///
/// - 13a: that of the program mteval-v13a: entities such as &quot; are decoded, and ASCII
///   punctuation becomes tokens of its own, but for apostrophes, for dots and commas within
///   numbers, and for hyphens that do not follow a digit;
/// - char: every character that is not white space;
/// - none: the words between white space. For texts that are tokenized already.
Family<Tokenizer>& tokenizers();

}  // namespace attune
