#include "attune/autograd/graph.h"

#include <cstdlib>

#include "attune/autograd/all.h"
#include "attune/layers/all.h"
#include "attune/models/all.h"
#include "catch.h"
#include "temporary_folder.h"

using namespace attune;

namespace {

int count(const std::string& text, const std::string& part) {
  int found = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size())
    ++found;
  return found;
}

Tensor parameter(const Shape& shape) { return Tensor::parameter(Array::full(shape, 0.5)); }

struct Named {
  std::string name;
  Tensor value;
};

// A layer of the program's own.
struct Perceptron : Layer {
  Linear hidden, out;
  Perceptron() : hidden(child("hidden", Linear(3, 4))), out(child("out", Linear(4, 2))) {}
  Tensor operator()(const Tensor& x) const {
    const LayerScope scope(*this);
    return out(tanh(hidden(x)));
  }
};

struct Network : Layer {
  Perceptron first;
  Network() : first(child("first", Perceptron())) {}
  Tensor operator()(const Tensor& x) const { return sum(first(x)); }
};

}  // namespace

TEST_CASE("to_dot() writes the nodes and edges of an expression") {
  const Tensor w = parameter({2, 3}), b = parameter({2});
  const Tensor x = Array::full({4, 3}, 1);
  CHECK(to_dot(sum(tanh(linear(x, w, b))), std::vector<Named>{{"w", w}, {"b", b}}) ==
        R"(digraph {
node [shape=box style=filled fillcolor=white fontname="sans-serif"]
n0 [label="w\n[2, 3]" fillcolor=lightblue]
n1 [label="b\n[2]" fillcolor=lightblue]
n2 [label="linear\n[4, 2]"]
n3 [label="tanh\n[4, 2]"]
n4 [label="sum\n[]" fillcolor=darkolivegreen1]
n0 -> n2
n1 -> n2
n2 -> n3
n3 -> n4
}
)");
}

TEST_CASE("a shared sub-expression is one node of a drawing, with an edge for each use") {
  const Tensor w = parameter({3});
  const Tensor shared = exp(w);
  const std::string dot = to_dot(sum(shared * shared + shared));
  CHECK(count(dot, "label=\"exp") == 1);
  CHECK(count(dot, "label=\"leaf") == 1);
  CHECK(count(dot, "n1 -> n2\n") == 2);  // both factors
  CHECK(count(dot, "n1 -> n3\n") == 1);
}

TEST_CASE("to_dot() says which of several results an operation uses") {
  const Tensor x = parameter({2, 3, 4});
  const GRUCell cell(4, 5);
  const SequenceResult result = cell.run(x, {});
  REQUIRE(result.h.node()->outputs() > 1);
  CHECK(contains(fmt::format("[label={}]", result.h.output())).match(to_dot(sum(result.h))));
}

TEST_CASE("to_dot() escapes names") {
  const Tensor w = parameter({1});
  const std::string dot =
      to_dot(sum(w), std::vector<Named>{{"a \"b\"\\ &lt; c\nd\té.größe \"π\"\r", w}});
  CHECK(contains("subgraph cluster0 {\nlabel=\"a \\\"b\\\"\\\\ &amp;lt; c\\nd é\"\n").match(dot));
  CHECK(contains("[label=\"größe \\\"π\\\" \\n[1]\" fillcolor").match(dot));
}

TEST_CASE("to_dot() draws each layer as a box, with its parameters") {
  const Network network;
  const std::string dot = to_dot(network(Array::full({5, 3}, 1)), network.parameters());
  CHECK(contains(R"(subgraph cluster0 {
label="first"
n5 [label="tanh\n[5, 4]"]
subgraph cluster1 {
label="hidden"
n0 [label="weight\n[4, 3]" fillcolor=lightblue]
n1 [label="bias\n[4]" fillcolor=lightblue]
n4 [label="linear\n[5, 4]"]
}
subgraph cluster2 {
label="out"
n2 [label="weight\n[2, 4]" fillcolor=lightblue]
n3 [label="bias\n[2]" fillcolor=lightblue]
n6 [label="linear\n[5, 2]"]
}
}
)")
            .match(dot));
  CHECK(contains("n7 [label=\"sum\\n[]\" fillcolor=darkolivegreen1]\nsubgraph").match(dot));
}

