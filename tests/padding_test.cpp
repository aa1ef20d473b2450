#include <cmath>
#include <cstring>
#include <limits>
#include <tuple>

#include "attention_members.h"
#include "attune/autograd/all.h"
#include "attune/autograd/ops/projected_input.h"
#include "attune/data/all.h"
#include "attune/layers/all.h"
#include "attune/models/all.h"
#include "catch.h"

using namespace attune;

// What a length or a mask hides has no influence on any value or gradient, whatever it holds. Every
// case below is run with zeros in the hidden places and then with garbage there, and in whatever
// memory is reused; all bits must agree, and the gradients of hidden places must be 0.
namespace {

// True for the flat positions of a tensor that are hidden.
using Hidden = std::function<bool(std::int64_t)>;

// Leaves `value` in memory that later allocations get.
void fill_free_memory(double value) {
  std::vector<Array> blocks;
  for (int repeat = 0; repeat < 6; ++repeat) {
    for (std::int64_t bytes = 64; bytes <= 1024; bytes += 64)
      blocks.push_back(Array::full({bytes / 8}, value, DType::f64));
    for (std::int64_t bytes = 1024; bytes < (1 << 16); bytes *= 2)
      for (std::int64_t eighth = 9; eighth <= 16; ++eighth)
        blocks.push_back(Array::full({bytes / 64 * eighth}, value, DType::f64));
  }
}

// One run of a case: its inputs, with `garbage` in hidden places, its results and its gradients.
class Trial {
 public:
  Trial(DType dtype, double garbage) : dtype_(dtype), garbage_(garbage), random_(7) {
    fill_free_memory(garbage);
    seed(3);
  }

  DType dtype() const { return dtype_; }

  // A leaf of random numbers.
  Tensor input(const Shape& shape, Hidden hidden = {}) {
    leaves_.push_back({Tensor::parameter(random_array(shape, hidden)), hidden});
    return leaves_.back().tensor;
  }
  template <typename L>
  const L& layer(const L& layer) {
    for (const Param& param : layer.parameters()) leaves_.push_back({param.value, {}});
    return layer;
  }
  // A result. Its gradient has garbage where it is hidden; the value is seen everywhere.
  void result(const Tensor& y, const Hidden& hidden = {}) {
    results_.push_back(y);
    cotangents_.push_back(random_array(y.shape(), hidden));
  }

  // All results and gradients. `fault` is set to a message if a hidden gradient is not 0.
  std::vector<double> finish(std::string& fault) {
    std::vector<double> numbers;
    const auto take = [&](const Array& x) {
      for (std::int64_t i = 0; i < x.elements(); ++i) numbers.push_back(x.at(i));
    };
    for (const Tensor& y : results_) take(y.value());
    const std::vector<Input> inputs(results_.begin(), results_.end());
    // A loss whose gradient with respect to each result is the cotangent.
    record("loss", Array::zeros({}, dtype_), std::span<const Input>(inputs), [this](Grads& g) {
      for (std::size_t i = 0; i < cotangents_.size(); ++i)
        if (g.needs(static_cast<int>(i))) g.add(static_cast<int>(i), cotangents_[i]);
    }).backward();
    for (std::size_t k = 0; k < leaves_.size(); ++k) {
      const Array gradient = leaves_[k].tensor.grad();
      if (!gradient.defined()) continue;
      take(gradient);
      for (std::int64_t i = 0; leaves_[k].hidden && i < gradient.elements(); ++i)
        if (leaves_[k].hidden(i) && gradient.at(i) != 0 && fault.empty())
          fault = fmt::format("leaf {} has a hidden gradient {} at {}", k, gradient.at(i), i);
      leaves_[k].tensor.zero_grad();
    }
    return numbers;
  }

 private:
  struct Leaf {
    Tensor tensor;
    Hidden hidden;
  };

  Array random_array(const Shape& shape, const Hidden& hidden) {
    Array array(shape, dtype_);
    random_.normal(array, 0, 1);
    for (std::int64_t i = 0; hidden && i < array.elements(); ++i)
      if (hidden(i)) array.set(i, garbage_);
    return array;
  }

  DType dtype_;
  double garbage_;
  Generator random_;
  std::vector<Leaf> leaves_;
  std::vector<Tensor> results_;
  std::vector<Array> cotangents_;
};

using Case = std::function<void(Trial&)>;

std::string difference(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size()) return "different numbers of elements";
  for (std::size_t i = 0; i < a.size(); ++i)
    if (std::memcmp(&a[i], &b[i], sizeof(double)) != 0)
      return fmt::format("element {} of {} is {} instead of {}", i, a.size(), b[i], a[i]);
  return "";
}

// "" when garbage has no influence; else the first fault.
std::string fault_of(const Case& body) {
  const int before = threads();
  std::string fault;
  for (const DType dtype : {DType::f32, DType::f64}) {
    const DefaultDType scope(dtype);
    const auto run = [&](double garbage, int thread_count) {
      set_threads(thread_count);
      Trial trial(dtype, garbage);
      body(trial);
      const std::vector<double> numbers = trial.finish(fault);
      if (!fault.empty()) fault += fmt::format(" with {} in {}", garbage, name_of(dtype));
      return numbers;
    };
    const std::vector<double> clean = run(0, 1);
    for (const double number : clean)
      if (std::isnan(number) && fault.empty()) fault = "a number is NaN without garbage";
    constexpr double kInf = std::numeric_limits<double>::infinity();
    for (const double garbage : {std::nan(""), kInf, -kInf, 1e30, -1e30})
      for (const int thread_count : {1, 3}) {
        const std::string found = difference(clean, run(garbage, thread_count));
        if (!found.empty() && fault.empty())
          fault = fmt::format("{} with {} in {} on {} threads", found, garbage, name_of(dtype),
                              thread_count);
      }
  }
  set_threads(before);
  return fault;
}

