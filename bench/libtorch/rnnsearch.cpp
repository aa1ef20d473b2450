#include "train.h"

namespace {

using torch::Tensor;
namespace nn = torch::nn;

struct RnnSearch : nn::Module {
  explicit RnnSearch(const bench::RnnSearchSizes& n)
      : source_embedding(n.vocabulary, n.embedding),
        target_embedding(n.vocabulary, n.embedding),
        encoder(n.embedding, n.hidden),
        cell(n.embedding + n.hidden, n.hidden),
        key(nn::LinearOptions(n.hidden, n.attention).bias(false)),
        query(nn::LinearOptions(n.hidden, n.attention).bias(false)),
        output(2 * n.hidden, n.vocabulary),
        v(torch::empty(n.attention).uniform_(-0.1, 0.1)) {
    register_module("source_embedding", source_embedding);
    register_module("target_embedding", target_embedding);
    register_module("encoder", encoder);
    register_module("cell", cell);
    register_module("key", key);
    register_module("query", query);
    register_module("output", output);
    register_parameter("v", v);
  }

  // source [S, B], target_input [T, B] -> logits [T, B, V]
  Tensor forward(const Tensor& source, const Tensor& target_input) {
    auto [encoded, last] = encoder(source_embedding(source));
    const Tensor values = encoded.transpose(0, 1).contiguous();  // [B, S, H]
    const Tensor keys = key(values);
    Tensor state = last[0];
    std::vector<Tensor> steps;
    // The gradient of unbind is one stack; indexing embedded[t] would zero an array per step.
    for (const Tensor& token : target_embedding(target_input).unbind(0)) {
      const Tensor scores = torch::tanh(keys + query(state).unsqueeze(1)).matmul(v);  // [B, S]
      const Tensor weights = scores.softmax(1).unsqueeze(1);
      const Tensor context = weights.bmm(values).squeeze(1);
      state = cell(torch::cat({token, context}, 1), state);
      steps.push_back(torch::cat({state, context}, 1));
    }
    return output(torch::stack(steps));
  }

  nn::Embedding source_embedding, target_embedding;
  nn::GRU encoder;
  nn::GRUCell cell;
  nn::Linear key, query, output;
  Tensor v;
};

}  // namespace

bench::Workload rnnsearch(const bench::RnnSearchSizes& n) { return train<RnnSearch>(n); }
