#include "layer_cases.h"

using namespace attune;

namespace {

TransformerOptions options(Size size, bool norm_first, bool modern = false) {
  return {.features = size == Size::small ? 6 : 66,
          .heads = 2,
          .feed_forward = 7,
          .activation = modern ? "swiglu" : "gelu",
          .dropout = 0,
          .norm_first = norm_first,
          .norm_layer = modern ? "rms_norm" : "layer_norm"};
}

LayerCase attention_case(const std::string& score) {
  LayerCase row{
      .name = "Attention, " + score,
      .inputs = {{"keys", {4, 3, 3}, {9, 67, 33}}, {"query", {3, 3}, {67, 33}}},
      .outputs = {"context", "weights"},
      .make =
          [score](Size size) {
            const std::int64_t features = size == Size::small ? 3 : 33;
            return made(Attention(score, {.query_size = features, .hidden = 5}),
                        [](const Attention& l, const Operands& x, const Indices& lengths) {
                          const Memory memory = l.memorize(x[0], lengths);
                          const auto first = l.attend(x[1], memory);
                          const auto found = l.attend(x[1], memory, first.next);
                          return Operands{found.context, found.weights};
                        });
          },
      .indices = "lengths",
      .bad_calls = {{"the memory is empty; memorize() first", [score] {
                       Attention(score, {.query_size = 3, .hidden = 5}).attend(of({2, 3}), {});
                     }}}};
  return row;
}

// Self-attention with positions, among whose parameters are theirs.
LayerCase positions_case(const std::string& name) {
  return {.name = "positional encoding, " + name,
          .inputs = {{"x", {5, 3, 6}, {67, 9, 66}}},
          .outputs = {"y"},
          .make =
              [name](Size size) {
                const std::int64_t features = size == Size::small ? 6 : 66;
                const auto positions =
                    make_positional_encoding(name, {.features = features, .heads = 2});
                return made(MultiHeadAttention(features, 2, {.positions = positions}),
                            [positions](const MultiHeadAttention& l, const Operands& x,
                                        const Indices& lengths) {
                              return Operands{l((*positions)(x[0]), lengths)};
                            });
              },
          .indices = "lengths"};
}

// Self-attention whose heads share keys, are gated, or affect each other.
LayerCase heads_case(const std::string& name, const MultiHeadAttentionOptions& options) {
  return {.name = "MultiHeadAttention, " + name,
          .inputs = {{"x", {5, 3, 8}, {67, 9, 64}}},
          .outputs = {"output"},
          .make =
              [options](Size size) {
                return made(
                    MultiHeadAttention(size == Size::small ? 8 : 64, 4, options),
                    [](const MultiHeadAttention& l, const Operands& x, const Indices& lengths) {
                      const GeneratorScope same{Generator(5)};
                      return Operands{l(x[0], lengths, Mask::window(2, 1))};
                    });
              },
          .indices = "lengths"};
}

TransformerOptions with_mixer(Size size, const std::string& mixer) {
  TransformerOptions options = ::options(size, /*norm_first=*/true);
  options.sequence_mixer = mixer;
  return options;
}

// A layer of an encoder with that in the place of self-attention.
LayerCase encoder_mixer_case(const std::string& mixer) {
  return {.name = "TransformerEncoderLayer, " + mixer,
          .inputs = {{"x", {4, 3, 6}, {67, 9, 66}}},
          .outputs = {"output"},
          .make =
              [=](Size size) {
                return made(TransformerEncoderLayer(with_mixer(size, mixer)),
                            [](const TransformerEncoderLayer& l, const Operands& x,
                               const Indices& lengths) { return Operands{l(x[0], lengths)}; });
              },
          .indices = "lengths"};
}

// A decoder of two such layers.
LayerCase decoder_mixer_case(const std::string& mixer) {
  return {.name = "TransformerDecoder, " + mixer,
          .inputs = {{"source", {4, 3, 6}, {33, 9, 66}}, {"x", {3, 3, 6}, {67, 9, 66}}},
          .outputs = {"output"},
          .make =
              [=](Size size) {
                return made(
                    TransformerDecoder(with_mixer(size, mixer), 2),
                    [](const TransformerDecoder& l, const Operands& x, const Indices& lengths) {
                      return Operands{l(x[1], l.memorize(x[0], lengths)).output};
                    });
              },
          .indices = "lengths"};
}

LayerCase encoder_case(bool norm_first, bool modern) {
  return {.name = std::string("TransformerEncoder") + (norm_first ? ", norm first" : "") +
                  (modern ? ", SwiGLU, RMSNorm" : ""),
          .inputs = {{"x", {4, 3, 6}, {67, 9, 66}}},
          .outputs = {"output"},
          .make =
              [=](Size size) {
                return made(TransformerEncoder(options(size, norm_first, modern), 2),
                            [](const TransformerEncoder& l, const Operands& x,
                               const Indices& lengths) { return Operands{l(x[0], lengths)}; });
              },
          .indices = "lengths",
          .bad_calls = {{"TransformerEncoder: 0 layers; expected at least 1",
                         [=] { TransformerEncoder(options(Size::small, norm_first), 0); }}}};
}

LayerCase decoder_case(bool norm_first, bool modern) {
  return {
      .name = std::string("TransformerDecoder") + (norm_first ? ", norm first" : "") +
              (modern ? ", SwiGLU, RMSNorm" : ""),
      .inputs = {{"source", {4, 3, 6}, {33, 9, 66}}, {"x", {3, 3, 6}, {67, 9, 66}}},
      .outputs = {"output"},
      .make =
          [=](Size size) {
            return made(TransformerDecoder(options(size, norm_first, modern), 2),
                        [](const TransformerDecoder& l, const Operands& x, const Indices& lengths) {
                          const auto found =
                              l(x[1], l.memorize(x[0], lengths), {}, {.weights = true});
                          return Operands{found.output, found.weights[0], found.weights[1]};
                        });
          },
      .indices = "lengths",
      .bad_calls = {{"TransformerDecoder: 0 memories of the source", [=] {
                       TransformerDecoder(options(Size::small, norm_first), 2)(of({3, 2, 6}), {});
                     }}}};
}

}  // namespace

