#include "attune/layers/layer.h"

#include <algorithm>
#include <functional>
#include <map>
#include <span>
#include <unordered_set>

#include "attune/autograd/array/error.h"
#include "attune/autograd/array/text.h"
#include "attune/autograd/scopes.h"

namespace attune {
namespace {

// "a, b, c and 4 more"
std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 3;
  const std::size_t shown = std::min(kShown, names.size());
  std::string text = joined(std::span(names).first(shown));
  if (shown < names.size()) text += fmt::format(" and {} more", names.size() - shown);
  return text;
}

}  // namespace

std::vector<Param> Layer::parameters() const {
  std::vector<Param> all;
  std::unordered_set<const Registry*> seen;  // a parameter belongs to one registry
  const std::function<void(const Registry&, const std::string&)> collect =
      [&](const Registry& registry, const std::string& prefix) {
        if (!seen.insert(&registry).second) return;
        for (const Param& param : registry.params)
          all.push_back({prefix + param.name, param.value});
        for (const auto& [name, child] : registry.children) collect(*child, prefix + name + ".");
      };
  collect(*registry_, "");
  return all;
}

std::int64_t Layer::parameter_count() const {
  std::int64_t count = 0;
  for (const Param& param : parameters()) count += param.value.elements();
  return count;
}

void Layer::zero_grad() {
  for (Param& param : parameters()) param.value.zero_grad();
}

NamedArrays Layer::values() const {
  NamedArrays all;
  for (const Param& param : parameters()) all.emplace_back(param.name, param.value.value());
  return all;
}

void Layer::load(const NamedArrays& values) {
  std::map<std::string, Array> by_name;
  for (const auto& [name, value] : values)
    ATTUNE_CHECK(by_name.emplace(name, value).second, "load: parameter '{}' is given twice", name);

  std::vector<Param> params = parameters();
  std::vector<std::string> missing;
  for (const Param& param : params) {
    const auto found = by_name.find(param.name);
    if (found == by_name.end()) {
      missing.push_back(param.name);
      continue;
    }
    const Shape& shape = found->second.shape();
    ATTUNE_CHECK(shape == param.value.shape(),
                 "load: parameter '{}' has shape {} here but the value given for it has {}; was it "
                 "saved from a layer of other sizes?",
                 param.name, param.value.shape(), shape);
  }
  ATTUNE_CHECK(missing.empty(), "load: no value is given for {}; every parameter needs one",
               listed(missing));
  if (by_name.size() > params.size()) {
    std::vector<std::string> unknown;
    for (const Param& param : params) by_name.erase(param.name);
    for (const auto& entry : by_name) unknown.push_back(entry.first);
    fail("load: there is no parameter {}; were the values saved from another kind of layer?",
         listed(unknown));
  }
  for (Param& param : params)
    param.value.value().assign(by_name.at(param.name).to(param.value.dtype()));
}

void Layer::check_name(const std::string& name) const {
  ATTUNE_CHECK(!name.empty() && name.find('.') == std::string::npos,
               "layer: '{}' is no name for a parameter or a child; it must not be empty nor have a "
               "dot, which nested names are joined by",
               name);
  const auto is_taken = [&](const auto& entries, auto name_of) {
    return std::any_of(entries.begin(), entries.end(),
                       [&](const auto& entry) { return name_of(entry) == name; });
  };
  ATTUNE_CHECK(!is_taken(registry_->params, [](const Param& param) { return param.name; }) &&
                   !is_taken(registry_->children, [](const auto& child) { return child.first; }),
               "layer: the name '{}' is taken by another parameter or child", name);
}

Tensor Layer::param(const std::string& name, const Shape& shape, const Initializer& initializer) {
  check_name(name);
  ATTUNE_CHECK(std::all_of(shape.begin(), shape.end(), [](std::int64_t size) { return size > 0; }),
               "layer: parameter '{}' cannot have shape {}; every size must be at least 1", name,
               shape);
  Array value(shape, DefaultDType::current());
  initializer(value);
  registry_->params.push_back({name, Tensor::parameter(std::move(value))});
  return registry_->params.back().value;
}

void Layer::add_child(const std::string& name, const Layer& layer) {
  check_name(name);
  registry_->children.emplace_back(name, layer.registry_);
}

}  // namespace attune