// Positions beyond the lengths of a sequence [T, B, features].
Hidden beyond(const Indices& lengths, std::int64_t features) {
  return [=](std::int64_t i) {
    const std::int64_t row = i / features, batch = lengths.elements();
    return row / batch >= lengths.at(row % batch);
  };
}

// Columns beyond the lengths of [B, ..., n], lengths [B], where a batch row has `per_row` rows.
Hidden columns_beyond(const Indices& lengths, std::int64_t n, std::int64_t per_row = 1) {
  return [=](std::int64_t i) { return i % n >= lengths.at(i / (n * per_row)); };
}

// Lengths for sequences of at most `longest`: 0, 1 and full among them, or none of these.
std::vector<Indices> some_lengths(int longest) {
  return {{longest, 1, 0, longest - 1, 2}, {1, 1, 2, 1, 3}, {0, 0, 0, 0, 0}};
}

constexpr std::int64_t kBatch = 5;

}  // namespace

TEST_CASE("padding has no influence on recurrent networks", "[padding]") {
  for (const std::string& kind : cell_names())
    for (const RecurrentOptions& options :
         {RecurrentOptions{}, {.bidirectional = true}, {.layers = 2, .bidirectional = true}})
      for (const Indices& lengths : some_lengths(7)) {
        INFO(kind << ", " << options.layers << " layers, lengths " << lengths.at(0));
        CHECK(fault_of([&](Trial& trial) {
                const Recurrent network = trial.layer(Recurrent(kind, 3, 17, options));
                const Tensor x = trial.input({7, kBatch, 3}, beyond(lengths, 3));
                const auto [output, states] = network(x, lengths);
                trial.result(output, beyond(lengths, network.output_size()));
                for (const RecurrentState& state : states) {
                  trial.result(state.h);
                  if (state.c.defined()) trial.result(state.c);
                }
              }) == "");
      }
}

TEST_CASE("padding has no influence on recurrent networks that threads share", "[padding]") {
  const Indices lengths = [] {
    std::vector<std::int32_t> values;
    for (int b = 0; b < 67; ++b) values.push_back(b % 10);
    return Indices(values);
  }();
  for (const std::string& kind : cell_names()) {
    INFO(kind);
    CHECK(fault_of([&](Trial& trial) {
            const Recurrent network = trial.layer(Recurrent(kind, 33, 65, {.bidirectional = true}));
            const Tensor x = trial.input({9, 67, 33}, beyond(lengths, 33));
            trial.result(network(x, lengths).output, beyond(lengths, network.output_size()));
          }) == "");
  }
}

TEST_CASE("padding has no influence if part of a recurrent layer's input is known", "[padding]") {
  for (const bool reverse : {false, true})
    for (const bool with_x : {false, true})
      for (const Indices& lengths : some_lengths(6)) {
        INFO("reverse " << reverse << ", x " << with_x);
        CHECK(fault_of([&](Trial& trial) {
                const Tensor x = trial.input({6, kBatch, 2}, beyond(lengths, 2));
                const Tensor known = trial.input({6, kBatch, 12}, beyond(lengths, 12));
                const Tensor h = trial.input({kBatch, 4});
                const RecurrentWeights weights{trial.input({12, with_x ? 5 : 3}),
                                               trial.input({12, 4}), trial.input({12}),
                                               trial.input({12})};
                const SequenceResult result =
                    recurrent_sequence(kernels::Cell::gru, {with_x ? x : Tensor(), {known, 3}},
                                       {h, {}}, weights, {.lengths = lengths, .reverse = reverse});
                trial.result(result.output, beyond(lengths, 4));
                trial.result(result.h);
              }) == "");
      }
}

TEST_CASE("the state of an empty sequence has no influence on weights", "[padding]") {
  const Indices lengths{3, 0};
  for (const bool reverse : {false, true})
    CHECK(fault_of([&](Trial& trial) {
            const Hidden second = [](std::int64_t i) { return i >= 4; };
            const Tensor x = trial.input({3, 2, 2}, beyond(lengths, 2));
            const RecurrentWeights weights{trial.input({12, 2}), trial.input({12, 4}),
                                           trial.input({12}), trial.input({12})};
            // A constant: its own gradient is that of the last state.
            Array h = Array::full({2, 4}, 0.5, trial.dtype());
            const Array garbage = trial.input({2, 4}, second).value();
            for (std::int64_t i = 4; i < 8; ++i) h.set(i, garbage.at(i));
            trial.result(
                gru_sequence(x, h, weights, {.lengths = lengths, .reverse = reverse}).output,
                beyond(lengths, 4));
          }) == "");
}