TEST_CASE("an operation carries the path of the layer in whose call it was recorded") {
  const auto path = [](const Tensor& x) { return std::string(x.node()->layer_path()); };
  const Tensor x = parameter({5, 3});
  CHECK(path(exp(x)).empty());
  Perceptron alone;
  CHECK(path(alone(x)) == "out");
  const Network network;
  CHECK(path(network.first(x)) == "first.out");
  CHECK(path(exp(x)).empty());

  SECTION("also if the layer was called before it became a child") {
    struct Outer : Layer {
      explicit Outer(const Perceptron& inner) { child("inner", inner); }
    };
    const Outer outer(alone);
    CHECK(path(alone(x)) == "inner.out");
  }
  SECTION("also if the layer was assigned over") {
    Network changed;
    CHECK(path(changed.first(x)) == "first.out");
    changed.first = Perceptron();
    CHECK(path(changed.first(x)) == "first.out");
  }
  SECTION("also if the call ends with an error") {
    CHECK_THROWS(network.first(parameter({5, 7})));
    CHECK(path(exp(x)).empty());
  }
  SECTION("that of its first parent if it has several") {
    struct Twice : Layer {
      explicit Twice(const Perceptron& inner) {
        child("a", inner);
        child("b", inner);
      }
    };
    const Twice twice(alone);
    CHECK(path(alone(x)) == "a.out");
    CHECK(twice.parameters()[0].name == "a.hidden.weight");
  }
}

TEST_CASE("operations of models carry the paths of their layers") {
  EncoderDecoderOptions options{.source_vocabulary = 12, .target_vocabulary = 12};
  options.model = "transformer", options.embedding = 8, options.heads = 2;
  const auto model = make_model(options);
  const Batch batch = make_batch(std::vector<Example>{{{4, 5, 6}, {6, 5, 4}}});
  const std::string dot = to_dot(model->loss(batch), model->parameters());
  for (const char* name : {"encoder", "decoder", "self_attention", "cross_attention",
                           "feed_forward", "layer0", "norm1", "query"})
    CHECK(contains(fmt::format("label=\"{}\"\n", name)).match(dot));
  // Every parameter is in a layer whose operations use it.
  CHECK(count(dot, "label=\"leaf") == 0);
}

TEST_CASE("Graphviz renders what to_dot() writes") {
  if (std::system("dot -V >/dev/null 2>&1") != 0) {
    WARN("skipped: Graphviz is not installed (sudo apt-get install graphviz)");
    return;
  }
  EncoderDecoderOptions options{.source_vocabulary = 12, .target_vocabulary = 12};
  options.embedding = 5, options.hidden = 7;
  const auto model = make_model(options);
  const Batch batch = make_batch(std::vector<Example>{{{4, 5, 6}, {6, 5}}});
  auto parameters = model->parameters();
  parameters[0].name = "a \"b\"\\.\n&lt;<π>\\";
  const TemporaryFolder folder;
  folder.write("graph.dot", to_dot(model->loss(batch), parameters));
  const std::string command = fmt::format("dot -Tsvg '{}' > '{}' 2> '{}'", folder.path("graph.dot"),
                                          folder.path("graph.svg"), folder.path("errors"));
  CHECK(std::system(command.c_str()) == 0);
  CHECK(folder.read("errors").empty());
  const std::string svg = folder.read("graph.svg");
  CHECK(contains("</svg>").match(svg));
  CHECK(contains("cross_entropy").match(svg));
  CHECK(contains("&amp;lt;&lt;π&gt;\\</text>").match(svg));
}

TEST_CASE("to_dot() says what is wrong with a tensor that has no graph") {
  CHECK_THROWS_WITH(to_dot(Tensor()),
                    "to_dot: the tensor is not defined; pass the result of operations");
  CHECK_THROWS_WITH(to_dot(Tensor(Array::full({2}, 1))),
                    "to_dot: the tensor of shape [2] has no history; was it computed from "
                    "parameters, and outside NoGrad?");
  const Tensor w = parameter({3});
  const Tensor loss = sum(exp(w));
  loss.backward(/*retain_graph=*/true);
  CHECK_FALSE(to_dot(loss).empty());
  loss.backward();
  CHECK_THROWS_WITH(to_dot(loss),
                    "to_dot: the graph was freed by backward() at 'sum'; call to_dot() before "
                    "backward(), or pass retain_graph = true to backward()");
}
