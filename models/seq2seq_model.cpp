#include "attune/models/seq2seq_model.h"

#include <algorithm>
#include <functional>

#include "attune/autograd/array/lookup.h"
#include "attune/autograd/ops/losses.h"
#include "attune/autograd/ops/reductions.h"
#include "attune/models/encoder_decoder.h"
#include "attune/models/transformer.h"

namespace attune {

Tensor Seq2SeqModel::loss(const Batch& batch, double teacher_forcing) const {
  return cross_entropy((*this)(batch, teacher_forcing), batch.target_output);
}

double token_accuracy(const Tensor& logits, const Indices& targets) {
  const Indices chosen = argmax(logits);
  ATTUNE_CHECK(chosen.shape() == targets.shape(),
               "token_accuracy: logits {} do not fit targets {}; expected [..., V] and [...]",
               logits.shape(), targets.shape());
  std::int64_t count = 0, right = 0;
  for (std::int64_t i = 0; i < targets.elements(); ++i) {
    count += targets.at(i) != kIgnore;
    right += targets.at(i) == chosen.at(i);
  }
  return static_cast<double>(right) / static_cast<double>(std::max<std::int64_t>(1, count));
}

// The choice by name

namespace {

using ModelMaker = std::function<std::shared_ptr<Seq2SeqModel>(const EncoderDecoderOptions&)>;

template <typename Model>
std::shared_ptr<Seq2SeqModel> make(const EncoderDecoderOptions& options) {
  return std::make_shared<Model>(options);
}

const NameTable<ModelMaker>& table() {
  static const NameTable<ModelMaker> models = {
      {"recurrent", make<EncoderDecoder>},
      {"transformer", make<Transformer>},
  };
  return models;
}

}  // namespace

std::shared_ptr<Seq2SeqModel> make_model(const EncoderDecoderOptions& options) {
  return look_up(table(), options.model, "model")(options);
}

std::vector<std::string> model_names() { return names_of(table()); }

}  // namespace attune
