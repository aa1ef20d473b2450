#include <cmath>

#include "attune/autograd/ops/projected_input.h"
#include "op_cases.h"

using namespace attune;

namespace {

// Mean over the targets that count of -sum over classes of target * log softmax(x).
double cross_entropy_of(const Numbers& x, const std::vector<std::int32_t>& targets,
                        std::int32_t ignore, double smoothing) {
  const std::size_t classes = x.size() / targets.size();
  double loss = 0, counted = 0;
  for (std::size_t row = 0; row < targets.size(); ++row) {
    if (targets[row] == ignore) continue;
    double total = 0;
    for (std::size_t c = 0; c < classes; ++c) total += std::exp(x[row * classes + c]);
    for (std::size_t c = 0; c < classes; ++c) {
      const double target = (static_cast<std::int32_t>(c) == targets[row] ? 1 - smoothing : 0) +
                            smoothing / static_cast<double>(classes);
      loss -= target * std::log(std::exp(x[row * classes + c]) / total);
    }
    ++counted;
  }
  return loss / counted;
}

Indices class_ids(const Tensor& scores) {
  return ids(scores.shape().without(scores.rank() - 1), scores.shape().last());
}

OpCase cross_entropy_case(const std::string& name, std::int32_t ignore, double smoothing) {
  return {
      name,
      {{{2, 3, 5}, -3, 3}},
      {{21, 37, 101}},
      [=](const Operands& x) { return cross_entropy(x[0], class_ids(x[0]), ignore, smoothing); },
      [=](const std::vector<Numbers>& x) {
        return Numbers{cross_entropy_of(x[0], ids({6}, 5).to_vector(), ignore, smoothing)};
      }};
}

}  // namespace

