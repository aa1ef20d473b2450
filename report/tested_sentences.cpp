#include "attune/report/tested_sentences.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <vector>

#include "attune/data/lines.h"
#include "attune/data/messages.h"
#include "attune/metrics/bootstrap.h"
#include "attune/report/base64.h"
#include "attune/train/answers.h"

namespace attune {
namespace {

using Json = nlohmann::ordered_json;

std::vector<Question> questions_for(const Run& run, const ReportOptions& options) {
  BadLines bad(options.data.expected(), "warning", BadLines::OnMalformed::skip);
  UnknownTokens unknown;
  std::vector<Question> questions = read_questions(run,
                                                   {.files = options.data,
                                                    .max_length = run.config.max_length,
                                                    .count = {},
                                                    .seed = 1,
                                                    .reference_alignment = {}},
                                                   bad, &unknown);
  std::erase_if(questions, [](const Question& question) { return question.source.empty(); });
  warn_of_unknown(unknown);
  if (bad.count() > 0)
    warn("{} of {} left out: {}", lines_text(bad.count()), options.data.name(), bad.summary());
  return questions;
}

}  // namespace

std::string tested_sentences_json(const Run& run, const ReportOptions& options) {
  const std::vector<std::shared_ptr<TextMetric>> metrics = make_text_metrics(options.metrics);
  const std::vector<Question> questions = questions_for(run, options);
  const std::vector<Answer> answers = answers_to(run, questions, {}, {.beam = options.beam});
  const std::vector<TextOutput> texts = texts_of(run, questions, answers);

  Json shown_metrics = Json::array();
  for (const auto& metric : metrics)
    shown_metrics.push_back(
        {{"name", metric->name()}, {"score", metric->score(statistics_of(*metric, texts).sums())}});
  Json sentences = Json::array();
  std::vector<std::uint8_t> weights;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    const Hypothesis& output = answers[i].output;
    const Alignment alignment = alignment_of(run, questions[i].source, output, texts[i].source);
    Json scores = Json::array();
    for (const auto& metric : metrics) scores.push_back(score_of_text(*metric, texts[i]));
    sentences.push_back({{"source", alignment.source},
                         {"target", alignment.target},
                         {"source_text", texts[i].source},
                         {"output", texts[i].output},
                         {"references", texts[i].references},
                         {"scores", std::move(scores)},
                         {"finished", output.finished}});
    for (const float weight : output.weights)
      weights.push_back(static_cast<std::uint8_t>(std::lround(255 * std::clamp(weight, 0.F, 1.F))));
  }
  return Json{{"data", options.data.name()},
              {"metrics", std::move(shown_metrics)},
              {"sentences", std::move(sentences)},
              {"weights", base64(weights)}}
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace attune
