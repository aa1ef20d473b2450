#include "attune/metrics/text_metric.h"

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "attune/autograd/array/error.h"
#include "attune/data/utf8_words.h"
#include "attune/metrics/bootstrap.h"
#include "attune/metrics/perplexity.h"
#include "attune/metrics/tokenizer.h"
#include "catch.h"

using namespace attune;
using nlohmann::json;

namespace {

const json& golden() {
  static const json values =
      json::parse(std::ifstream(std::string(ATTUNE_GOLDEN_DIR) + "/metrics.json"));
  return values;
}

// The texts of a corpus of tests/golden/make_metrics.py.
std::vector<TextOutput> golden_texts(const std::string& corpus) {
  std::vector<TextOutput> texts;
  for (const json& text : golden().at("texts")) {
    texts.push_back({text.at("output"), text.at("references"), ""});
    if (corpus == "first") texts.back().references.resize(1);
  }
  return texts;
}

bool agrees(double value, double expected) {
  return std::fabs(value - expected) <= 1e-9 * std::max(1.0, std::fabs(expected));
}

double score_of(const std::string& metric, std::span<const TextOutput> texts) {
  const auto made = make_text_metric(metric);
  return made->score(statistics_of(*made, texts).sums());
}

double score_of(const std::string& metric, const TextOutput& text) {
  return score_of_text(*make_text_metric(metric), text);
}

const std::vector<std::string> kOfReferences = {"bleu",   "chrf",   "chrf++", "ter",
                                                "rouge1", "rouge2", "rougeL", "rougeLsum"};

}  // namespace

TEST_CASE("metrics of texts give the values of sacreBLEU and rouge-score") {
  for (const auto& [name, of_corpora] : golden().at("metrics").items()) {
    const auto metric = make_text_metric(name);
    for (const auto& [corpus, expected] : of_corpora.items()) {
      const std::vector<TextOutput> texts = golden_texts(corpus);
      const std::vector<double> sums = statistics_of(*metric, texts).sums();
      INFO(name << " of " << corpus << ": " << metric->score(sums));
      CHECK(agrees(metric->score(sums), expected.at("score")));
      if (expected.contains("signature"))
        CHECK(signature(*metric, texts) == expected.at("signature"));
      for (const auto& [quantity, value] : metric->details(sums)) {
        if (!expected.contains("details")) break;
        INFO(quantity << ": " << value);
        CHECK(agrees(value, expected.at("details").at(quantity)));
      }
      const json& of_texts = expected.at("texts");
      REQUIRE(of_texts.size() == texts.size());
      for (std::size_t i = 0; i < texts.size(); ++i) {
        const double score = score_of_text(*metric, texts[i]);
        INFO("text " << i << ": " << texts[i].output.substr(0, 80) << ": " << score);
        CHECK(agrees(score, of_texts[i]));
      }
    }
  }
}

TEST_CASE("texts are tokenized as by sacreBLEU's 13a") {
  const std::vector<TextOutput> texts = golden_texts("all");
  const Tokenizer tokenize = tokenizers().at("13a").make;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    std::string text = texts[i].output;
    text.erase(text.find_last_not_of(" \n") + 1);
    const std::string tokenized = tokenize(text);
    CHECK(joined(utf8::words(tokenized), " ") == golden().at("tokenized")[i].get<std::string>());
  }
}

TEST_CASE("identical texts have the best score, and texts without a common letter the worst") {
  const std::string text = "a text of five words";
  for (const std::string& metric : kOfReferences) {
    const bool is_rate = metric == "ter";
    INFO(metric);
    CHECK(score_of(metric, {text, {text}}) == Approx(is_rate ? 0 : 100).margin(1e-12));
    CHECK(score_of(metric, {"12 3", {text}}) == Approx(is_rate ? 100 : 0));
  }
}

TEST_CASE("a translation that is too short has a brevity penalty") {
  // All n-grams match, and 6 of 8 words are there: exp(1 - 8/6).
  CHECK(score_of("bleu", {"a b c d e f", {"a b c d e f g h"}}) ==
        Approx(100 * std::exp(1 - 8 / 6.)));
  // Not against the closest reference, which is as long.
  CHECK(score_of("bleu", {"a b c d e f", {"a b c d e f g h", "u v w x y z"}}) == Approx(100));
}