std::vector<OpCase> loss_cases() {
  std::vector<OpCase> cases;
  cases.push_back(
      {"embedding",
       {{{7, 3}}},
       {{307, 77}},
       [](const Operands& x) {
         const std::int64_t n = x[0].size(0) < 10 ? 3 : 300;
         return embedding(x[0], ids({n, 4}, x[0].size(0)));
       },
       [](const std::vector<Numbers>& x) {
         Numbers y;
         for (const std::int32_t id : ids({12}, 7).to_vector())
           y.insert(y.end(), x[0].begin() + id * 3, x[0].begin() + id * 3 + 3);
         return y;
       },
       {{"embedding: id 7 at position 1 of ids [2] is outside [0, 7), the rows of weight "
         "[7, 3]",
         [] {
           embedding(of({7, 3}), {6, 7});
         }},
        {"embedding: id -1 at position 0 of ids [1] is outside [0, 7)",
         [] {
           embedding(of({7, 3}), {-1});
         }},
        {"embedding: weight must be [V, D]; got [7]", [] { embedding(of({7}), {0}); }},
        {"embedding: no ids given", [] {
           embedding(of({7, 3}), {});
         }}}});
  // With more ids than rows, and with fewer: the product comes first, or last.
  for (const std::int64_t count : {12, 4})
    cases.push_back({fmt::format("embedding_linear of {} ids", count),
                     {{{7, 3}}, {{5, 4}}},
                     {{307, 77}, {129, 78}},
                     [=](const Operands& x) {
                       const std::int64_t n = x[0].size(0) < 10 ? count : 30 * count;
                       return embedding_linear(x[0], ids({n}, x[0].size(0)), x[1]);
                     },
                     [=](const std::vector<Numbers>& x) {
                       Numbers y;
                       for (const std::int32_t id : ids({count}, 7).to_vector())
                         for (std::size_t row = 0; row < 5; ++row) {
                           double total = 0;
                           for (std::size_t k = 0; k < 3; ++k)
                             total +=
                                 x[1][row * 4 + k] * x[0][static_cast<std::size_t>(id) * 3 + k];
                           y.push_back(total);
                         }
                       return y;
                     }});
  cases.push_back(cross_entropy_case("cross_entropy", kIgnore, 0));
  cases.back().bad_calls = {
      {"cross_entropy: logits [4, 7] need targets of shape [4]; got [5]; one class for each row of "
       "the last axis",
       [] {
         cross_entropy(of({4, 7}), {1, 2, 3, 4, 5});
       }},
      {"cross_entropy: target 7 at position 2 is outside [0, 7), the classes of logits [4, 7]; "
       "only -100 is ignored",
       [] {
         cross_entropy(of({4, 7}), {0, 6, 7, 1});
       }},
      {"cross_entropy: smoothing is 1; it must be in [0, 1)",
       [] {
         cross_entropy(of({2, 3}), {0, 1}, kIgnore, 1);
       }},
      {"cross_entropy: logits must be [..., classes]; got []", [] { cross_entropy(of({}), {0}); }}};
  cases.push_back(cross_entropy_case("cross_entropy with ignored targets", 2, 0));
  cases.push_back(cross_entropy_case("cross_entropy with label smoothing", 2, 0.1));
  cases.push_back({"nll_loss",
                   {{{2, 3, 5}, -3, 0}},
                   {{21, 37, 101}},
                   [](const Operands& x) { return nll_loss(x[0], class_ids(x[0]), 2); },
                   [](const std::vector<Numbers>& x) {
                     double loss = 0, counted = 0;
                     for (std::int64_t row = 0; row < 6; ++row)
                       if (const std::int32_t id = ids({6}, 5).at(row); id != 2) {
                         loss -= x[0][static_cast<std::size_t>(row * 5 + id)];
                         ++counted;
                       }
                     return Numbers{loss / counted};
                   },
                   {{"nll_loss: log probabilities [4, 7] need targets of shape [4]; got [5]",
                     [] {
                       nll_loss(of({4, 7}), {1, 2, 3, 4, 5});
                     }},
                    {"nll_loss: target -1 at position 0 is outside [0, 7)", [] {
                       nll_loss(of({1, 7}), {-1});
                     }}}});
  cases.push_back(
      {"mse_loss",
       {{{3, 7}}, {{3, 7}}},
       {{300, 333}, {300, 333}},
       [](const Operands& x) { return mse_loss(x[0], x[1]); },
       [](const std::vector<Numbers>& x) {
         double loss = 0;
         for (std::size_t i = 0; i < 21; ++i)
           loss += (x[0][i] - x[1][i]) * (x[0][i] - x[1][i]) / 21;
         return Numbers{loss};
       },
       {{"mse_loss: prediction [4, 1] and target [4] differ in shape; they must be equal "
         "(losses do not broadcast)",
         [] {
           mse_loss(of({4, 1}), of({4}));
         }},
        {"mse_loss: prediction is f32, target f64; convert one with to()",
         [] { mse_loss(of({4}), of({4}, DType::f64)); }},
        {"mse_loss: prediction [0] has no elements to average",
         [] { mse_loss(of({0}), of({0})); }}}});
  cases.push_back({"binary_cross_entropy_with_logits",
                   {{{3, 7}, -3, 3}, {{3, 7}, 0, 1}},
                   {{300, 333}, {300, 333}},
                   [](const Operands& x) { return binary_cross_entropy_with_logits(x[0], x[1]); },
                   [](const std::vector<Numbers>& x) {
                     double loss = 0;
                     for (std::size_t i = 0; i < 21; ++i) {
                       const double p = 1 / (1 + std::exp(-x[0][i]));
                       loss -= (x[1][i] * std::log(p) + (1 - x[1][i]) * std::log(1 - p)) / 21;
                     }
                     return Numbers{loss};
                   },
                   {{"binary_cross_entropy_with_logits: logits [4, 1] and target [4] differ in "
                     "shape; they must "
                     "be equal (losses do not broadcast)",
                     [] {
                       binary_cross_entropy_with_logits(of({4, 1}), of({4}));
                     }}}});
  return cases;
}
