#include "attune/metrics/tokenizer.h"

#include <cstddef>

#include "attune/data/utf8.h"

namespace attune {
namespace {

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != text.npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_dot_or_comma(char c) { return c == '.' || c == ','; }

// ASCII punctuation and spaces but for ' , - . and digits.
bool is_symbol(char c) {
  const auto within = [c](char low, char high) { return c >= low && c <= high; };
  return within('{', '~') || within('[', '`') || within(' ', '&') || within('(', '+') ||
         within(':', '@') || c == '/';
}

// Puts spaces around each character for which `first` and `second` hold, where they are applied to
// two adjacent ones: around the second, or if `is_first` around the first. Like a substitution by
// regular expressions, it goes on behind a pair that it has found.
template <typename First, typename Second>
std::string spaced_pairs(const std::string& text, First first, Second second, bool is_first) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i + 1 == text.size() || !first(text[i]) || !second(text[i + 1])) {
      result += text[i];
      continue;
    }
    if (is_first)
      result.append({' ', text[i], ' ', text[i + 1]});
    else
      result.append({text[i], ' ', text[i + 1], ' '});
    ++i;
  }
  return result;
}

// The rules of mteval-v13a. All that they look at is ASCII, so they need not decode characters.
std::string tokenized_13a(std::string_view text) {
  std::string line = replaced(std::string(text), "<skipped>", "");
  line = replaced(replaced(std::move(line), "-\n", ""), "\n", " ");
  line = replaced(replaced(std::move(line), "&quot;", "\""), "&amp;", "&");
  line = replaced(replaced(std::move(line), "&lt;", "<"), "&gt;", ">");

  std::string symbols;
  for (const char c : " " + line + " ") {
    if (is_symbol(c))
      symbols.append({' ', c, ' '});
    else
      symbols += c;
  }
  const auto is_no_digit = [](char c) { return !is_digit(c); };
  line = spaced_pairs(symbols, is_no_digit, is_dot_or_comma, /*is_first=*/false);
  line = spaced_pairs(line, is_dot_or_comma, is_no_digit, /*is_first=*/true);
  return spaced_pairs(
      line, is_digit, [](char c) { return c == '-'; }, /*is_first=*/false);
}

std::string separate_characters(std::string_view text) {
  std::string result;
  for (const std::string& character : utf8::characters(text)) result += character + " ";
  return result;
}

std::string unchanged(std::string_view text) { return std::string(text); }

}  // namespace

Family<Tokenizer>& tokenizers() {
  static Family<Tokenizer> family("tokenization",
                                  {
                                      {"13a", "as mteval-v13a", "Post 2018", tokenized_13a},
                                      {"char", "characters", "", separate_characters},
                                      {"none", "words between white space", "", unchanged},
                                  });
  return family;
}

}  // namespace attune
