#include "attune/autograd/tensor.h"

#include "attune/autograd/kernels/elementwise.h"
#include "attune/autograd/scopes.h"

namespace attune {
namespace {

class Leaf final : public Node {
 public:
  explicit Leaf(const Array& value) : Node("leaf", {}, std::span<const Array>(&value, 1)) {}
  void run(Gradients&) override {}
};

// A view of a block of another tensor, its base. The view's gradient is accumulated and then added
// to that block of the base's gradient. It is written there directly, with the same result, if the
// base is used by nothing but views that do not overlap, and this view is not observed.
class View final : public Node {
 public:
  View(const char* name, std::span<Edge> base, const Array& value, std::int64_t offset, bool whole)
      : Node(name, base, std::span<const Array>(&value, 1)),
        shape_(value.shape()),
        offset_(offset),
        whole_(whole) {
    set_view();
  }

  Into into(int output, Gradients& leaves) override {
    if (!writes_through()) return Node::into(output, leaves);
    if (!whole_) return {block(leaves), true};
    Into base = inputs()[0].node->into(inputs()[0].output, leaves);
    return {base.buffer.view(0, shape_), base.accumulate};
  }

  void add(int output, Array&& gradient, Gradients& leaves) override {
    writes_through() ? pass_on(std::move(gradient), leaves)
                     : Node::add(output, std::move(gradient), leaves);
  }

  void run(Gradients& leaves) override {
    Array gradient = Node::gradient(0);
    if (!retains_gradient()) forget_gradients();  // so that it can be passed on without a copy
    pass_on(std::move(gradient), leaves);
  }

 protected:
  std::pair<std::int64_t, std::int64_t> viewed() const override {
    return {offset_, offset_ + shape_.elements()};
  }

 private:
  bool writes_through() const {
    return !is_observed() && inputs()[0].node->has_disjoint_views(inputs()[0].output);
  }

  void pass_on(Array gradient, Gradients& leaves) {
    const auto& [node, output] = inputs()[0];
    if (whole_) {
      Array whole = gradient.view(0, node->shape(output));
      gradient = Array();
      return node->add(output, std::move(whole), leaves);
    }
    Array to = block(leaves);
    add_in_place(to, gradient);
  }

  Array block(Gradients& leaves) {
    Into base = inputs()[0].node->into(inputs()[0].output, leaves);
    if (!base.accumulate) base.buffer.fill(0);
    return base.buffer.view(offset_, shape_);
  }

  Shape shape_;
  std::int64_t offset_;
  bool whole_;
};

}  // namespace

Tensor Tensor::parameter(Array value) {
  ATTUNE_CHECK(value.defined(), "parameter: the array is not defined; give it a value first");
  ATTUNE_CHECK(value.dtype() != DType::boolean,
               "parameter: booleans of shape {} have no gradient; convert with to(DType::f32)",
               value.shape());
  NodeRef leaf(new Leaf(value));
  return Tensor(std::move(value), std::move(leaf), 0);
}

void Tensor::requires_grad(bool wanted) {
  ATTUNE_CHECK(node_ && node_->is_leaf(),
               "requires_grad: the tensor of shape {} is {}; only parameters can be frozen",
               shape(), node_ ? "computed from others" : "a constant");
  node_->want_gradient(wanted);
  if (!wanted) zero_grad();
}

void Tensor::retain_grad() {
  ATTUNE_CHECK(node_, "retain_grad: the tensor of shape {} has no history", shape());
  node_->retain_gradient();
}

HookHandle Tensor::register_hook(GradientHook hook) {
  ATTUNE_CHECK(node_ && node_->outputs() == 1, "register_hook: the tensor of shape {} {}", shape(),
               node_ ? "is one of several results of its operation; reshape it and hook that"
                     : "has no gradient; only parameters and tensors computed from them have one");
  return node_->add_hook(std::move(hook));
}

void Saved::changed() const {
  fail(
      "backward: a value of shape {} saved for it was changed in place (version {}, now {}); "
      "change it after backward, or work on a clone()",
      value_.shape(), version_, value_.version());
}

namespace detail {

void check_finite(const char* name, const Array& value) {
  ATTUNE_CHECK(value.all_finite(),
               "{}: its result of shape {} holds NaN or infinity (found under CheckFinite)", name,
               value.shape());
}

}  // namespace detail

Tensor record_view(const char* name, const Tensor& x, std::int64_t offset, const Shape& shape) {
  Array value = x.value().view(offset, shape);
  if (Work::is_counted()) detail::end_forward(name);
  if (NoGrad::active() || !x.requires_grad()) return Tensor(std::move(value));
  Edge base{x.node(), x.output()};
  const bool whole = shape.elements() == x.elements();
  NodeRef node(new View(name, std::span<Edge>(&base, 1), value, offset, whole));
  return Tensor(std::move(value), std::move(node), 0);
}

Tensor Tensor::operator[](std::int64_t index) const {
  const Array entry = value_[index];
  if (index < 0) index += size(0);
  return record_view("index", *this, index * entry.elements(), entry.shape());
}

}  // namespace attune
