#include <cmath>

#include "attune/autograd/all.h"
#include "attune/layers/all.h"
#include "catch.h"

using namespace attune;

namespace {

constexpr std::int64_t kSource = 5, kBatch = 3, kSize = 6;

Tensor random(const Shape& shape) {
  Array array(shape, DefaultDType::current());
  generator().normal(array, 0, 1);
  return Tensor(array);
}

std::vector<double> numbers(const Tensor& x) {
  std::vector<double> all;
  for (std::int64_t i = 0; i < x.elements(); ++i) all.push_back(x.value().at(i));
  return all;
}

double distance(const Tensor& a, const Tensor& b) {
  REQUIRE(a.shape() == b.shape());
  double largest = 0;
  for (std::int64_t i = 0; i < a.elements(); ++i)
    largest = std::max(largest, std::abs(a.value().at(i) - b.value().at(i)));
  return largest;
}

// Subtracts the coverage from dot scores, and counts the steps in the position of the state.
struct SumScore : AttentionScore {
  Tensor operator()(const Tensor& query, const Tensor& keys, AttentionState& state) const override {
    const Tensor scores = dot_score(query, keys);
    const Tensor moved = Tensor(Array::full({query.size(0)}, 1, query.dtype()));
    state.position = state.position.defined() ? state.position + moved : moved;
    return state.coverage.defined() ? scores - state.coverage : scores;
  }
  bool reads_coverage() const override { return true; }
};

// Gives a row the penalty of its largest weight.
struct Penalised : SoftmaxNormalizer {
  Normalized operator()(const Tensor& scores, const Mask& mask,
                        AttentionState& state) const override {
    Normalized found = SoftmaxNormalizer::operator()(scores, mask, state);
    found.penalty = max(found.weights, 1);
    found.log_probability = log(found.penalty);
    return found;
  }
  bool is_softmax() const override { return false; }
};

AttentionHeads heads_of_two() {
  return {.count = 2,
          .features = kSize,
          .query_size = kSize,
          .key_size = kSize,
          .value_size = kSize,
          .output_size = kSize};
}

}  // namespace

TEST_CASE("the cosine score is the cosine of the angle, times a sharpness that is learned") {
  const DefaultDType f64(DType::f64);
  const CosineScore score({.query_size = 2, .key_size = 2, .sharpness = 3});
  const Array keys = Array::from(std::vector<double>{2, 0, 0, 5, -3, 3, 0, 0}, {4, 1, 2});
  const Array query = Array::from(std::vector<double>{4, 4}, {1, 2});
  AttentionState state;
  const std::vector<double> found = numbers(score(query, score.project_keys(keys), state));
  const std::vector<double> expected = {3 / std::sqrt(2.0), 3 / std::sqrt(2.0), 0, 0};
  for (std::size_t i = 0; i < 4; ++i) CHECK(found[i] == Approx(expected[i]).margin(1e-12));
  CHECK(score.parameter_count() == 1);
  CHECK_THROWS_WITH(CosineScore({.query_size = 2, .key_size = 3}),
                    contains("2 features but keys 3"));
  CHECK_THROWS_WITH(CosineScore({.query_size = 2, .key_size = 2, .sharpness = 0}),
                    contains("sharpness of 0"));
}

TEST_CASE("the scaled dot score is a dot product by the square root of the size") {
  const DotScore dot({.query_size = 4, .key_size = 4});
  const DotScore scaled({.query_size = 4, .key_size = 4, .scaled = true});
  const Tensor query(Array::full({1, 4}, 1)), keys(Array::full({3, 1, 4}, 3));
  AttentionState state;
  CHECK(dot(query, keys, state).value().at(0) == 12);
  CHECK(scaled(query, keys, state).value().at(0) == 6);
}

TEST_CASE("queries one by one give the same results as all at once") {
  const DefaultDType f64(DType::f64);
  seed(2);
  for (const std::string& name : score_names())
    for (const std::int64_t heads : {1, 2, 3}) {
      INFO(name << ", " << heads << " heads");
      const Attention attention(name, {.query_size = kSize, .hidden = 4, .heads = heads});
      const Memory memory = attention.memorize(random({kSource, kBatch, kSize}), {5, 1, 3});
      const Tensor queries = random({4, kBatch, kSize});
      const AttentionResult all = attention.attend(queries, memory, {.weights = true});
      AttentionResult one;
      for (std::int64_t t = 0; t < 4; ++t) {
        one = attention.attend(queries[t], memory, one.next, {.weights = true});
        CHECK(one.weights.rank() == (heads == 1 ? 2 : 3));
        CHECK(distance(one.context, all.context[t]) < 1e-12);
        const Tensor weights = slice(all.weights, 2, t, t + 1);
        CHECK(distance(reshape(one.weights, weights.shape()), weights) < 1e-12);
      }
      CHECK(one.next.steps == 4);
    }
}

TEST_CASE("a score reads earlier weights from the state and updates its position") {
  seed(3);
  const Attention attention(std::make_shared<SumScore>());
  const Memory memory = attention.memorize(random({kSource, kBatch, kSize}), {5, 2, 3});
  const Tensor query = random({kBatch, kSize});
  const AttentionResult first = attention.attend(query, memory);
  CHECK(distance(first.next.weights, first.weights) == 0);
  CHECK(distance(first.next.coverage, first.weights) == 0);
  const AttentionResult second = attention.attend(query, memory, first.next);
  CHECK(distance(second.weights, first.weights) > 0);
  CHECK(distance(second.next.coverage, first.weights + second.weights) == 0);
  CHECK(second.next.position.value().at(2) == 2);
  // Dot scores do not read the coverage, so it is not computed.
  const Attention dot("dot", {.query_size = kSize});
  CHECK_FALSE(dot.attend(query, memory).next.coverage.defined());
}

