#pragma once

#include <map>
#include <regex>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

/// Numbers read from the text of to_text(), as a reader finds them.
namespace explanation_text {

/// By step (0: once for the source), stage and symbol; of a table with a row for each token, by the
/// symbol, a space and the number of the row.
using Numbers = std::map<std::pair<int, std::string>, std::vector<double>>;

inline std::vector<double> numbers_in(const std::string& text) {
  std::vector<double> numbers;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    std::size_t end = 0;
    const double number = std::stod(word, &end);
    if (end == word.size()) numbers.push_back(number);
  }
  return numbers;
}

/// The first elements of the vector, and the numbers below tokens.
inline Numbers read(const std::string& text) {
  const std::regex heading("^Step (\\d+) of .*"), stage("^ (\\d)  .*"),
      vector("^    (\\S+) +\\[([^\\]]*?)(?: \\.\\.\\.)?\\] of .*"), rows("^    (\\S+)$"),
      row("^      \\S+ +\\[([^\\]]*?)(?: \\.\\.\\.)?\\] of .*"),
      table("^    (\\S+) +(-?\\d[-0-9. ]*)$");
  Numbers numbers;
  int step = 0, number = 0;
  std::string of, symbol;
  std::istringstream lines(text);
  std::smatch found;
  for (std::string line; std::getline(lines, line);) {
    if (std::regex_match(line, found, heading)) {
      step = std::stoi(found[1]);
    } else if (std::regex_match(line, found, stage)) {
      of = found[1].str() + " ";
    } else if (std::regex_match(line, found, vector) || std::regex_match(line, found, table)) {
      numbers[{step, of + found[1].str()}] = numbers_in(found[2]);
    } else if (std::regex_match(line, found, rows)) {
      symbol = found[1];
      number = 0;
    } else if (std::regex_match(line, found, row)) {
      numbers[{step, of + symbol + " " + std::to_string(number++)}] = numbers_in(found[1]);
    }
  }
  return numbers;
}

}  // namespace explanation_text
