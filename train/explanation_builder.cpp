#include "attune/train/explanation_builder.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "attune/train/stage_equations.h"

namespace attune {
namespace {

constexpr int kOthers = 4;  // probable tokens beside the one that is written

std::vector<double> doubles(const Tensor& values) { return values.value().to_vector<double>(); }

// The path of the layer around an attention.
std::string layer_of(const std::string& attention) {
  const std::size_t dot = attention.rfind('.');
  return attention.substr(0, dot == attention.npos ? 0 : dot);
}

}  // namespace

ExplanationBuilder::ExplanationBuilder(const Run& run, const std::string& line,
                                       const std::vector<int>& source, std::vector<int> written,
                                       std::vector<std::string> attentions, HeadPlace of)
    : run_(run),
      words_(words_of(run, line)),
      written_(std::move(written)),
      attentions_(std::move(attentions)),
      of_(std::move(of)) {
  for (const int id : source) source_.push_back(utf8::visible(words_.source_token(id)));
  for (const int id : written_) target_.push_back(label(id));
}

std::string ExplanationBuilder::label(int target_id) const {
  return utf8::visible(words_.target_token(target_id));
}

ExplainedStage ExplanationBuilder::stage(AttentionStage stage) const {
  return {.stage = stage,
          .equations = equations_of(stage, run_.config.model, keys_are_states_),
          .numbers = {},
          .note = {}};
}

void ExplanationBuilder::add_vector(ExplainedStage& to, const StageValues& values,
                                    const char* symbol, const std::string& shown,
                                    const Part& part) const {
  add_rows(to, values, symbol, shown, {}, part);
}

void ExplanationBuilder::add_rows(ExplainedStage& to, const StageValues& values, const char* symbol,
                                  const std::string& shown, const std::vector<std::string>& rows,
                                  const Part& part) const {
  const Tensor found = values.find(of_, to.stage, symbol);
  if (!found.defined()) return;
  ExplainedNumbers numbers{.symbol = shown,
                           .rows = rows,
                           .columns = {},
                           .values = {},
                           .is_weight = false,
                           .places = values.places(of_, to.stage, symbol)};
  const std::vector<double> all = doubles(found);
  const auto count = static_cast<std::int64_t>(numbers.row_count());
  for (std::int64_t row = 0; row < count; ++row) {
    const std::vector<double> of_row = part_of(part_of(all, {count, row}), part);
    numbers.values.insert(numbers.values.end(), of_row.begin(), of_row.end());
  }
  to.numbers.push_back(std::move(numbers));
}

// A number for each source token, or two: [2, H, S] of a pair of scores, or [1, 2 H, 1, S] of heads
// with two halves.
void ExplanationBuilder::add_columns(ExplainedStage& to, const StageValues& values,
                                     const char* symbol, const std::string& shown,
                                     bool is_weight) const {
  const Tensor found = values.find(of_, to.stage, symbol);
  if (!found.defined()) return;
  const std::vector<double> all = doubles(found);
  const auto rows = std::ssize(all) / (of_.own.count * std::ssize(source_));
  for (std::int64_t row = 0; row < rows; ++row)
    to.numbers.push_back({.symbol = row == 0 ? shown : fmt::format("{}'", shown),
                          .rows = {},
                          .columns = source_,
                          .values = found.rank() == 4 ? part_of(part_of(all, of_.own), {rows, row})
                                                      : part_of(part_of(all, {rows, row}), of_.own),
                          .is_weight = is_weight,
                          .places = values.places(of_, to.stage, symbol)});
}

std::vector<ExplainedStage> ExplanationBuilder::preparation(const StageValues& values) {
  const Tensor keys = values.find(of_, AttentionStage::keys_and_values, "k"),
               states = values.find(of_, AttentionStage::keys_and_values, "v");
  keys_are_states_ = keys.shape() == states.shape() && doubles(keys) == doubles(states);
  ExplainedStage encoded = stage(AttentionStage::encode);
  add_encoder_attention(encoded, values);
  add_rows(encoded, values, "h", "h_s", source_);
  ExplainedStage memory = stage(AttentionStage::keys_and_values);
  add_rows(memory, values, "k", "k_s", source_, of_.shared);
  if (!keys_are_states_) add_rows(memory, values, "v", "v_s", source_, of_.shared);
  return {std::move(encoded), std::move(memory)};
}

// What each source token attends to in the last layer of a Transformer encoder.
void ExplanationBuilder::add_encoder_attention(ExplainedStage& to,
                                               const StageValues& values) const {
  HeadPlace self = of_;
  self.attention = values.last_self_attention("encoder");
  if (self.attention.empty()) return;
  ExplainedNumbers numbers{.symbol = "self-attention",
                           .rows = source_,
                           .columns = source_,
                           .values = {},
                           .is_weight = true,
                           .places = values.places(self, AttentionStage::weights, "a")};
  for (const auto& of_query : values.weights(self.attention, std::ssize(source_))) {
    const std::int64_t heads = std::ssize(of_query) / std::ssize(source_);
    const std::vector<double> of_head =
        part_of(of_query, {heads, std::min(self.own.index, heads - 1)});
    numbers.values.insert(numbers.values.end(), of_head.begin(), of_head.end());
  }
  to.numbers.push_back(std::move(numbers));
}

// What the newest position of the target attends to before it attends to the source.
void ExplanationBuilder::add_decoder_attention(ExplainedStage& to, const StageValues& values,
                                               std::size_t index) const {
  HeadPlace self = of_;
  self.attention = values.last_self_attention(layer_of(of_.attention));
  if (self.attention.empty()) return;
  std::vector<std::string> seen = {label(Vocabulary::start)};
  seen.insert(seen.end(), target_.begin(), target_.begin() + static_cast<std::ptrdiff_t>(index));
  to.numbers.push_back({.symbol = "self-attention",
                        .rows = {},
                        .columns = std::move(seen),
                        .values = part_of(values.weights(self.attention).back(), self.own),
                        .is_weight = true,
                        .places = values.places(self, AttentionStage::weights, "a")});
}

ExplainedStage ExplanationBuilder::query(const StageValues& values, std::size_t index) const {
  ExplainedStage query = stage(AttentionStage::query);
  add_decoder_attention(query, values, index);
  const bool is_current = run_.config.model.query == "current";
  add_vector(query, values, "x", "x_t");
  add_vector(query, values, "s", is_current ? "s_t" : "s_{t-1}");
  add_vector(query, values, "q", "q_t", of_.own);
  return query;
}

ExplainedStage ExplanationBuilder::score(const StageValues& values) const {
  ExplainedStage score = stage(AttentionStage::score);
  add_columns(score, values, "e", "e_s");
  return score;
}

ExplainedStage ExplanationBuilder::weights(const StageValues& values) const {
  ExplainedStage weights = stage(AttentionStage::weights);
  const Tensor position = values.find(of_, AttentionStage::weights, "p");
  if (position.defined() && position.value().elements() == of_.own.count)
    add_vector(weights, values, "p", "p_t", of_.own);  // of local attention
  else
    add_columns(weights, values, "p", "p_s", /*is_weight=*/true);
  add_columns(weights, values, "g", "g_s", /*is_weight=*/true);
  add_columns(weights, values, "halves", "softmax", /*is_weight=*/true);
  add_columns(weights, values, "a", "a_s", /*is_weight=*/true);
  add_all_heads(weights, values);
  return weights;
}

void ExplanationBuilder::add_all_heads(ExplainedStage& to, const StageValues& values) const {
  ExplainedNumbers numbers{.symbol = "all heads",
                           .rows = {},
                           .columns = source_,
                           .values = {},
                           .is_weight = true,
                           .places = {}};
  for (std::size_t layer = 0; layer < attentions_.size(); ++layer) {
    const std::vector<double> of_layer = values.weights(attentions_[layer]).back();
    const auto heads = of_layer.size() / source_.size();
    for (std::size_t head = 0; head < heads; ++head)
      numbers.rows.push_back(attentions_.size() > 1
                                 ? fmt::format("layer {}, head {}", layer + 1, head + 1)
                                 : fmt::format("head {}", head + 1));
    numbers.values.insert(numbers.values.end(), of_layer.begin(), of_layer.end());
  }
  if (numbers.rows.size() > 1) to.numbers.push_back(std::move(numbers));
}

ExplainedStage ExplanationBuilder::combine(const DecodedStep& decoded, const ExplainedStep& step,
                                           const std::vector<int>& candidates) const {
  ExplainedStage combine = stage(AttentionStage::combine);
  const StageValues& values = decoded.values;
  add_vector(combine, values, "s", "s_t");
  add_vector(combine, values, "[s ; c]", "[s_t ; c_t]");
  add_vector(combine, values, "c~", "c~_t");
  add_vector(combine, values, "x + c", "x_t, with c_t");
  add_vector(combine, values, "x", "x_t, with feed_forward");
  add_output(combine, decoded, step, candidates);
  return combine;
}

// The logits and probabilities of the most probable tokens.
void ExplanationBuilder::add_output(ExplainedStage& to, const DecodedStep& decoded,
                                    const ExplainedStep& step,
                                    const std::vector<int>& candidates) const {
  ExplainedNumbers logits{.symbol = "logits",
                          .rows = {},
                          .columns = {},
                          .values = {},
                          .is_weight = false,
                          .places = decoded.values.places(of_, AttentionStage::combine, "logits")};
  const std::vector<double> all = decoded.next.logits(0);
  for (const int id : candidates) {
    logits.columns.push_back(label(id));
    logits.values.push_back(all[static_cast<std::size_t>(id)]);
  }
  ExplainedNumbers probabilities{.symbol = "p(y_t)",
                                 .rows = {},
                                 .columns = logits.columns,
                                 .values = {step.chosen.probability},
                                 .is_weight = true,
                                 .places = {}};
  for (const ExplainedToken& other : step.others) probabilities.values.push_back(other.probability);
  to.numbers.push_back(std::move(logits));
  to.numbers.push_back(std::move(probabilities));
}

ExplainedStage ExplanationBuilder::repeat(const StageValues& values, std::size_t index) const {
  ExplainedStage repeat = stage(AttentionStage::repeat);
  add_vector(repeat, values, "s", "s_t");
  add_columns(repeat, values, "coverage", "coverage");
  const Tensor position = values.find(of_, AttentionStage::repeat, "position");
  if (position.defined() && position.value().elements() == of_.own.count * std::ssize(source_))
    add_columns(repeat, values, "position", "position", /*is_weight=*/true);
  else
    add_vector(repeat, values, "position", "position", of_.own);
  add_vector(repeat, values, "S", "S_t");
  if (const Tensor keys = values.find(of_, AttentionStage::repeat, "k"); keys.defined())
    repeat.numbers.push_back(
        {.symbol = "k_t",
         .rows = {},
         .columns = {},
         .values = part_of(part_of(doubles(keys), {keys.size(0), keys.size(0) - 1}), of_.shared),
         .is_weight = false,
         .places = values.places(of_, AttentionStage::repeat, "k")});
  if (index + 1 < written_.size())
    repeat.note = fmt::format("step {} reads y_t", index + 2);
  else
    repeat.note = written_.back() == Vocabulary::end
                      ? "y_t ends the target"
                      : "the target is cut here, at its longest, without an end";
  return repeat;
}

ExplainedStep ExplanationBuilder::step(const DecodedStep& decoded, std::size_t index) const {
  const auto token = [&](int id) {
    return ExplainedToken{label(id), std::exp(decoded.next.log_probability(0, id))};
  };
  const int chosen = written_[index];
  ExplainedStep step{.number = static_cast<int>(index) + 1,
                     .previous = label(index == 0 ? Vocabulary::start : written_[index - 1]),
                     .chosen = token(chosen),
                     .others = {},
                     .stages = {}};
  std::vector<int> candidates = {chosen};
  for (const int id : decoded.next.most_probable(0, kOthers + 1))
    if (id != chosen && candidates.size() <= kOthers) candidates.push_back(id);
  for (std::size_t i = 1; i < candidates.size(); ++i) step.others.push_back(token(candidates[i]));

  const StageValues& values = decoded.values;
  ExplainedStage sum = stage(AttentionStage::weighted_sum),
                 context = stage(AttentionStage::context);
  add_vector(sum, values, "z", "z_t", of_.own);
  add_vector(context, values, "c", "c_t");
  step.stages = {query(values, index), score(values),      weights(values),
                 std::move(sum),       std::move(context), combine(decoded, step, candidates),
                 repeat(values, index)};
  return step;
}

}  // namespace attune