TEST_CASE("selected rows of a memory and a state give the same results as alone") {
  seed(4);
  std::vector<Attention> all = {
      Attention(std::make_shared<SumScore>()),
      Attention(std::make_shared<SumScore>(), std::make_shared<Penalised>(), heads_of_two())};
  for (const std::string& name : score_names())
    for (const std::int64_t heads : {1, 3})
      all.emplace_back(name, AttentionOptions{.query_size = kSize, .hidden = 4, .heads = heads});
  for (const Attention& attention : all)
    for (const Indices& lengths : {Indices(), Indices{5, 1, 3}}) {
      const Memory memory = attention.memorize(random({kSource, kBatch, kSize}), lengths);
      const Tensor queries = random({2, kBatch, kSize});
      const AttendOptions options{.weights = true};
      const AttentionState begun = attention.attend(queries[0], memory, options).next;
      const AttentionResult whole = attention.attend(queries[1], memory, begun, options);
      const Indices rows = {2, 0, 2, 1};
      for (const Memory& kept : {memory, memory.shared()}) {
        const AttentionResult some = attention.attend(
            index_select(queries[1], 0, rows), kept.select(rows), begun.select(rows), options);
        CHECK(distance(some.context, index_select(whole.context, 0, rows)) == 0);
        CHECK(distance(some.weights, index_select(whole.weights, 0, rows)) == 0);
        if (some.next.position.defined())
          CHECK(distance(some.next.position, whole.next.select(rows).position) == 0);
        if (lengths.defined()) continue;
        const Tensor more = random({1, 4, kSize});
        const Memory longer = attention.append(kept.select(rows), more);
        const Memory expected = attention.append(memory.select(rows), more);
        CHECK(distance(longer.keys, expected.keys) == 0);
        CHECK(distance(longer.values, expected.values) == 0);
      }
    }
  CHECK_FALSE(Memory{}.select({0, 0}).keys.defined());
  CHECK_FALSE(AttentionState{}.select({0, 0}).weights.defined());
}

TEST_CASE("hypotheses share the positions that they have in common, without copies") {
  seed(6);
  const DefaultDType f32(DType::f32);
  const NoGrad no_grad;
  const MultiHeadAttention attention(8, 2);
  const Tensor first = random({3, 4, 8});
  Memory shared = attention.append({}, first).shared(), copied = shared.copied();
  for (const Indices& rows :
       {Indices{1, 1, 3, 0}, Indices{3, 0, 0, 2}, Indices{2, 1, 0}, Indices{0, 2, 2}}) {
    shared = shared.select(rows), copied = copied.select(rows);
    const Tensor more = random({1, rows.elements(), 8});
    shared = attention.append(shared, more), copied = attention.append(copied, more);
    CHECK(shared.keys.size(1) == 4);
    CHECK(distance(shared.copied().keys, copied.keys) == 0);
    CHECK(distance(shared.copied().values, copied.values) == 0);
    const Tensor query = random({rows.elements(), 8});
    CHECK(distance(attention.attend(query, shared).context,
                   attention.attend(query, copied).context) == 0);
  }
  // In place: once there is room, keys and values are neither selected nor moved.
  const Memory grown = attention.append(shared.select({1, 0, 2}), random({1, 3, 8}));
  CHECK(grown.keys.value().shares_memory_with(shared.keys.value()));
  // One of four rows is too few to keep the others.
  const Memory one = attention.append(shared.select({1}), random({1, 1, 8}));
  CHECK(one.keys.size(1) == 1);
  CHECK_FALSE(one.rows.defined());
  const Memory five = attention.append(shared.select({0, 1, 2, 0, 1}), random({1, 5, 8}));
  CHECK(five.keys.size(1) == 5);
  CHECK_THROWS_WITH(shared.select({3}), contains("select() of query 3, but there are 3 queries"));
}

TEST_CASE("penalties and log probabilities are summed over heads and steps for each row") {
  const DefaultDType f64(DType::f64);
  seed(5);
  const auto score = make_score("dot", {.query_size = 3, .key_size = 3});
  const Attention attention(score, std::make_shared<Penalised>(), heads_of_two());
  const Memory memory = attention.memorize(random({kSource, kBatch, kSize}));
  const AttentionResult found = attention.attend(random({4, kBatch, kSize}), memory);
  const Tensor largest = max(found.weights, -1);  // [B, H, T]
  const auto total = [](const Tensor& x) { return sum(reshape(x, {kBatch, -1}), 1); };
  CHECK(distance(found.penalty, total(largest)) < 1e-12);
  CHECK(distance(found.log_probability, total(log(largest))) < 1e-12);
}

TEST_CASE("a user-defined score can be chosen by name") {
  attention_scores().add({"covered", "h . y - coverage", "this test",
                          [](const ScoreOptions&) { return std::make_shared<SumScore>(); }});
  CHECK(Attention("covered", {.query_size = 2}).parameter_count() == 0);
  CHECK(score_names().back() == "covered");
}

TEST_CASE("mismatched heads and query shapes are explained") {
  CHECK_THROWS_WITH(Attention("dot", {.query_size = 6, .heads = 4}),
                    contains("6 features cannot be divided among 4 heads"));
  const Attention attention("dot", {.query_size = 2});
  CHECK_THROWS_WITH(
      attention.attend(Array::zeros({2}), attention.memorize(Array::zeros({3, 1, 2}))),
      contains("query [2]; expected [B, Q]"));
  CHECK_THROWS_WITH(attention.attend(Array::zeros({1, 2}), {}), contains("the memory is empty"));
}