TEST_CASE("padding has no influence on attention with any score, normaliser and heads",
          "[padding]") {
  for (const auto& [score, normalizer] : scores_with_normalizers())
    for (const std::int64_t heads : {1, 3})
      for (const Indices& lengths : some_lengths(6)) {
        INFO(score << ", " << normalizer << ", " << heads << " heads, lengths " << lengths.at(0));
        CHECK(fault_of([&, &score = score, &normalizer = normalizer](Trial& trial) {
                const Attention attention =
                    trial.layer(Attention(score, {.query_size = 3,
                                                  .value_size = 17,
                                                  .hidden = 5,
                                                  .heads = heads,
                                                  .normalizer = normalizer}));
                const Tensor keys = trial.input({6, kBatch, 3}, beyond(lengths, 3));
                const Tensor values = trial.input({6, kBatch, 17}, beyond(lengths, 17));
                const Memory memory = attention.memorize(keys, values, lengths);
                // With heads it is out(0), whose bias sees the gradient.
                const Hidden nowhere = [=](std::int64_t i) {
                  return heads == 1 && lengths.at(i / 17 % kBatch) == 0;
                };
                AttentionResult found;
                for (int step = 0; step < 2; ++step) {
                  found = attention.attend(trial.input({kBatch, 3}), memory, found.next,
                                           {.weights = true});
                  trial.result(found.context, nowhere);
                  trial.result(found.weights, columns_beyond(lengths, 6, heads));
                }
                for (const Mask& mask : {Mask(), Mask::causal()}) {
                  found = attention.attend(trial.input({4, kBatch, 3}), memory,
                                           {.mask = mask, .weights = true});
                  trial.result(found.context, nowhere);
                  trial.result(found.weights, columns_beyond(lengths, 6, 4 * heads));
                }
              }) == "");
      }
}

TEST_CASE("masked keys have no influence on attention with any score and heads", "[padding]") {
  constexpr std::int64_t kQueries = 4, kKeys = 6;
  // Of every batch row some keys, and of the first query all.
  const auto sees = [](std::int64_t b, std::int64_t t, std::int64_t s) {
    return t != 0 && (b + s) % 3 != 1;
  };
  const Hidden keys_hidden = [=](std::int64_t row) { return !sees(row % kBatch, 1, row / kBatch); };
  const auto rows = [](const Hidden& hidden, std::int64_t features) -> Hidden {
    return [=](std::int64_t i) { return hidden(i / features); };
  };
  struct Normal : SoftmaxNormalizer {  // not fused
    bool is_softmax() const override { return false; }
  };
  for (const std::string& name : stateless_scores())
    for (const bool fused : {false, true})
      for (const std::int64_t heads : {0, 1, 3})
        for (const bool with_bias : {false, true}) {
          INFO(name << ", fused " << fused << ", " << heads << " heads, bias " << with_bias);
          const std::int64_t h = std::max<std::int64_t>(1, heads), features = 3 * h;
          const Hidden hidden = [=](std::int64_t i) {  // of [B, H, T, S]
            return !sees(i / (kKeys * kQueries * h), i / kKeys % kQueries, i % kKeys);
          };
          Array allowed = Array::zeros({kBatch, h, kQueries, kKeys});
          for (std::int64_t i = 0; i < allowed.elements(); ++i) allowed.set(i, !hidden(i));
          CHECK(fault_of([&](Trial& trial) {
                  const auto score =
                      make_score(name, {.query_size = 3, .key_size = 3, .hidden = 5});
                  const auto normalizer =
                      fused ? std::make_shared<SoftmaxNormalizer>() : std::make_shared<Normal>();
                  const AttentionHeads sizes{.count = h,
                                             .features = features,
                                             .query_size = features,
                                             .key_size = 3,
                                             .value_size = 2,
                                             .output_size = 5};
                  const Attention attention =
                      trial.layer(heads == 0 ? Attention(score, normalizer)
                                             : Attention(score, normalizer, sizes));
                  // The gradient of the cosine's sharpness needs every query.
                  const Hidden blind = [=](std::int64_t row) {
                    return row < kBatch && name != "cosine" && name != "query_key_norm";
                  };
                  const Tensor query =
                      trial.input({kQueries, kBatch, features}, rows(blind, features));
                  const Tensor keys = trial.input({kKeys, kBatch, 3}, rows(keys_hidden, 3));
                  const Tensor values = trial.input({kKeys, kBatch, 2}, rows(keys_hidden, 2));
                  const Shape scores{kBatch, h, kQueries, kKeys};
                  Mask mask = Mask::of(allowed);
                  if (with_bias) mask = mask & Mask::bias(trial.input(scores, hidden));
                  const AttentionResult found = attention.attend(
                      query, attention.memorize(keys, values), {.mask = mask, .weights = true});
                  trial.result(found.context);
                  trial.result(found.weights, hidden);
                }) == "");
        }
}

TEST_CASE("padding has no influence on the operations used by attention", "[padding]") {
  for (const bool additive : {false, true})
    for (const Indices& lengths : some_lengths(6)) {
      INFO((additive ? "additive" : "dot"));
      CHECK(fault_of([&](Trial& trial) {
              const Tensor query = trial.input({kBatch, 19});
              const Tensor keys = trial.input({6, kBatch, 19}, beyond(lengths, 19));
              const Tensor values = trial.input({6, kBatch, 3}, beyond(lengths, 3));
              const Tensor scores = additive ? additive_score(query, keys, trial.input({19}))
                                             : dot_score(query, keys);
              const Tensor weights = softmax(scores, 1, lengths);
              trial.result(weights, columns_beyond(lengths, 6));
              trial.result(weighted_sum(weights, values));
            }) == "");
    }
}

TEST_CASE("keys hidden by a bias of -infinity have no influence on attention", "[padding]") {
  const Hidden hidden = [](std::int64_t i) { return i % 3 == 1 || i == 0; };  // of [B, S]
  const auto hidden_at = [=](std::int64_t features) {                         // of [S, B, features]
    return [=](std::int64_t i) {
      const std::int64_t row = i / features;
      return hidden(row % kBatch * 7 + row / kBatch);
    };
  };
  for (const bool additive : {false, true}) {
    INFO((additive ? "additive" : "dot"));
    CHECK(fault_of([&](Trial& trial) {
            const Tensor query = trial.input({kBatch, 3});
            const Tensor keys = trial.input({7, kBatch, 3}, hidden_at(3));
            const Tensor values = trial.input({7, kBatch, 5}, hidden_at(5));
            const Tensor scores =
                additive ? additive_score(query, keys, trial.input({3})) : dot_score(query, keys);
            Array seen({kBatch, 7}, trial.dtype());
            for (std::int64_t i = 0; i < seen.elements(); ++i) seen.set(i, !hidden(i));
            const Tensor none(
                Array::full({1}, -std::numeric_limits<double>::infinity(), trial.dtype()));
            const Tensor weights = softmax(where(seen, scores, none));
            trial.result(weights, hidden);
            trial.result(weighted_sum(weights, values));
          }) == "");
  }
}

