#include "layer_cases.h"

using namespace attune;

const std::vector<LayerCase>& layer_cases() {
  static const std::vector<LayerCase> all = [] {
    std::vector<LayerCase> cases;
    for (const auto& family :
         {plain_layer_cases(), recurrent_layer_cases(), attention_layer_cases()})
      cases.insert(cases.end(), family.begin(), family.end());
    return cases;
  }();
  return all;
}

namespace {

LayerCase softmax_case(const std::string& axis_name, int axis) {
  return {.name = "Softmax over " + axis_name,
          .inputs = {{"x", {3, 4, 5}, {67, 9, 131}}},
          .outputs = {"y", "log"},
          .make =
              [axis](Size) {
                return made(Softmax(axis),
                            [axis](const Softmax& l, const Operands& x, const Indices&) {
                              return Operands{l(x[0]), log_softmax(x[0], axis)};
                            });
              },
          .golden = {{"layers", "softmax over " + axis_name}},
          .bad_calls = {{"softmax: axis 2", [] {
                           Softmax(2)(of({3, 4}));
                         }}}};
}

}  // namespace

std::vector<LayerCase> plain_layer_cases() {
  const auto x = [](const Shape& small, const Shape& large) {
    return std::vector<LayerInput>{{"x", small, large}};
  };
  std::vector<LayerCase> cases = {
      {.name = "Linear",
       .inputs = x({3, 5, 4}, {33, 7, 129}),
       .outputs = {"y"},
       .make = [](Size size) { return made(size == Size::small ? Linear(4, 3) : Linear(129, 65)); },
       .golden = {{"layers", "linear"}},
       .bad_calls = {{"'weight' cannot have shape [3, 0]", [] { Linear(0, 3); }},
                     {"linear: ",
                      [] {
                        Linear(4, 3)(of({2, 5}));
                      }}}},
      {.name = "Linear without bias",
       .inputs = x({7, 4}, {231, 129}),
       .outputs = {"y"},
       .make =
           [](Size size) {
             return made(size == Size::small ? Linear(4, 3, false) : Linear(129, 65, false));
           },
       .golden = {{"layers", "linear without bias"}}},
      {.name = "Embedding",
       .inputs = {},
       .outputs = {"y"},
       .make =
           [](Size size) {
             return made(size == Size::small ? Embedding(7, 3) : Embedding(7, 333),
                         [](const Embedding& l, const Operands&, const Indices& ids) {
                           return Operands{l(ids)};
                         });
           },
       .indices = "ids",
       .vocabulary = 7,
       .golden = {{"layers", "embedding"}},
       .bad_calls = {{"[0, 3]", [] { Embedding(0, 3); }},
                     {"embedding: id 7",
                      [] {
                        Embedding(7, 3)({1, 7});
                      }}}},
      {.name = "LayerNorm",
       .inputs = x({3, 2, 5}, {67, 5, 65}),
       .outputs = {"y"},
       .make = [](Size size) { return made(LayerNorm(size == Size::small ? 5 : 65)); },
       .golden = {{"layers", "layer norm"}},
       .bad_calls = {{"layer_norm: ",
                      [] {
                        LayerNorm(5)(of({3, 4}));
                      }}}},
      {.name = "RMSNorm",
       .inputs = x({3, 2, 5}, {67, 5, 65}),
       .outputs = {"y"},
       .make = [](Size size) { return made(RMSNorm(size == Size::small ? 5 : 65)); },
       .bad_calls =
           {{"rms_norm: ",
             [] {
               RMSNorm(5)(of({3, 4}));
             }},
            {"normalisation layer: 'batch_norm' is unknown; known are layer_norm, rms_norm",
             [] { make_norm_layer("batch_norm", 3); }}}},
      softmax_case("the last axis", -1),
      softmax_case("the first axis", 0),
      softmax_case("a middle axis", 1),
      {.name = "Dropout",
       .inputs = x({4, 3}, {67, 1031}),
       .outputs = {"y"},
       .make =
           [](Size) {
             return made(Dropout(0.3), [](const Dropout& l, const Operands& x, const Indices&) {
               const GeneratorScope same{Generator(5)};  // the same mask every time
               return Operands{l(x[0])};
             });
           },
       .bad_calls = {{"Dropout: probability 1 is outside [0, 1)", [] { Dropout(1); }}}},
      {.name = "Sequential",
       .inputs = x({5, 3}, {231, 65}),
       .outputs = {"y"},
       .make =
           [](Size size) {
             const std::int64_t in = size == Size::small ? 3 : 65;
             return made(Sequential(Linear(in, 4), make_activation("tanh"), LayerNorm(4)));
           },
       .bad_calls = {{"linear: ",
                      [] {
                        Sequential(Linear(3, 4))(of({2, 2}));
                      }}}},
  };
  for (const std::string& name : feed_forward_activation_names())
    cases.push_back(
        {.name = "FeedForward with " + name,
         .inputs = x({3, 3}, {231, 65}),
         .outputs = {"y"},
         .make =
             [name](Size size) {
               return made(FeedForward({size == Size::small ? 3 : 65, 5, 4, 2}, name));
             },
         .golden =
             name == "gelu"
                 ? std::vector<std::pair<std::string, std::string>>{{"layers", "feed forward"}}
                 : std::vector<std::pair<std::string, std::string>>{},
         .bad_calls = {{"FeedForward: 1 sizes given", [] { FeedForward({3}); }},
                       {"activation: 'swoosh' is unknown", [] {
                          FeedForward({3, 2}, "swoosh");
                        }}}});
  return cases;
}
