#include "attune/search/forced_decoding.h"

#include <algorithm>

#include "attune/autograd/ops/reductions.h"
#include "attune/autograd/ops/shaping.h"
#include "attune/autograd/scopes.h"
#include "attune/data/vocabulary.h"

namespace attune {
namespace {

// The examples as a batch. A language model does not use sources, but a batch needs them.
Batch batch_of(const Seq2Seq& model, std::span<const Example> examples) {
  if (model.has_encoder()) return make_batch(examples);
  std::vector<Example> targets;
  for (const Example& example : examples) targets.push_back({{Vocabulary::end}, example.target});
  return make_batch(targets);
}

// Reads the probabilities of targets [T, B] from logits [T, B, V].
void add_probabilities(const Tensor& logits, const Indices& targets,
                       std::span<TargetProbability> found) {
  const Tensor log_sums = logsumexp(logits, -1);  // [T, B]
  const std::int64_t batch = logits.size(1), vocabulary = logits.size(2);
  dispatch(logits.dtype(), [&](auto type) {
    using T = decltype(type);
    const T *logit = logits.value().data<T>(), *log_sum = log_sums.value().data<T>();
    for (std::int64_t i = 0; i < targets.elements(); ++i) {
      const std::int32_t token = targets.at(i);
      if (token == kIgnore) continue;  // beyond the end of the target
      ATTUNE_CHECK(token >= 0 && token < vocabulary,
                   "forced_decoding: token {} is outside of the vocabulary of {}", token,
                   vocabulary);
      TargetProbability& target = found[static_cast<std::size_t>(i % batch)];
      target.tokens.push_back(static_cast<double>(logit[i * vocabulary + token] - log_sum[i]));
      target.sum += target.tokens.back();
    }
  });
}

}  // namespace

std::vector<TargetProbability> forced_decoding(const Seq2Seq& model,
                                               std::span<const Example> examples, int batch_size) {
  ATTUNE_CHECK(batch_size >= 1, "forced_decoding: batch size {}; expected at least 1", batch_size);
  const NoGrad no_grad;
  const Eval eval;
  std::vector<TargetProbability> found(examples.size());
  const auto size = static_cast<std::size_t>(batch_size);
  for (std::size_t first = 0; first < examples.size(); first += size) {
    const Batch batch =
        batch_of(model, examples.subspan(first, std::min(size, examples.size() - first)));
    add_probabilities(model(batch), batch.target_output, std::span(found).subspan(first));
  }
  return found;
}

std::vector<Tensor> attention_weights(const Seq2Seq& model, const Example& example) {
  ATTUNE_CHECK(model.has_encoder(),
               "attention_weights: a language model has no source to attend to");
  const NoGrad no_grad;
  const Eval eval;
  const Decoder& decoder = model.decoder();
  DecoderState state = decoder.start(model.encode(make_sources({&example.source, 1})));
  std::vector<std::vector<Tensor>> steps;  // of each layer: [H, S] of each step
  std::int32_t previous = Vocabulary::start;
  for (const int token : example.target) {
    const Prediction next = decoder.predict({previous}, state);
    steps.resize(next.weights.size());
    for (std::size_t layer = 0; layer < steps.size(); ++layer)
      steps[layer].push_back(next.weights[layer][0]);
    previous = token;
  }
  std::vector<Tensor> weights;
  for (const std::vector<Tensor>& layer : steps) weights.push_back(stack(layer, 1));
  return weights;
}

}  // namespace attune