TEST_CASE("padding has no influence on scaled dot-product attention", "[padding]") {
  struct Sizes {
    std::int64_t queries, keys, features;
  };
  for (const Sizes& n : {Sizes{3, 6, 2}, {5, 5, 17}, {67, 131, 3}})
    for (const bool causal : {false, true})
      for (const std::int64_t offset : {n.keys - n.queries, std::int64_t{-1}})
        for (const Indices& lengths : some_lengths(static_cast<int>(n.keys))) {
          INFO("keys " << n.keys << ", causal " << causal << ", offset " << offset);
          const Mask causal_mask = causal ? Mask::causal(offset) : Mask();
          const DotProductOptions options{.heads = 2, .mask = Mask::lengths(lengths) & causal_mask};
          CHECK(fault_of([&](Trial& trial) {
                  const std::int64_t d = 2 * n.features;
                  // A query that sees no key is itself without influence.
                  const Hidden sees_nothing = [=](std::int64_t i) {
                    const std::int64_t b = i / d % kBatch, t = i / (d * kBatch);
                    return lengths.at(b) == 0 || (causal && t + offset < 0);
                  };
                  const Tensor query = trial.input({n.queries, kBatch, d}, sees_nothing);
                  const Tensor key = trial.input({n.keys, kBatch, d}, beyond(lengths, d));
                  const Tensor value = trial.input({n.keys, kBatch, d}, beyond(lengths, d));
                  trial.result(scaled_dot_product_attention(query, key, value, options),
                               sees_nothing);
                  const auto [context, weights] =
                      scaled_dot_product_attention_with_weights(query, key, value, options);
                  trial.result(context, sees_nothing);
                  trial.result(weights, [=](std::int64_t i) {
                    const std::int64_t b = i / (n.keys * n.queries * 2);
                    const std::int64_t t = i / n.keys % n.queries, s = i % n.keys;
                    return s >= lengths.at(b) || (causal && s > t + offset);
                  });
                }) == "");
        }
}

TEST_CASE("masked keys have no influence on scaled dot-product attention", "[padding]") {
  struct Sizes {
    std::int64_t queries, keys, features;
  };
  constexpr std::int64_t kHeads = 2;
  for (const Sizes& n : {Sizes{4, 6, 2}, {63, 64, 3}, {65, 129, 5}})
    for (const bool window : {false, true})
      for (const bool array : {false, true})
        for (const bool with_bias : {false, true}) {
          INFO("keys " << n.keys << ", window " << window << ", array " << array << ", bias "
                       << with_bias);
          // Every third key, no key for every fifth query, and the last key for none.
          const auto sees = [=](std::int64_t t, std::int64_t s) {
            if (window && (s < t - 2 || s > t + 1)) return false;
            return !array || (s % 3 != 1 && t % 5 != 2 && s != n.keys - 1);
          };
          Array allowed = Array::zeros({n.queries, n.keys});
          for (std::int64_t i = 0; i < allowed.elements(); ++i)
            allowed.set(i, !array || (i % n.keys % 3 != 1 && i / n.keys % 5 != 2 &&
                                      i % n.keys != n.keys - 1));
          CHECK(fault_of([&](Trial& trial) {
                  const std::int64_t d = kHeads * n.features;
                  const auto blind = [=](std::int64_t i) {
                    for (std::int64_t s = 0; s < n.keys; ++s)
                      if (sees(i / (d * kBatch), s)) return false;
                    return true;
                  };
                  const auto unseen = [=](std::int64_t i) {
                    for (std::int64_t t = 0; t < n.queries; ++t)
                      if (sees(t, i / (d * kBatch))) return false;
                    return true;
                  };
                  const auto hidden = [=](std::int64_t i) {
                    return !sees(i / n.keys % n.queries, i % n.keys);
                  };
                  Mask mask;
                  if (window) mask = mask & Mask::window(2, 1, 0);
                  if (array) mask = mask & Mask::of(allowed);
                  if (with_bias)
                    mask = mask & Mask::bias(trial.input({kHeads, n.queries, n.keys}, hidden));
                  const Tensor query = trial.input({n.queries, kBatch, d}, blind);
                  const Tensor key = trial.input({n.keys, kBatch, d}, unseen);
                  const Tensor value = trial.input({n.keys, kBatch, d}, unseen);
                  const DotProductOptions options{.heads = kHeads, .mask = mask};
                  trial.result(scaled_dot_product_attention(query, key, value, options), blind);
                  const auto [context, weights] =
                      scaled_dot_product_attention_with_weights(query, key, value, options);
                  trial.result(context, blind);
                  trial.result(weights, hidden);
                }) == "");
        }
}

