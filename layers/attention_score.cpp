#include "attune/layers/attention_score.h"

#include <cmath>
#include <functional>

#include "attune/autograd/array/lookup.h"
#include "attune/autograd/ops/attention.h"
#include "attune/autograd/ops/matmul.h"

namespace attune {
namespace {

// Uniform in +-1 / sqrt(inputs), as in Linear.
Initializer uniform_for(std::int64_t inputs) {
  const double bound = 1 / std::sqrt(static_cast<double>(inputs));
  return uniform(-bound, bound);
}

void check_features(const char* what, const Tensor& x, std::int64_t expected) {
  ATTUNE_CHECK(x.shape().last() == expected,
               "additive score: {} {} do not fit; the last axis must be {}", what, x.shape(),
               expected);
}

}  // namespace

DotScore::DotScore(std::int64_t query_size, std::int64_t key_size) {
  ATTUNE_CHECK(query_size == key_size,
               "dot score: queries have {} features but keys {}; a dot product needs equal sizes, "
               "the general score does not",
               query_size, key_size);
}

Tensor DotScore::operator()(const Tensor& query, const Tensor& projected_keys) const {
  return dot_score(query, projected_keys);
}

GeneralScore::GeneralScore(std::int64_t query_size, std::int64_t key_size)
    : weight_(param("weight", {key_size, query_size}, uniform_for(query_size))) {}

Tensor GeneralScore::project_keys(const Tensor& keys) const { return matmul(keys, weight_); }

Tensor GeneralScore::operator()(const Tensor& query, const Tensor& projected_keys) const {
  return dot_score(query, projected_keys);
}

AdditiveScore::AdditiveScore(std::int64_t query_size, std::int64_t key_size, std::int64_t hidden)
    : query_size_(query_size),
      key_size_(key_size),
      weight_(param("weight", {hidden, key_size + query_size}, uniform_for(key_size + query_size))),
      v_(param("v", {hidden}, uniform_for(hidden))) {}

Tensor AdditiveScore::project_keys(const Tensor& keys) const {
  check_features("keys", keys, key_size_);
  return linear(keys, weight_, {}, /*first_column=*/0);
}

Tensor AdditiveScore::operator()(const Tensor& query, const Tensor& projected_keys) const {
  check_features("queries", query, query_size_);
  return additive_score(linear(query, weight_, {}, /*first_column=*/key_size_), projected_keys, v_);
}

// The choice by name

namespace {

using ScorePointer = std::shared_ptr<AttentionScore>;
using ScoreMaker = std::function<ScorePointer(std::int64_t query_size, std::int64_t key_size,
                                              std::int64_t hidden)>;

const NameTable<ScoreMaker>& table() {
  static const NameTable<ScoreMaker> scores = {
      {"dot", [](auto query, auto key, auto) { return std::make_shared<DotScore>(query, key); }},
      {"general",
       [](auto query, auto key, auto) { return std::make_shared<GeneralScore>(query, key); }},
      {"additive", [](auto query, auto key,
                      auto hidden) { return std::make_shared<AdditiveScore>(query, key, hidden); }},
  };
  return scores;
}

}  // namespace

std::shared_ptr<AttentionScore> make_score(std::string_view kind, std::int64_t query_size,
                                           std::int64_t key_size, std::int64_t hidden) {
  return look_up(table(), kind, "attention score")(query_size, key_size, hidden);
}

std::vector<std::string> score_names() { return names_of(table()); }

}  // namespace attune
