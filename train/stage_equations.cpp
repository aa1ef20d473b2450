#include "attune/train/stage_equations.h"

#include <utility>

#include "attune/layers/recurrent_cell.h"
#include "attune/models/all.h"

namespace attune {
namespace {

constexpr const char* kBahdanau = "Bahdanau et al. 2015, sec. 3.1";
constexpr const char* kLuong = "Luong et al. 2015, sec. 3";
constexpr const char* kVaswani = "Vaswani et al. 2017, sec. 3.2.2";

bool is_named(const std::string& choice, std::string_view name) {
  return choice.substr(0, choice.find(':')) == name;
}

// The formula of a member that is chosen by name, below `left`. The defaults of its own options,
// behind a semicolon, are replaced by the options that were given.
template <typename Maker>
Equation equation_of(const std::string& left, const Family<Maker>& family,
                     const std::string& choice) {
  const std::size_t colon = choice.find(':');
  const auto& member = family.at(choice.substr(0, colon));
  std::string formula = member.summary;
  if (colon != std::string::npos)
    formula = fmt::format("{}; {}", formula.substr(0, formula.find(';')), choice.substr(colon + 1));
  return {left + formula, member.source};
}

bool has_transformer_decoder(const EncoderDecoderOptions& model) {
  return is_named(model.decoder_name(), "transformer");
}

bool has_recurrent_decoder(const EncoderDecoderOptions& model) {
  return is_named(model.decoder_name(), "recurrent");
}

bool has_projections(const EncoderDecoderOptions& model) {
  return has_transformer_decoder(model) || model.head_count() > 1;
}

// Self-attention, or what has its place.
Equation self_attention_of(const EncoderDecoderOptions& model) {
  return equation_of("in each layer ", sequence_mixers(), model.sequence_mixer);
}

std::string layers_of(const EncoderDecoderOptions& model) {
  return model.layer_count() > 1 ? fmt::format(", {} layers", model.layer_count()) : "";
}

std::vector<Equation> encode(const EncoderDecoderOptions& model) {
  const std::string& name = model.encoder_name();
  if (!is_named(name, "recurrent")) {
    std::vector<Equation> all = {
        equation_of(fmt::format("h_0 ... h_n = {}(x_0 ... x_n){}: ", name, layers_of(model)),
                    encoders(), name)};
    if (is_named(name, "transformer")) all.push_back(self_attention_of(model));
    return all;
  }
  return {{fmt::format("h_s = {}(x_s, h_{{s-1}}){}, x_s embedded{}{}", model.cell,
                       model.embedding_residual ? " + W x_s" : "",
                       model.bidirectional ? ", in both directions" : "", layers_of(model)),
           encoders().at("recurrent").source},
          equation_of(model.cell + ": ", cells(), model.cell)};
}

std::vector<Equation> query(const EncoderDecoderOptions& model) {
  if (has_transformer_decoder(model))
    return {{model.norm == "pre" ? "q_t = W_q norm(x_t) + b_q, x_t after self-attention"
                                 : "q_t = W_q x_t + b_q, x_t after self-attention",
             kVaswani},
            self_attention_of(model)};
  const bool is_current = model.query == "current";
  const char* const state = is_current ? "s_t" : "s_{t-1}";
  return {{has_projections(model) ? fmt::format("q_t = W_q {} + b_q", state)
                                  : fmt::format("q_t = {}", state),
           is_current ? kLuong : kBahdanau}};
}

std::vector<Equation> keys_and_values(const EncoderDecoderOptions& model, bool keys_are_states) {
  if (!has_projections(model)) {
    if (keys_are_states) return {{"k_s = v_s = h_s", kBahdanau}};
    return {{"k_s = project_keys(h_s), the part of the score without the query; v_s = h_s",
             "Bahdanau et al. 2015, A.1.2"}};
  }
  const char* const keys =
      has_transformer_decoder(model) ? "k_s = W_k h_s + b_k" : "k_s = project_keys(W_k h_s + b_k)";
  return {{fmt::format("{}; v_s = W_v h_s + b_v", keys), kVaswani}};
}

std::vector<Equation> score(const EncoderDecoderOptions& model) {
  const bool is_recurrent = has_recurrent_decoder(model);
  std::vector<Equation> all = {
      equation_of("e_s = ", attention_scores(), is_recurrent ? model.attention : "scaled_dot")};
  all.front().formula += ", with the key h and the query y";
  if (!is_recurrent && model.head_mixer != "none")
    all.push_back(equation_of("heads: ", head_mixers(), model.head_mixer));
  return all;
}

std::vector<Equation> weights(const EncoderDecoderOptions& model) {
  const bool is_recurrent = has_recurrent_decoder(model);
  std::vector<Equation> all = {
      equation_of("a_s = ", normalizers(), is_recurrent ? model.normalizer : "softmax")};
  if (is_recurrent && !is_named(model.locality, "global"))
    all.push_back(equation_of("over ", localities(), model.locality));
  return all;
}

std::vector<Equation> context(const EncoderDecoderOptions& model) {
  if (!has_projections(model)) return {{"c_t = z_t", "Bahdanau et al. 2015, eq. 5"}};
  if (model.gated_attention && has_transformer_decoder(model))
    return {
        {"c_t = W_o ([z_1 ; ... ; z_H] * sigmoid(W_g x_t)) + b_o", "Qiu et al. 2025, sec. 2.2"}};
  return {{"c_t = W_o [z_1 ; ... ; z_H] + b_o, of all heads", kVaswani}};
}

std::vector<Equation> combine(const EncoderDecoderOptions& model) {
  if (has_transformer_decoder(model)) {
    if (model.norm == "pre")
      return {{"x_t = x_t + c_t; x_t = x_t + feed_forward(norm(x_t))", "Xiong et al. 2020"},
              {"p(y_t) = softmax(W norm(x_t) + b), after the last layer", "Vaswani et al. 2017"}};
    return {{"x_t = norm(x_t + c_t); x_t = norm(x_t + feed_forward(x_t))", "Vaswani et al. 2017"},
            {"p(y_t) = softmax(W x_t + b), after the last layer", "Vaswani et al. 2017"}};
  }
  if (!has_recurrent_decoder(model))
    return {equation_of("p(y_t): ", decoders(), model.decoder_name())};
  Equation output = equation_of("p(y_t) = ", output_layers(), model.output_layer);
  if (model.query != "current")
    return {{fmt::format("s_t = {}([y_{{t-1}} ; c_t], s_{{t-1}}), y_{{t-1}} embedded{}", model.cell,
                         layers_of(model)),
             kBahdanau},
            std::move(output)};
  constexpr std::string_view kBoth = "[s ; c]";
  if (const std::size_t at = output.formula.find(kBoth); at != std::string::npos)
    output.formula.replace(at, kBoth.size(), "c~_t");
  return {{fmt::format("s_t = {}({}, s_{{t-1}}), y_{{t-1}} embedded{}", model.cell,
                       model.input_feeding ? "[y_{t-1} ; c~_{t-1}]" : "y_{t-1}", layers_of(model)),
           kLuong},
          {"c~_t = tanh(W_c [s_t ; c_t] + b_c)", "Luong et al. 2015, eq. 5"},
          std::move(output)};
}

}  // namespace

std::vector<Equation> equations_of(AttentionStage stage, const EncoderDecoderOptions& model,
                                   bool keys_are_states) {
  switch (stage) {
    case AttentionStage::encode:
      return encode(model);
    case AttentionStage::query:
      return query(model);
    case AttentionStage::keys_and_values:
      return keys_and_values(model, keys_are_states);
    case AttentionStage::score:
      return score(model);
    case AttentionStage::weights:
      return weights(model);
    case AttentionStage::weighted_sum:
      return {{"z_t = sum_s a_s v_s", "Bahdanau et al. 2015, eq. 5"}};
    case AttentionStage::context:
      return context(model);
    case AttentionStage::combine:
      return combine(model);
    case AttentionStage::repeat:
      break;
  }
  if (!has_transformer_decoder(model)) return {{"t = t + 1, with y_t and s_t", ""}};
  return {{model.sequence_mixer == "attention"
               ? "t = t + 1, with y_t, and keys and values of the target so far"
               : "t = t + 1, with y_t, and the mixer's state S_t of the target so far",
           ""}};
}

std::string description_of(const EncoderDecoderOptions& model) {
  std::string text =
      model.encoder_name() == model.decoder_name()
          ? model.encoder_name()
          : fmt::format("{} encoder, {} decoder", model.encoder_name(), model.decoder_name());
  if (has_recurrent_decoder(model)) {
    text += fmt::format(" ({}), {} score, {}", model.cell, model.attention, model.normalizer);
    if (!is_named(model.locality, "global")) text += fmt::format(", {}", model.locality);
    if (!is_named(model.output_layer, "linear")) text += fmt::format(", {}", model.output_layer);
  } else {
    text += ", scaled_dot score, softmax";
    if (model.head_mixer != "none") text += fmt::format(", {} heads", model.head_mixer);
    if (model.sequence_mixer != "attention") text += fmt::format(", {}", model.sequence_mixer);
  }
  return text;
}

}  // namespace attune