TEST_CASE("padding has no influence on MultiHeadAttention", "[padding]") {
  for (const Mask& mask : {Mask(), Mask::causal()})
    for (const Indices& lengths : some_lengths(6)) {
      CHECK(fault_of([&](Trial& trial) {
              const MultiHeadAttention attention = trial.layer(MultiHeadAttention(6, 2));
              const Tensor x = trial.input({6, kBatch, 6}, beyond(lengths, 6));
              const Tensor y = trial.input({6, kBatch, 6}, beyond(lengths, 6));
              const Tensor query = trial.input({4, kBatch, 6});
              trial.result(attention(x, lengths, mask), beyond(lengths, 6));
              for (const Memory& memory :
                   {attention.memorize(x, lengths), attention.memorize(x, y, lengths)}) {
                const AttentionResult found =
                    attention.attend(query, memory, {.mask = mask, .weights = true});
                trial.result(found.context);
                trial.result(found.weights, columns_beyond(lengths, 6, 4 * 2));
              }
            }) == "");
    }
}

TEST_CASE("padding has no influence on Transformers", "[padding]") {
  for (const bool norm_first : {false, true})
    for (const Indices& lengths : some_lengths(6)) {
      INFO("norm first " << norm_first << ", lengths " << lengths.at(0));
      CHECK(fault_of([&](Trial& trial) {
              const TransformerOptions options{.features = 6,
                                               .heads = 2,
                                               .feed_forward = 7,
                                               .activation = "gelu",
                                               .dropout = 0.1,
                                               .norm_first = norm_first};
              const TransformerEncoderLayer layer = trial.layer(TransformerEncoderLayer(options));
              const TransformerEncoder encoder = trial.layer(TransformerEncoder(options, 2));
              const TransformerDecoder decoder = trial.layer(TransformerDecoder(options, 2));
              const Tensor x = trial.input({6, kBatch, 6}, beyond(lengths, 6));
              trial.result(layer(x, lengths), beyond(lengths, 6));
              const Tensor encoded = encoder(x, lengths);
              trial.result(encoded, beyond(lengths, 6));
              for (const Tensor& source : {encoded, x})
                trial.result(
                    decoder(trial.input({3, kBatch, 6}), decoder.memorize(source, lengths)).output);
            }) == "");
    }
}

TEST_CASE("padding has no influence on softmax and its logarithm", "[padding]") {
  for (const Indices& lengths : some_lengths(19))
    CHECK(fault_of([&](Trial& trial) {
            const Tensor x = trial.input({kBatch, 3, 19}, columns_beyond(lengths, 19, 3));
            const Hidden hidden = [=](std::int64_t i) { return i / 2 % 19 >= lengths.at(i / 38); };
            const Tensor y = trial.input({kBatch, 19, 2}, hidden);
            for ([[maybe_unused]] const bool twice :
                 {false, true}) {  // gradients are added the second time
              trial.result(softmax(x, -1, lengths), columns_beyond(lengths, 19, 3));
              trial.result(softmax(y, 1, lengths), hidden);
              trial.result(log_softmax(x, -1, lengths), columns_beyond(lengths, 19, 3));
              trial.result(log_softmax(y, 1, lengths), hidden);
            }
          }) == "");
}

TEST_CASE("scores of ignored targets have no influence on losses", "[padding]") {
  const std::vector<std::vector<std::int32_t>> all_targets = {
      {3, kIgnore, 0, kIgnore, kIgnore}, {1, 2, 3, 4, 5}, std::vector(5, kIgnore)};
  for (const std::vector<std::int32_t>& values : all_targets)
    for (const double smoothing : {0.0, 0.1})
      CHECK(fault_of([&](Trial& trial) {
              const Indices targets(values);
              const Hidden hidden = [&](std::int64_t i) { return values[i / 19] == kIgnore; };
              const Tensor logits = trial.input({5, 19}, hidden);
              trial.result(cross_entropy(logits, targets, kIgnore, smoothing));
              trial.result(nll_loss(logits, targets));
            }) == "");
}

TEST_CASE("scores of ignored targets have no influence on the fraction of correct tokens",
          "[padding]") {
  Array logits = Array::zeros({3, 4});
  logits.set(2, 1);
  logits.set(11, 1);
  for (const double garbage : {0.0, std::nan(""), 1e30}) {
    for (std::int64_t i = 4; i < 8; ++i) logits.set(i, garbage);
    CHECK(token_accuracy(logits, {2, kIgnore, 0}) == 0.5);
  }
}

TEST_CASE("the operand that where() does not select has no influence", "[padding]") {
  CHECK(
      fault_of([](Trial& trial) {
        const Hidden odd = [](std::int64_t i) { return i % 2 == 1; };
        const Hidden even = [](std::int64_t i) { return i % 2 == 0; };
        Array is_even({4, 6}, trial.dtype());
        for (std::int64_t i = 0; i < 24; ++i) is_even.set(i, even(i));
        trial.result(where(is_even, trial.input({4, 6}, odd), trial.input({4, 6}, even)));
        // A gradient reaches the operand that was chosen only.
        trial.result(where(is_even, trial.input({4, 6}), Array::zeros({4, 6}, trial.dtype())), odd);
      }) == "");
}

// mask_padding()

TEST_CASE("mask_padding puts zeros beyond the lengths and stops gradients there", "[padding]") {
  for (const Indices& lengths : some_lengths(4))
    CHECK(fault_of([&](Trial& trial) {
            const Tensor x = trial.input({4, kBatch, 3}, beyond(lengths, 3));
            trial.result(mask_padding(x, lengths), beyond(lengths, 3));
            trial.result(mask_padding(x * 2, lengths), beyond(lengths, 3));  // in place
          }) == "");
  const Array x = Array::full({2, 2}, 5);
  CHECK(mask_padding(x, {2, 1}).value().to_vector() == std::vector<float>{5, 5, 5, 0});
  CHECK(x.to_vector() == std::vector<float>(4, 5));
}