std::vector<LayerCase> attention_layer_cases() {
  std::vector<LayerCase> cases;
  for (const std::string& score : score_names()) cases.push_back(attention_case(score));
  cases.push_back({.name = "MultiHeadAttention",
                   .inputs = {{"x", {5, 3, 6}, {67, 9, 66}}},
                   .outputs = {"output"},
                   .make =
                       [](Size size) {
                         return made(
                             MultiHeadAttention(size == Size::small ? 6 : 66, 3),
                             [](const MultiHeadAttention& l, const Operands& x,
                                const Indices& lengths) { return Operands{l(x[0], lengths)}; });
                       },
                   .indices = "lengths",
                   .bad_calls = {{"6 features cannot be divided among 4 heads",
                                  [] { MultiHeadAttention(6, 4); }}}});
  cases.push_back(heads_case("shared keys", {.key_value_heads = 2}));
  cases.push_back(heads_case("gated", {.gated = true}));
  cases.push_back(heads_case("dropout", {.key_value_heads = 1, .dropout = 0.3}));
  for (const std::string& name : head_mixer_names())
    cases.push_back(heads_case(name, {.key_value_heads = 2, .mixer = name, .dropout = 0.2}));
  for (const std::string& name : positional_encoding_names()) cases.push_back(positions_case(name));
  for (const bool norm_first : {false, true})
    for (const bool modern : {false, true}) {
      cases.push_back(encoder_case(norm_first, modern));
      cases.push_back(decoder_case(norm_first, modern));
    }
  std::vector<std::string> mixers = sequence_mixer_names();
  mixers.erase(mixers.begin());  // attention, as above
  mixers.emplace_back("delta_rule:keys=dpfp,nu=2");
  for (const std::string& mixer : mixers) {
    cases.push_back(encoder_mixer_case(mixer));
    cases.push_back(decoder_mixer_case(mixer));
  }
  return cases;
}
