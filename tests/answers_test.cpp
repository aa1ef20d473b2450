#include "attune/train/answers.h"

#include "attune/alignment/alignment.h"
#include "attune/autograd/all.h"
#include "catch.h"

using namespace attune;

namespace {

using Ids = std::vector<int>;

Run small_run(const std::string& kind) {
  const Vocabulary letters = Vocabulary::build(Tokens::chars, std::vector<std::string>{"abcde"});
  EncoderDecoderOptions model{.model = kind,
                              .source_vocabulary = letters.size(),
                              .target_vocabulary = letters.size(),
                              .embedding = 8,
                              .hidden = 6};
  if (kind == "transformer") model.heads = 2;
  seed(3);
  RunConfig config;
  config.max_length = config.max_target_length = 9;
  config.model = model;
  return {"", config, letters, letters, make_model(model)};
}

// The weights of a model that is given a target token by token.
std::vector<float> weights_by_steps(const Run& run, const Ids& source, const Ids& target) {
  const NoGrad no_grad;
  const Eval eval;
  const Decoder& decoder = run.model->decoder();
  DecoderState state = decoder.start(run.model->encode(make_sources(std::vector<Ids>{source})));
  state.weights = true;
  std::vector<float> weights;
  std::int32_t previous = Vocabulary::start;
  for (const int token : target) {
    const Prediction next = decoder.predict(Indices({previous}), state);
    const std::vector<float> row = next.alignment().value().to_vector();
    weights.insert(weights.end(), row.begin(), row.end());
    previous = token;
  }
  return weights;
}

}  // namespace

TEST_CASE("reference alignments are compared with the weights of the reference, not the output") {
  for (const char* kind : {"recurrent", "transformer"}) {
    const Run run = small_run(kind);
    Question question{{"abcd", {"dcba", "xe"}}, run.source.encode("abcd"), {}};
    question.references = {run.target.encode("dcba"), {-1, run.target.id("e")}};
    question.alignments = {parse_moses("3-0 2-1 1-2 0-3"), parse_moses("0-0 1p0")};
    const Question skipped{{"", {}}, {}, {}};
    const std::vector<Question> questions = {skipped, question};
    const std::vector<Answer> answers = answers_to(run, questions);
    REQUIRE(answers.size() == 2);
    CHECK(answers[0].reference_weights.empty());
    REQUIRE(answers[1].reference_weights.size() == 2);
    REQUIRE(answers[1].output.tokens != question.references[0]);
    CHECK(answers[1].reference_weights[0] ==
          weights_by_steps(run, question.source, question.references[0]));
    CHECK(answers[1].reference_weights[1] ==
          weights_by_steps(run, question.source, {Vocabulary::unknown, run.target.id("e")}));

    AlignmentScores expected;
    for (const std::size_t i : {0, 1})
      expected.add(hard_alignment(answers[1].reference_weights[i], 4), question.alignments[i],
                   question.references[i].size());
    const Measures measures = measure(run, questions, answers);
    CHECK(measures.scores.sequences() == 1);
    CHECK(measures.alignment.error_rate() == expected.error_rate());
    CHECK(measures.alignment.precision() == expected.precision());
  }
}

TEST_CASE("the weights of a reference that the model writes itself are those of its output") {
  const Run run = small_run("recurrent");
  Question question{{"abcd", {"?"}}, run.source.encode("abcd"), {{}}};
  const Hypothesis output = answers_to(run, std::span(&question, 1)).front().output;
  REQUIRE_FALSE(output.tokens.empty());
  question.references = {output.tokens};
  question.alignments = {{}};
  const Answer answer = answers_to(run, std::span(&question, 1)).front();
  CHECK(answer.reference_weights.front() == output.weights);
  CHECK(output.weights == weights_by_steps(run, question.source, output.tokens));
}

TEST_CASE("measures of attention are not set if there is nothing to measure") {
  for (const auto& [name, is_share, value] : Measures{}.of_attention()) CHECK_FALSE(value);
  Measures measures;
  measures.weights.add(std::vector<float>{1, 0}, 2);
  for (const auto& [name, is_share, value] : measures.of_attention())
    CHECK(value.has_value() == !name.starts_with("alignment"));
}