TEST_CASE("gradients of mask_padding match finite differences", "[padding][gradient]") {
  Array x({4, 3, 2}, DType::f64);
  generator().normal(x, 0, 1);
  const auto result = gradcheck(
      [](const std::vector<Tensor>& in) {
        return square(mask_padding(in[0], {2, 0, 4}));
      },
      std::vector<Array>{x});
  INFO(result.message);
  CHECK(result.ok);
}

TEST_CASE("mask_padding does not copy without padding, nor a temporary", "[padding]") {
  const Tensor x = Tensor::parameter(Array::full({2, 2, 3}, 5));
  CHECK(mask_padding(x, {}).node().get() == x.node().get());
  CHECK(mask_padding(x, {2, 2}).node().get() == x.node().get());
  Tensor y = x * 2;
  const void* const memory = std::as_const(y).value().raw();
  CHECK(mask_padding(y, {2, 0}).value().raw() != memory);  // y is seen elsewhere
  CHECK(std::as_const(y).value().at(3) == 10);
  CHECK(mask_padding(std::move(y), {2, 0}).value().raw() == memory);
  const Tensor z = mask_padding(x, {2, 0});
  CHECK(mask_padding(z, {2, 0}).value().raw() == z.value().raw());
}

TEST_CASE("mask_padding accepts empty sequences and empty batches", "[padding]") {
  CHECK(mask_padding(Array::zeros({0, 2, 3}), {0, 0}).shape() == Shape({0, 2, 3}));
  const Indices none(std::vector<std::int32_t>{}, Shape{0});
  CHECK(mask_padding(Array::zeros({2, 0, 3}), none).shape() == Shape({2, 0, 3}));
  CHECK(mask_padding(Array::zeros({2, 2, 0}), {1, 2}).shape() == Shape({2, 2, 0}));
}

TEST_CASE("mask_padding's errors name the mismatch", "[padding]") {
  const Array x = Array::zeros({4, 2, 3});
  CHECK_THROWS_WITH(mask_padding(x, {4}),
                    "mask_padding: lengths must be [2], one for each sequence; got [1]");
  CHECK_THROWS_WITH(mask_padding(x, {1, 5}),
                    "mask_padding: length 5 of sequence 1 is outside [0, 4]");
  CHECK_THROWS_WITH(mask_padding(x, {1, -1}), contains("length -1 of sequence 1"));
  CHECK_THROWS_WITH(mask_padding(Array::zeros({4}), {4}),
                    "mask_padding: x must be [T, B, ...], time first; got [4]");
}

// What a causal mask hides

namespace {

struct CausalRun {
  Array context, weights, dquery, dkey, dvalue;
};

// Attention of random sequences, one head of `d` features, batch 1. Row `position` of every operand
// in `spoilt` (query, key, value, dcontext), holds garbage.
CausalRun causal_run(DType dtype, std::int64_t queries, std::int64_t keys, std::int64_t offset,
                     const std::vector<std::string>& spoilt, std::int64_t position,
                     double garbage) {
  const std::int64_t d = 3;
  Generator random(5);
  const auto make = [&](const std::string& name, std::int64_t rows) {
    Array x({rows, 1, d}, dtype);
    random.normal(x, 0, 1);
    if (std::find(spoilt.begin(), spoilt.end(), name) != spoilt.end())
      for (std::int64_t i = 0; i < d; ++i) x.set(position * d + i, garbage);
    return x;
  };
  const Tensor query = Tensor::parameter(make("query", queries));
  const Tensor key = Tensor::parameter(make("key", keys));
  const Tensor value = Tensor::parameter(make("value", keys));
  const auto [context, weights] =
      scaled_dot_product_attention_with_weights(query, key, value, {.mask = Mask::causal(offset)});
  context.backward(make("dcontext", queries));
  return {context.value(), weights.value(), query.grad(), key.grad(), value.grad()};
}

// "" when rows [first, last) of both have the same finite bits.
std::string rows_differ(const char* what, const Array& a, const Array& b, std::int64_t first,
                        std::int64_t last) {
  const std::int64_t n = a.elements() / a.shape()[0];
  for (std::int64_t i = first * n; i < last * n; ++i)
    if (a.at(i) != b.at(i) || !std::isfinite(b.at(i)))
      return fmt::format("row {} of {}: {} and {}", i / n, what, a.at(i), b.at(i));
  return "";
}

bool has_nan(const Array& x, std::int64_t row) { return !x[row].all_finite(); }

}  // namespace

TEST_CASE("under a causal mask only keys up to the query have an influence on it", "[padding]") {
  struct Sizes {
    std::int64_t queries, keys, position;
  };
  for (const DType dtype : {DType::f32, DType::f64})
    for (const Sizes& n :
         {Sizes{5, 5, 2}, {3, 7, 5}, {67, 131, 100}, {131, 131, 70}, {131, 131, 3}})
      for (const double garbage : {std::nan(""), std::numeric_limits<double>::infinity(), 1e30}) {
        INFO(n.queries << " queries, " << n.keys << " keys, " << garbage);
        const std::int64_t offset = n.keys - n.queries, first_to_see = n.position - offset;
        const auto run = [&](const std::vector<std::string>& spoilt, double value) {
          return causal_run(dtype, n.queries, n.keys, offset, spoilt, n.position, value);
        };
        const std::vector<std::vector<std::string>> all_spoilt = {
            {"key"}, {"value"}, {"key", "value"}};
        for (const auto& spoilt : all_spoilt) {
          const CausalRun clean = run(spoilt, 0), bad = run(spoilt, garbage);
          CHECK(rows_differ("context", clean.context, bad.context, 0, first_to_see) == "");
          CHECK(rows_differ("dquery", clean.dquery, bad.dquery, 0, first_to_see) == "");
          if (std::isnan(garbage)) CHECK(has_nan(bad.context, first_to_see));
        }
      }
}

