#include "attune/layers/layer.h"

#include <fnmatch.h>

#include <algorithm>
#include <functional>
#include <map>
#include <span>
#include <unordered_set>

#include "attune/autograd/array/error.h"
#include "attune/autograd/array/text.h"

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

// A place has two owners: the layer and its member. Any further reference comes from a copy, which
// would keep the old value.
void check_no_copies(long references, const std::string& what) {
  ATTUNE_CHECK(references <= 2,
               "layer: {} is assigned over while copies of it, or of the layer that it is part of, "
               "would go on with what it was; assign before copying, or set values with load()",
               what);
}

}  // namespace

// If only the member still refers to its place, because its layer was itself replaced, the member
// switches to the place of `other`.
LayerTensor& LayerTensor::operator=(const LayerTensor& other) {
  if (place_ && place_.use_count() > 1) return *this = static_cast<const Tensor&>(other);
  Tensor::operator=(other);
  place_ = other.place_;
  return *this;
}

LayerTensor& LayerTensor::operator=(const Tensor& other) {
  if (place_ && place_.use_count() > 1) {
    check_no_copies(place_.use_count(), fmt::format("'{}'", place_->name));
    const bool is_leaf = other.node() && other.node()->is_leaf();
    ATTUNE_CHECK(!place_->is_parameter || is_leaf,
                 "layer: the parameter '{}' is assigned a tensor of shape {} that is none; make it "
                 "with Tensor::parameter()",
                 place_->name, other.shape());
    ATTUNE_CHECK(place_->is_parameter || !other.node(),
                 "layer: the buffer '{}' is assigned a tensor of shape {} that has a history; "
                 "detach() it",
                 place_->name, other.shape());
    place_->tensor = other;
  }
  Tensor::operator=(other);
  return *this;
}

Layer& Layer::operator=(const Layer& other) {
  if (place_->is_child && place_.use_count() > 1) {
    check_no_copies(place_.use_count(), "a child");
    place_->registry = other.place_->registry;
    for (const auto& child : place_->registry->children)
      child.place->become_child(child.name, place_);
  } else {
    place_ = other.place_;
  }
  return *this;
}

const char* Layer::Place::get_path() {
  if (const char* known = path.load(std::memory_order_relaxed)) return known;
  std::string text = name;
  if (const std::shared_ptr<Place> above = parent.lock())
    if (const std::string prefix = above->get_path(); !prefix.empty()) text = prefix + "." + name;
  path.store(permanent_layer_path(text), std::memory_order_relaxed);
  return path.load(std::memory_order_relaxed);
}

void Layer::Place::become_child(const std::string& new_name,
                                const std::shared_ptr<Place>& new_parent) {
  name = new_name;
  parent = new_parent;
  forget_path();
}

void Layer::Place::forget_path() {
  path.store(nullptr, std::memory_order_relaxed);
  for (const auto& child : registry->children) child.place->forget_path();
}

std::vector<Param> Layer::collect(Kind kind) const {
  std::vector<Param> all;
  std::unordered_set<const Registry*> seen;
  std::unordered_set<const Node*> nodes;  // members of several layers may share a parameter
  const std::function<void(const Registry&, const std::string&)> visit =
      [&](const Registry& registry, const std::string& prefix) {
        if (!seen.insert(&registry).second) return;
        for (const auto& place : registry.tensors) {
          if (kind == Kind::parameters && !place->is_parameter) continue;
          if (kind == Kind::buffers && place->is_parameter) continue;
          if (place->is_parameter && !nodes.insert(place->tensor.node().get()).second) continue;
          all.push_back({prefix + place->name, place->tensor});
        }
        for (const auto& child : registry.children)
          visit(*child.place->registry, prefix + child.name + ".");
      };
  visit(*place_->registry, "");
  return all;
}

std::vector<Param> Layer::parameters() const { return collect(Kind::parameters); }

std::vector<Param> Layer::buffers() const { return collect(Kind::buffers); }

std::int64_t Layer::parameter_count() const {
  std::int64_t count = 0;
  for (const Param& param : parameters()) count += param.value.elements();
  return count;
}

