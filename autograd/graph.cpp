#include "attune/autograd/graph.h"

#include <algorithm>
#include <map>
#include <unordered_set>
#include <utility>

#include "attune/autograd/array/error.h"

namespace attune {
namespace {

// As a quoted string. Graphviz reads entities such as &amp; and escapes such as \n in labels.
std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) switch (c) {
      case '"':
        result += "\\\"";
        break;
      case '\\':
        result += "\\\\";
        break;
      case '&':
        result += "&amp;";
        break;
      case '\n':
        result += "\\n";
        break;
      default:
        result += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
    }
  return result + "\"";
}

// All nodes that `output` depends on, inputs first.
std::vector<const Node*> nodes_of(const Tensor& output) {
  std::vector<const Node*> nodes{output.node().get()};
  std::unordered_set<const Node*> seen(nodes.begin(), nodes.end());
  for (std::size_t next = 0; next < nodes.size(); ++next) {
    ATTUNE_CHECK(!nodes[next]->released(),
                 "to_dot: the graph was freed by backward() at '{}'; call to_dot() before "
                 "backward(), or pass retain_graph = true to backward()",
                 nodes[next]->name());
    for (const Edge& edge : nodes[next]->inputs())
      if (edge.node && seen.insert(edge.node.get()).second) nodes.push_back(edge.node.get());
  }
  std::sort(nodes.begin(), nodes.end(),
            [](const Node* a, const Node* b) { return a->order() < b->order(); });
  return nodes;
}

// A layer, with the lines of its nodes and the layers in it.
struct Box {
  std::string lines;
  std::map<std::string, Box> boxes;

  Box& at(const std::string& path) {
    if (path.empty()) return *this;
    const std::size_t dot = path.find('.');
    return boxes[path.substr(0, dot)].at(dot == std::string::npos ? "" : path.substr(dot + 1));
  }
  std::string text(int& count) const {
    std::string all = lines;
    for (const auto& [name, box] : boxes) {
      all += fmt::format("subgraph cluster{} {{\nlabel={}\n", count++, quoted(name));
      all += box.text(count) + "}\n";
    }
    return all;
  }
};

class Drawing {
 public:
  Drawing(const Tensor& output, const LeafNames& names)
      : output_(output), names_(names), nodes_(nodes_of(output)) {
    for (const Node* node : nodes_) numbers_.emplace(node, numbers_.size());
    // A leaf without a name is drawn in the layer that uses it first.
    for (const Node* node : nodes_)
      for (const Edge& edge : node->inputs())
        if (edge.node && edge.node->is_leaf()) users_.emplace(edge.node.get(), node->layer_path());
  }

  std::string text() const {
    Box all;
    std::string edges;
    for (const Node* node : nodes_) {
      all.at(path_of(*node)).lines += fmt::format("n{} [label={}{}]\n", numbers_.at(node),
                                                  quoted(label_of(*node)), style_of(*node));
      for (const Edge& edge : node->inputs())
        if (edge.node) edges += edge_text(edge, *node);
    }
    int boxes = 0;
    return "digraph {\nnode [shape=box style=filled fillcolor=white fontname=\"sans-serif\"]\n" +
           all.text(boxes) + edges + "}\n";
  }

 private:
  // The name of a leaf, or nullptr.
  const std::string* name_of(const Node& node) const {
    const auto found = names_.find(&node);
    return found == names_.end() ? nullptr : &found->second;
  }

  std::string path_of(const Node& node) const {
    if (!node.is_leaf()) return node.layer_path();
    if (const std::string* name = name_of(node)) {
      const std::size_t dot = name->rfind('.');
      return dot == std::string::npos ? "" : name->substr(0, dot);
    }
    const auto user = users_.find(&node);
    return user == users_.end() ? "" : user->second;
  }

  std::string label_of(const Node& node) const {
    const std::string* name = name_of(node);
    std::string label = name ? name->substr(name->rfind('.') + 1) : node.name();
    for (int k = 0; k < node.outputs(); ++k) label += fmt::format("\n{}", node.shape(k));
    return label;
  }

  // The colours of torchviz.
  const char* style_of(const Node& node) const {
    if (&node == output_.node().get()) return " fillcolor=darkolivegreen1";
    return node.is_leaf() ? " fillcolor=lightblue" : "";
  }

  std::string edge_text(const Edge& edge, const Node& user) const {
    const std::string output =
        edge.node->outputs() > 1 ? fmt::format(" [label={}]", edge.output) : "";
    return fmt::format("n{} -> n{}{}\n", numbers_.at(edge.node.get()), numbers_.at(&user), output);
  }

  const Tensor& output_;
  const LeafNames& names_;
  std::vector<const Node*> nodes_;
  std::unordered_map<const Node*, std::size_t> numbers_;
  std::unordered_map<const Node*, std::string> users_;
};

}  // namespace

std::string to_dot(const Tensor& output, const LeafNames& names) {
  ATTUNE_CHECK(output.defined(),
               "to_dot: the tensor is not defined; pass the result of operations");
  ATTUNE_CHECK(
      output.node(),
      "to_dot: the tensor of shape {} has no history; was it computed from parameters, and "
      "outside NoGrad?",
      output.shape());
  return Drawing(output, names).text();
}

}  // namespace attune