TEST_CASE("under a causal mask a query has no influence on later keys", "[padding]") {
  for (const DType dtype : {DType::f32, DType::f64})
    for (const std::int64_t length : {5, 67, 131})
      for (const std::int64_t position : {std::int64_t{0}, length / 2, length - 2})
        for (const double garbage : {std::nan(""), std::numeric_limits<double>::infinity()})
          for (const char* spoilt : {"query", "dcontext"}) {
            INFO(spoilt << " " << position << " of " << length << " is " << garbage);
            const auto run = [&](double value) {
              return causal_run(dtype, length, length, 0, {spoilt}, position, value);
            };
            const CausalRun clean = run(0), bad = run(garbage);
            for (const auto& [what, a, b] : {std::tuple{"dkey", clean.dkey, bad.dkey},
                                             std::tuple{"dvalue", clean.dvalue, bad.dvalue}})
              CHECK(rows_differ(what, a, b, position + 1, length) == "");
            for (const auto& [first, last] :
                 {std::pair{std::int64_t{0}, position}, {position + 1, length}}) {
              CHECK(rows_differ("context", clean.context, bad.context, first, last) == "");
              CHECK(rows_differ("dquery", clean.dquery, bad.dquery, first, last) == "");
            }
            if (std::isnan(garbage)) CHECK(has_nan(bad.dquery, position));
          }
}

TEST_CASE("a query whose scores are all -infinity has context 0", "[padding]") {
  const double inf = std::numeric_limits<double>::infinity();
  Array key = Array::full({70, 1, 1}, -inf);
  const Array value = Array::full({70, 1, 1}, 3), query = Array::full({1, 1, 1}, 1);
  const auto run = [&] { return scaled_dot_product_attention_with_weights(query, key, value); };
  CHECK(run().context.item() == 0);
  CHECK(run().weights.value().to_vector() == std::vector<float>(70, 0));
  key.set(69, 0);  // in the second tile
  CHECK(run().context.item() == 3);
  CHECK(run().weights.value().at(69) == 1);
}

// Whole models

TEST_CASE("padding tokens have no influence on any model", "[padding]") {
  for (const EncoderDecoderOptions& options :
       {EncoderDecoderOptions{.cell = "gru", .attention = "additive", .layers = 2},
        {.cell = "lstm", .attention = "general", .dropout = 0.1},
        {.cell = "rnn_relu", .attention = "dot", .bidirectional = false},
        {.query = "current", .output_layer = "pointer"},
        {.output_layer = "pointer_generator"},
        {.query = "current", .input_feeding = true, .output_layer = "marginal"},
        {.residual = true, .layer_norm = true, .layers = 3},
        {.encoder = "convolutional", .layers = 2, .dropout = 0.1},
        {.model = "transformer", .layers = 2, .dropout = 0.1},
        {.model = "transformer", .positions = "rotary", .key_value_heads = 2},
        {.model = "transformer", .head_mixer = "talking", .attention_dropout = 0.2},
        {.model = "transformer",
        .head_mixer = "differential",
        .gated_attention = true,
        .attention_dropout = 0.2},
        {.model = "transformer", .sequence_mixer = "linear"},
        {.model = "transformer", .sequence_mixer = "delta_rule"},
        {.model = "transformer", .sequence_mixer = "delta_rule:keys=dpfp"},
        {.model = "transformer", .sequence_mixer = "retention"},
        {.model = "transformer", .sequence_mixer = "gated_delta"},
        {.model = "transformer", .sequence_mixer = "mamba"},
        {.model = "transformer", .positions = "alibi"},
        {.model = "transformer", .positions = "relative"},
        {.model = "transformer", .positions = "t5"},
        {.model = "transformer",
        .activation = "swiglu",
        .norm = "post",
        .norm_layer = "rms_norm",
        .tied_embeddings = "all"}}) {
    INFO(options.model << " " << options.encoder << " " << options.cell << " "
                       << options.output_layer << " " << options.positions << " "
                       << options.head_mixer << " " << options.sequence_mixer);
    EncoderDecoderOptions small = options;
    small.source_vocabulary = small.target_vocabulary = 11;
    small.embedding = 8, small.hidden = 5, small.feed_forward = 9;
    const auto run = [&](std::int32_t padding, double garbage) {
      fill_free_memory(garbage);
      seed(4);
      const auto model = make_model(small);
      const std::vector<Example> examples = {
          {{4, 5, 6, 7, 8}, {5, 6, 7}}, {{9}, {4}}, {{5, 6}, {9}}};
      Batch batch = make_batch(examples);
      std::vector<std::int32_t> ids = batch.source.ids.to_vector();
      for (std::size_t i = 0; i < ids.size(); ++i)
        if (beyond(batch.source.lengths, 1)(static_cast<std::int64_t>(i))) ids[i] = padding;
      batch.source.ids = Indices(ids, batch.source.ids.shape());
      std::vector<double> numbers;
      const auto take = [&](const Array& x) {
        for (std::int64_t i = 0; i < x.elements(); ++i) numbers.push_back(x.at(i));
      };
      const Tensor loss = model->loss(batch);
      take(loss.value());
      loss.backward();
      for (const Param& param : model->parameters()) take(param.value.grad());
      return numbers;
    };
    const std::vector<double> clean = run(0, 0);
    for (const std::int32_t padding : {0, 5, 10})
      for (const double garbage : {std::nan(""), 1e30})
        CHECK(difference(clean, run(padding, garbage)) == "");
  }
}