std::optional<std::string> Layer::name_of(const Layer& layer) const {
  const std::function<std::optional<std::string>(const Place&, const std::string&)> find =
      [&](const Place& place, const std::string& name) -> std::optional<std::string> {
    if (&place == layer.place_.get()) return name;
    for (const auto& child : place.registry->children)
      if (auto found = find(*child.place, name.empty() ? child.name : name + "." + child.name))
        return found;
    return {};
  };
  return find(*place_, "");
}

void Layer::zero_grad() {
  for (Param& param : parameters()) param.value.zero_grad();
}

void Layer::requires_grad(bool wanted) {
  for (Param& param : parameters()) param.value.requires_grad(wanted);
}

void Layer::requires_grad(const std::string& pattern, bool wanted) {
  std::vector<Param> params = parameters();
  std::erase_if(params, [&](const Param& param) {
    return fnmatch(pattern.c_str(), param.name.c_str(), 0) != 0;
  });
  ATTUNE_CHECK(!params.empty(),
               "requires_grad: no parameter matches '{}'; parameters() lists their names", pattern);
  for (Param& param : params) param.value.requires_grad(wanted);
}

NamedArrays Layer::values() const {
  NamedArrays all;
  for (const Param& param : collect(Kind::both)) all.emplace_back(param.name, param.value.value());
  return all;
}

void Layer::load(const NamedArrays& values) {
  std::map<std::string, Array> by_name;
  for (const auto& [name, value] : values)
    ATTUNE_CHECK(by_name.emplace(name, value).second, "load: parameter '{}' is given twice", name);

  std::vector<Param> params = collect(Kind::both);
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
               "layer: '{}' is not a valid name of a parameter or child; it must not be empty or "
               "contain a dot, which joins nested names",
               name);
  const Registry& registry = *place_->registry;
  const bool is_tensor = std::any_of(registry.tensors.begin(), registry.tensors.end(),
                                     [&](const auto& place) { return place->name == name; });
  const bool is_child = std::any_of(registry.children.begin(), registry.children.end(),
                                    [&](const auto& child) { return child.name == name; });
  ATTUNE_CHECK(!is_tensor && !is_child,
               "layer: the name '{}' is taken by another parameter or child", name);
}

LayerTensor Layer::add_tensor(const char* what, const std::string& name, const Shape& shape,
                              const Initializer& initializer) {
  check_name(name);
  ATTUNE_CHECK(std::all_of(shape.begin(), shape.end(), [](std::int64_t size) { return size > 0; }),
               "layer: {} '{}' cannot have shape {}; every size must be at least 1", what, name,
               shape);
  Array value(shape, DefaultDType::current());
  initializer(value);
  place_->registry->tensors.push_back(std::make_shared<LayerTensor::Place>(
      LayerTensor::Place{name, Tensor(std::move(value)), /*is_parameter=*/false}));
  return LayerTensor(place_->registry->tensors.back());
}

LayerTensor Layer::param(const std::string& name, const Shape& shape,
                         const Initializer& initializer) {
  const std::shared_ptr<LayerTensor::Place> place =
      add_tensor("parameter", name, shape, initializer).place_;
  place->tensor = Tensor::parameter(place->tensor.value());
  place->is_parameter = true;
  return LayerTensor(place);
}

LayerTensor Layer::buffer(const std::string& name, const Shape& shape,
                          const Initializer& initializer) {
  return add_tensor("buffer", name, shape, initializer);
}

void Layer::add_child(const std::string& name, const Layer& layer) {
  check_name(name);
  layer.place_->is_child = true;
  if (!layer.place_->parent.lock()) layer.place_->become_child(name, place_);
  place_->registry->children.push_back({name, &typeid(layer), layer.place_});
}

DType Layer::dtype() const {
  const std::vector<Param> params = collect(Kind::both);
  return params.empty() ? DefaultDType::current() : params.front().value.dtype();
}

void Layer::become_copy_of(const Layer& other) {
  load(other.values());
  std::vector<Param> own = parameters();
  const std::vector<Param> others = other.parameters();
  for (std::size_t i = 0; i < own.size(); ++i)
    own[i].value.requires_grad(others[i].value.requires_grad());
}

}  // namespace attune
