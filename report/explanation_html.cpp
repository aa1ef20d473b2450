#include "attune/report/explanation_html.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstddef>
#include <span>
#include <string_view>

#include "attune/data/utf8.h"
#include "attune/report/page.h"

namespace attune {
namespace {

std::string escaped(std::string_view text) {
  std::string html;
  for (const char c : text) {
    switch (c) {
      case '&':
        html += "&amp;";
        break;
      case '<':
        html += "&lt;";
        break;
      case '>':
        html += "&gt;";
        break;
      case '"':
        html += "&quot;";
        break;
      default:
        html += c;
    }
  }
  return html;
}

// A token, or other text whose direction is its own.
std::string token(const std::string& text) {
  return fmt::format("<bdi title=\"{0}\">{0}</bdi>", escaped(text));
}

// A formula, with x_s, x_{t-1} and x^T as sub- and superscripts, but feed_forward as it is.
std::string formula(std::string_view text) {
  const auto is_word = [&](std::size_t at) {
    return at < text.size() && std::isalnum(static_cast<unsigned char>(text[at])) != 0;
  };
  std::string html;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char* const tag = text[i] == '_' ? "sub" : text[i] == '^' ? "sup" : nullptr;
    const std::size_t close = text.substr(i).starts_with("_{") ? text.find('}', i) : text.npos;
    if (tag && close != text.npos) {
      html += fmt::format("<sub>{}</sub>", escaped(text.substr(i + 2, close - i - 2)));
      i = close;
    } else if (tag && is_word(i + 1) && !is_word(i + 2)) {
      html += fmt::format("<{0}>{1}</{0}>", tag, text[i + 1]);
      ++i;
    } else {
      html += escaped(text.substr(i, 1));
    }
  }
  return html;
}

// A weight within [0, 1], for the style sheet.
std::string share(double weight) {
  return fmt::format("{:.3f}", weight > 0 ? std::min(weight, 1.0) : 0.0);
}

double norm(std::span<const double> values) {
  double squares = 0;
  for (const double value : values) squares += value * value;
  return std::sqrt(squares);
}

double largest_magnitude(std::span<const double> values) {
  double largest = 0;
  for (const double value : values) largest = std::max(largest, std::abs(value));
  return largest;
}

// The elements of a vector as bars up and down from the middle; `largest` has the full height.
std::string drawing(std::span<const double> values, double largest) {
  std::string path;
  for (std::size_t i = 0; i < values.size(); ++i)
    path += fmt::format("M{}.5 16v{:.1f}", i, largest > 0 ? -15 * values[i] / largest : 0.0);
  return fmt::format(
      "<svg viewBox=\"0 0 {} 32\" preserveAspectRatio=\"none\" aria-hidden=\"true\">"
      "<path d=\"{}\"/></svg>",
      values.size(), path);
}

std::string all_numbers(std::span<const double> values) {
  std::string text;
  for (const double value : values) text += fmt::format(" {}", number_text(value));
  return text;
}

std::span<const double> row_of(const ExplainedNumbers& numbers, std::size_t row) {
  return std::span(numbers.values).subspan(row * numbers.width(), numbers.width());
}

std::string symbol(const ExplainedNumbers& numbers) {
  return fmt::format("<span class=\"symbol\">{}</span>", formula(numbers.symbol));
}

std::string vector(const ExplainedNumbers& numbers) {
  const std::span<const double> values = numbers.values;
  return fmt::format(
      "<div class=\"vector\">{}{}<details><summary>{} numbers, norm {}</summary><p>{}</p>"
      "</details></div>\n",
      symbol(numbers), drawing(values, largest_magnitude(values)), values.size(),
      number_text(norm(values)), all_numbers(values));
}

// A vector for each row.
std::string vectors(const ExplainedNumbers& numbers) {
  const double largest = largest_magnitude(numbers.values);
  std::string rows, all;
  for (std::size_t row = 0; row < numbers.row_count(); ++row) {
    const std::span<const double> values = row_of(numbers, row);
    rows += fmt::format(
        "<tr><th scope=\"row\">{}</th><td>{}</td><td class=\"norm\">norm {}</td></tr>\n",
        token(numbers.rows[row]), drawing(values, largest), number_text(norm(values)));
    all += fmt::format("<p>{}: {}</p>", token(numbers.rows[row]), all_numbers(values));
  }
  return fmt::format(
      "<table class=\"vectors\"><caption>{}</caption>\n{}</table>\n"
      "<details><summary>{} numbers each</summary>{}</details>\n",
      symbol(numbers), rows, numbers.width(), all);
}

// Weights of several rows, such as those of all heads.
std::string weights(const ExplainedNumbers& numbers) {
  std::string html = fmt::format(
      "<div class=\"scroller\"><table "
      "class=\"weights\"><caption>{}</caption>\n<thead><tr><td></td>",
      symbol(numbers));
  for (const std::string& column : numbers.columns)
    html += fmt::format("<th scope=\"col\">{}</th>", token(column));
  html += "</tr></thead>\n<tbody>";
  for (std::size_t row = 0; row < numbers.row_count(); ++row) {
    html += fmt::format("<tr><th scope=\"row\">{}</th>", token(numbers.rows[row]));
    for (const double weight : row_of(numbers, row))
      html += fmt::format("<td style=\"--w:{}\">{:.2f}</td>", share(weight), weight);
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

// A cell for each token, with the numbers of each of `group`, whose columns are the same.
std::string cells(std::span<const ExplainedNumbers> group) {
  std::string html = "<ul class=\"cells\"><li class=\"names\"><bdi>&nbsp;</bdi>";
  for (const ExplainedNumbers& numbers : group)
    html += symbol(numbers) + (numbers.is_weight ? "<i></i>" : "");
  html += "</li>\n";
  for (std::size_t i = 0; i < group.front().columns.size(); ++i) {
    html += "<li>" + token(group.front().columns[i]);
    for (const ExplainedNumbers& numbers : group) {
      html += fmt::format("<span>{}</span>", number_text(numbers.values[i]));
      if (numbers.is_weight)
        html += fmt::format("<i style=\"--w:{}\"></i>", share(numbers.values[i]));
    }
    html += "</li>\n";
  }
  return html + "</ul>\n";
}

std::string numbers_of(const ExplainedStage& stage) {
  const std::vector<ExplainedNumbers>& all = stage.numbers;
  const auto has_cells = [](const ExplainedNumbers& numbers) {
    return numbers.rows.empty() && !numbers.columns.empty();
  };
  std::string html;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (has_cells(all[i])) {
      std::size_t end = i + 1;
      while (end < all.size() && has_cells(all[end]) && all[end].columns == all[i].columns) ++end;
      html += cells(std::span(all).subspan(i, end - i));
      i = end - 1;
    } else if (!all[i].columns.empty()) {
      html += weights(all[i]);
    } else {
      html += all[i].rows.empty() ? vector(all[i]) : vectors(all[i]);
    }
  }
  return html;
}

std::string places_of(const ExplainedStage& stage) {
  std::string html;
  for (const ExplainedNumbers& numbers : stage.numbers) {
    if (numbers.places.empty()) continue;
    std::string places;
    for (const SourceLine& place : numbers.places)
      places += fmt::format("{}<code>{}:{}</code>", places.empty() ? "" : ", ", escaped(place.file),
                            place.line);
    html += fmt::format("<li>{} {}</li>\n", symbol(numbers), places);
  }
  return html.empty() ? html : fmt::format("<ul class=\"places\">\n{}</ul>\n", html);
}

std::string stage_html(const ExplainedStage& stage) {
  std::string html = fmt::format("<article class=\"stage\">\n<h3><span>{}</span>{}</h3>\n<div>\n",
                                 static_cast<int>(stage.stage), name_of(stage.stage));
  for (const Equation& equation : stage.equations)
    html += fmt::format("<p class=\"equation\"><code>{}</code> <cite>{}</cite></p>\n",
                        formula(equation.formula), escaped(equation.source));
  html += numbers_of(stage);
  if (!stage.note.empty()) html += fmt::format("<p class=\"note\">{}</p>\n", formula(stage.note));
  return html + places_of(stage) + "</div>\n</article>\n";
}

std::string step_html(const ExplainedStep& step, const Explanation& explanation) {
  std::string html = fmt::format(
      "<section class=\"part\" id=\"step-{0}\">\n<h2>Step {0} of {1}: after {2} {3} {4}</h2>\n"
      "<p class=\"outcome\">with probability {5}; others are",
      step.number, explanation.step_count, token(step.previous),
      explanation.target_is_given ? "comes, as given," : "the model writes",
      token(step.chosen.token), number_text(step.chosen.probability));
  for (const ExplainedToken& other : step.others)
    html += fmt::format("{} {} {}", &other == &step.others.front() ? "" : ",", token(other.token),
                        number_text(other.probability));
  html += "</p>\n";
  for (const ExplainedStage& stage : step.stages) html += stage_html(stage);
  return html + "</section>\n";
}

std::string navigation(const Explanation& explanation) {
  std::string html = "<nav aria-label=\"Steps\"><ol class=\"steps\">\n";
  for (const ExplainedStep& step : explanation.steps)
    html += fmt::format("<li><a href=\"#step-{}\">{}<small>{:.2f}</small></a></li>\n", step.number,
                        token(step.chosen.token), step.chosen.probability);
  return html + "</ol></nav>\n";
}

// The dark colours of the report, which a script chooses there, by the reader's preference.
std::string dark_style() {
  constexpr std::string_view kBegin = ":root[data-theme=\"dark\"] {";
  const std::size_t begin = page::style.find(kBegin);
  ATTUNE_CHECK(begin != page::style.npos, "explanation: page.css has no dark colours");
  const std::size_t first = begin + kBegin.size();
  return fmt::format("@media screen and (prefers-color-scheme: dark) {{ :root {{{}}} }}\n",
                     page::style.substr(first, page::style.find('}', first) - first));
}

}  // namespace

std::string explanation_html(const Explanation& explanation) {
  const std::string title = escaped(explanation.title);
  std::string html = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; "
      "style-src 'unsafe-inline'\">\n<link rel=\"icon\" href=\"data:,\">\n<title>{}</title>\n"
      "<style>\n{}{}{}</style>\n</head>\n",
      title, page::style, dark_style(), page::explanation_style);
  html += fmt::format(
      "<body class=\"explanation\">\n<header>\n<h1>Attune explanation</h1>\n"
      "<div class=\"title\"><p class=\"name\"><bdi>{}</bdi></p></div>\n<dl class=\"summary\">"
      "<div><dt>run</dt><dd>{}</dd></div><div><dt>model</dt><dd>{}</dd></div>"
      "<div><dt>stages 2 to 7</dt><dd>{}</dd></div></dl>\n</header>\n",
      title, escaped(utf8::printable(explanation.run)), escaped(explanation.model),
      escaped(explanation.subject));
  html +=
      navigation(explanation) + "<main>\n<section class=\"part\">\n<h2>Once for the source</h2>\n";
  for (const ExplainedStage& stage : explanation.preparation) html += stage_html(stage);
  html += "</section>\n";
  for (const ExplainedStep& step : explanation.steps) html += step_html(step, explanation);
  return html + "</main>\n</body>\n</html>\n";
}

}  // namespace attune