namespace {

// The loss and all gradients of a model where the vectors of <pad> hold `padding`, on a batch of
// targets of several lengths. Without teacher forcing the model's own choice is always <pad>, and
// all that counts comes before the first choice.
std::vector<double> loss_and_gradients(EncoderDecoderOptions options, double teacher_forcing,
                                       double padding) {
  options.source_vocabulary = options.target_vocabulary = 11;
  options.embedding = 8, options.hidden = 5, options.feed_forward = 9;
  fill_free_memory(padding);
  seed(4);
  const auto model = make_model(options);
  const std::vector<Example> examples = {
      {{4, 5, 6, 7, 8}, {5, 6, 7}}, {{9}, {}}, {{5, 6}, {9}}, {{4, 8, 8}, {6, 5}}};
  Batch batch = make_batch(examples);
  if (teacher_forcing < 1) {
    std::vector<std::int32_t> output = batch.target_output.to_vector();
    std::fill(output.begin() + 4, output.end(), kIgnore);
    output[2] = kIgnore;  // nothing of this target counts
    batch.target_output = Indices(output, batch.target_output.shape());
  }
  for (const Param& param : model->parameters()) {
    Array values = param.value.value();  // shares the parameter's memory
    if (param.name.ends_with("embedding.weight"))
      for (std::int64_t i = 0; i < 8; ++i) values.set(Vocabulary::pad * 8 + i, padding);
    if (teacher_forcing < 1 && param.name.ends_with("output.bias")) values.set(Vocabulary::pad, 50);
  }
  std::vector<double> numbers;
  const auto take = [&](const Array& x) {
    for (std::int64_t i = 0; i < x.elements(); ++i) numbers.push_back(x.at(i));
  };
  const Tensor loss = model->loss(batch, {.teacher_forcing = teacher_forcing});
  take(loss.value());
  loss.backward();
  for (const Param& param : model->parameters())
    if (param.value.grad().defined()) take(param.value.grad());
  return numbers;
}

std::string fault_of_pad_vector(const EncoderDecoderOptions& options, double teacher_forcing = 1) {
  for (const DType dtype : {DType::f32, DType::f64}) {
    const DefaultDType scope(dtype);
    const std::vector<double> clean = loss_and_gradients(options, teacher_forcing, 0);
    for (const double number : clean)
      if (!std::isfinite(number)) return "a number is not finite without garbage";
    for (const double garbage : {std::nan(""), std::numeric_limits<double>::infinity(), 1e30}) {
      const std::string found =
          difference(clean, loss_and_gradients(options, teacher_forcing, garbage));
      if (!found.empty()) return fmt::format("{} with {} in {}", found, garbage, name_of(dtype));
    }
  }
  return "";
}

}  // namespace

TEST_CASE("the vector of <pad> has no influence on a recurrent model", "[padding]") {
  std::vector<std::string> scores = score_names();
  scores.emplace_back("none");
  for (const std::string& cell : cell_names())
    for (const std::string& score : scores)
      for (const int layers : {1, 2})
        for (const double dropout : {0.0, 0.1}) {
          INFO(cell << ", " << score << ", " << layers << " layers, dropout " << dropout);
          const EncoderDecoderOptions options{
              .cell = cell, .attention = score, .layers = layers, .dropout = dropout};
          CHECK(fault_of_pad_vector(options) == "");
          CHECK(fault_of_pad_vector(options, /*teacher_forcing=*/0) == "");
        }
}

TEST_CASE("the vector of <pad> has no influence on a transformer", "[padding]") {
  for (const int layers : {1, 2})
    for (const double dropout : {0.0, 0.1}) {
      INFO(layers << " layers, dropout " << dropout);
      for (const std::string& mixer : sequence_mixer_names())
        CHECK(fault_of_pad_vector({.model = "transformer",
                                   .layers = layers,
                                   .dropout = dropout,
                                   .sequence_mixer = mixer}) == "");
    }
}

// NaN within a sequence is not hidden

TEST_CASE("a NaN within a sequence propagates through cells, activations and attention",
          "[padding]") {
  const double nan = std::nan("");
  for (const std::string& kind : cell_names()) {
    INFO(kind);
    const auto cell = make_cell(kind, 2, 3);
    const RecurrentState after = (*cell)(Tensor(Array::full({1, 2}, nan)), cell->initial_state(1));
    for (std::int64_t i = 0; i < 3; ++i) CHECK(std::isnan(after.h.value().at(i)));
    const Recurrent network(kind, 2, 3);
    Array x = Array::zeros({3, 1, 2});
    x.set(2, nan);
    const Array output = network(x, {3}).output.value();
    for (std::int64_t i = 0; i < 9; ++i) CHECK(std::isnan(output.at(i)) == (i >= 3));
  }
  const Tensor one(Array::full({1}, nan));
  for (const Tensor& y : {relu(one), leaky_relu(one, 0.1), leaky_relu(one, 0)})
    CHECK(std::isnan(y.item()));
  for (const std::string& score : score_names()) {
    if (score == "gaussian_mixture") continue;  // reads no keys
    INFO(score);
    const Attention attention(score, {.query_size = 2, .hidden = 3});
    Array keys = Array::zeros({3, 1, 2});
    keys.set(2, nan);
    const Array query = Array::full({1, 2}, 1);
    const auto context = [&](const Indices& lengths) {
      return attention.attend(query, attention.memorize(keys, lengths)).context.value();
    };
    CHECK(std::isnan(context({2}).at(0)));
    CHECK(std::isnan(context({}).at(1)));
    CHECK(context({1}).all_finite());
  }
}