TEST_CASE("a phrase in another place is one edit of TER") {
  CHECK(score_of("ter", {"d e a b c", {"a b c d e"}}) == Approx(100. / 5));
  CHECK(score_of("ter", {"a b x d", {"a b c d e"}}) == Approx(2 * 100. / 5));
  CHECK(score_of("ter", {"a b", {"a b c d", "a b c"}}) == Approx(100 * 1 / 3.5));
}

TEST_CASE("ROUGE counts n-grams, and the longest common subsequence") {
  const TextOutput text{"police kill the gunman", {"the gunman kill police"}};
  CHECK(score_of("rouge1", text) == Approx(100));
  CHECK(score_of("rouge2", text) == Approx(100. / 3));
  CHECK(score_of("rougeL", text) == Approx(100. / 2));
  const TextOutput lines{"a b<n>c d", {"c d<N>a b"}};
  CHECK(score_of("rougeLsum:separator=<n>", lines) == Approx(100));
  CHECK(score_of("rougeLsum", lines) < 70);
}

TEST_CASE("repeated, copied and novel n-grams are shares of the output's") {
  CHECK(score_of("repeated_ngrams", {"a b c a b c a b c"}) == Approx(100 * 4 / 7.));
  CHECK(score_of("repeated_ngrams:n=1", {"a b c a b c a b c"}) == Approx(100 * 6 / 9.));
  CHECK(score_of("repeated_ngrams", {"a b c d"}) == 0);
  CHECK(score_of("repeated_ngrams", {"a a"}) == 0);  // no trigram
  CHECK(score_of("copied_words", {"a x a A", {}, "b a"}) == Approx(50));
  CHECK(score_of("novel_ngrams", {"a b c d", {}, "b c d e"}) == Approx(100. / 3));
  CHECK(score_of("novel_ngrams:n=1", {"a b c d", {}, "b c d e"}) == Approx(100. / 4));
  CHECK(score_of("copied_words", {"", {}, "b a"}) == 0);
  const std::vector<TextOutput> texts = {{"a", {}, "a"}, {"b c d", {}, "a"}};
  CHECK(score_of("copied_words", texts) == Approx(100. / 4));
}

TEST_CASE("perplexity is exp of the mean negative log-probability") {
  CHECK(perplexity(3 * std::log(0.25), 3) == Approx(4));
  CHECK(perplexity_of_sums(std::vector<double>{std::log(0.5) + std::log(0.125), 2}) == Approx(4));
}

TEST_CASE("a list of metrics is separated by commas, as are the options of a metric") {
  const auto metrics = make_text_metrics("bleu:tokenize=char,lowercase=true,rouge,chrf++,ter");
  std::vector<std::string> names;
  for (const auto& metric : metrics) names.push_back(metric->name());
  CHECK(names ==
        std::vector<std::string>{"BLEU", "ROUGE-1", "ROUGE-2", "ROUGE-L", "chrF2++", "TER"});
  CHECK(signature(*metrics[0], {}) == "BLEU|nrefs:0|case:lc|eff:no|tok:char|smooth:exp");
  CHECK(signature(*make_text_metric("copied_words"), {}) == "copied words|case:mixed|tok:none");
}

TEST_CASE("wrong names and options of metrics are errors that say what is known") {
  CHECK_THROWS_WITH(make_text_metrics("bleu,blue"),
                    contains("metric: 'blue' is unknown; known are bleu, chrf, chrf++, ter"));
  CHECK_THROWS_WITH(make_text_metrics(""), contains("metric: '' is unknown"));
  CHECK_THROWS_WITH(make_text_metrics("bleu,,ter"), contains("metric: '' is unknown"));
  CHECK_THROWS_WITH(make_text_metrics("ter,rouge,rouge1"), contains("'rouge1' is given twice"));
  CHECK_THROWS_WITH(make_text_metric("bleu:lower=true"), contains("lower"));
  CHECK_THROWS_WITH(make_text_metric("bleu:tokenize=14"),
                    contains("tokenization: '14' is unknown; known are 13a, char, none"));
  CHECK_THROWS_WITH(make_text_metric("bleu:smooth=no"),
                    contains("smooth is 'no'; expected exp, floor, add-k or none"));
  CHECK_THROWS_WITH(make_text_metric("bleu:smooth_value=1"), contains("for smooth=floor"));
  CHECK_THROWS_WITH(make_text_metric("bleu:smooth=floor,smooth_value=0"), contains("smooth_value"));
  CHECK_THROWS_WITH(make_text_metric("rougeLsum:separator="), contains("separator"));
  for (const std::string& metric : kOfReferences)
    CHECK_THROWS_WITH(score_of(metric, TextOutput{"a"}), contains("without references"));
}
