#include "attune/metrics/bootstrap.h"

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "attune/autograd/array/error.h"
#include "attune/autograd/array/threads.h"
#include "attune/metrics/text_scores.h"
#include "catch.h"

using namespace attune;
using nlohmann::json;

namespace {

const json& golden() {
  static const json values =
      json::parse(std::ifstream(std::string(ATTUNE_GOLDEN_DIR) + "/metrics.json"));
  return values;
}

double mean(std::span<const double> sums) { return sums[0] / sums[1]; }

// `ones` texts with the score 1 and `zeros` with 0.
TextStatistics zeros_and_ones(int zeros, int ones) {
  TextStatistics statistics;
  for (int i = 0; i < zeros; ++i) statistics.add(std::vector<double>{0, 1});
  for (int i = 0; i < ones; ++i) statistics.add(std::vector<double>{1, 1});
  return statistics;
}

}  // namespace

TEST_CASE("interval and p-value of given scores are those of sacreBLEU") {
  const json& expected = golden().at("bootstrap");
  const auto first = expected.at("first").get<std::vector<double>>();
  const auto second = expected.at("second").get<std::vector<double>>();
  const ConfidenceInterval interval = percentile_interval(first);
  CHECK(interval.low == expected.at("low").get<double>());
  CHECK(interval.high == expected.at("high").get<double>());
  const double difference = expected.at("difference");
  CHECK(paired_comparison(difference, first, second).p_value ==
        Approx(expected.at("p_value").get<double>()).epsilon(1e-12));
  CHECK(paired_comparison(-difference, second, first).p_value ==
        Approx(expected.at("p_value").get<double>()).epsilon(1e-12));
}

TEST_CASE("the interval of BLEU is that of sacreBLEU up to the random choice of texts") {
  std::vector<TextOutput> texts;
  for (const json& text : golden().at("texts"))
    texts.push_back({text.at("output"), {text.at("references")[0]}, ""});
  const std::vector<TextScore> scores = score_texts(make_text_metrics("bleu"), texts);
  const json& expected = golden().at("bootstrap").at("corpus");
  const double low = expected.at("low"), high = expected.at("high");
  INFO(low << " to " << high);
  CHECK(scores[0].interval.low == Approx(low).margin(0.1 * (high - low)));
  CHECK(scores[0].interval.high == Approx(high).margin(0.1 * (high - low)));
}

TEST_CASE("the interval of a mean of zeros and ones is that of the binomial distribution") {
  const ConfidenceInterval interval =
      bootstrap_interval(zeros_and_ones(240, 160), mean, {.resamples = 4000});
  const double deviation = std::sqrt(0.4 * 0.6 / 400);
  CHECK(interval.low == Approx(0.4 - 1.96 * deviation).margin(0.1 * deviation));
  CHECK(interval.high == Approx(0.4 + 1.96 * deviation).margin(0.1 * deviation));
  const ConfidenceInterval half =
      bootstrap_interval(zeros_and_ones(240, 160), mean, {.resamples = 4000, .level = 0.5});
  CHECK(half.high - half.low == Approx(2 * 0.6745 * deviation).margin(0.15 * deviation));
}

TEST_CASE("resamples depend on the seed, not on the number of threads") {
  const TextStatistics statistics = zeros_and_ones(30, 20);
  const int before = threads();
  set_threads(1);
  const std::vector<double> one = resampled_scores(statistics, mean);
  set_threads(3);
  CHECK(resampled_scores(statistics, mean) == one);
  set_threads(before);
  CHECK(resampled_scores(statistics, mean, {.seed = 2}) != one);
}

TEST_CASE("a clear difference is significant, and none is not") {
  TextStatistics good, same, bad;
  for (int i = 0; i < 100; ++i) {
    good.add(std::vector<double>{i % 10 != 0 ? 1. : 0., 1});
    same.add(std::vector<double>{i % 10 != 5 ? 1. : 0., 1});
    bad.add(std::vector<double>{i % 2 ? 1. : 0., 1});
  }
  const PairedComparison clear = paired_bootstrap(good, bad, mean);
  CHECK(clear.difference == Approx(0.4));
  CHECK(clear.p_value == Approx(1. / 1001));
  CHECK(clear.wins == 1);
  CHECK(paired_bootstrap(bad, good, mean).wins == 0);
  const PairedComparison none = paired_bootstrap(good, same, mean);
  CHECK(none.difference == 0);
  CHECK(none.p_value > 0.3);
  // All differences are the same, 0.
  const PairedComparison itself = paired_bootstrap(good, good, mean);
  CHECK(itself.wins == 0);
}

TEST_CASE("a bootstrap without texts, and unequal numbers of them, are errors") {
  CHECK_THROWS_WITH(resampled_scores({}, mean), contains("bootstrap: there are no texts"));
  CHECK_THROWS_WITH(resampled_scores(zeros_and_ones(1, 1), mean, {.resamples = 0}),
                    contains("0 resamples"));
  CHECK_THROWS_WITH(paired_bootstrap(zeros_and_ones(1, 1), zeros_and_ones(1, 2), mean),
                    contains("2 and 3 texts"));
  CHECK_THROWS_WITH(percentile_interval({}), contains("no scores"));
  CHECK_THROWS_WITH(percentile_interval({1}, 1), contains("above 0 and below 1"));
  TextStatistics statistics = zeros_and_ones(1, 0);
  CHECK_THROWS_WITH(statistics.add(std::vector<double>{1}), contains("a row of 1 numbers"));
  const auto metrics = make_text_metrics("bleu");
  CHECK_THROWS_WITH(score_texts(metrics, {}), contains("there are no texts"));
  const std::vector<TextOutput> texts(2, {"a", {"a"}}), others(1, {"a", {"a"}});
  CHECK_THROWS_WITH(score_texts(metrics, texts, others), contains("1 texts of the other system"));
}

TEST_CASE("a table and JSON have score, interval, signature and comparison") {
  const std::vector<TextOutput> texts(5, {"a b c d e", {"a b c d e"}});
  const std::vector<TextOutput> others(5, {"a b c d x", {"a b c d e"}});
  const std::vector<TextScore> scores = score_texts(make_text_metrics("bleu,ter"), texts, others);
  const std::string table = text_score_table(scores, "runs/\x1b[31m");
  CHECK_THAT(table, contains("BLEU                  100.00   100.00 to 100.00 BLEU|nrefs:1|case:"));
  CHECK_THAT(table, contains("compared with runs/U+001B[31m\n"));
  CHECK_THAT(table, contains("TER                    20.00   20.00 to 20.00       -20.00"));
  const json array = json::parse(text_score_json(scores));
  CHECK(array.size() == 2);
  CHECK(array[1].at("name") == "TER");
  CHECK(array[1].at("score") == 0);
  CHECK(array[1].at("interval") == json({0.0, 0.0}));
  CHECK(array[1].at("compared_with").at("difference").get<double>() == Approx(-20));
  CHECK(array[0].at("precision_1") == 100);
  CHECK_THAT(text_score_table(score_texts(make_text_metrics("ter"), texts)), !contains("compared"));
}
