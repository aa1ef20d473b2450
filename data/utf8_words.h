#pragma once

#include <string>
#include <string_view>
#include <vector>

/// Words and letter case of UTF-8 text, as in Python's str.split() and str.lower(), on which the
/// reference programs of text metrics are based.
namespace attune::utf8 {

/// `text` in lower case, by the mappings of Unicode that do not depend on a language. A capital
/// sigma at the end of a word becomes U+03C2. Errors: `text` is not UTF-8.
std::string lower(std::string_view text);

/// The parts of `text` between white space: ASCII's and Unicode's (such as U+00A0 and U+3000), and
/// the separators U+001C to U+001F. The views are of `text`.
std::vector<std::string_view> words(std::string_view text);

}  // namespace attune::utf8
