#include "attune/autograd/tensor.h"

#include "attune/autograd/kernels/elementwise.h"
#include "attune/autograd/scopes.h"

namespace attune {
namespace {

class Leaf final : public Node {
 public:
  explicit Leaf(const Array& value) : Node("leaf", {}, std::span<const Array>(&value, 1)) {}
  void run(AffineGradients&) override {}
};

// A block of another tensor. Its gradient is that block of the other's gradient, unless somebody
// wants to see it (a hook, retain_grad): then it has its own, which run() adds to the block.
class View final : public Node {
 public:
  View(const char* name, std::span<Edge> base, const Array& value, std::int64_t offset, bool whole)
      : Node(name, base, std::span<const Array>(&value, 1)),
        shape_(value.shape()),
        offset_(offset),
        whole_(whole) {}

  Into into(int output) override {
    if (owns_) return Node::into(output);
    if (whole_) {
      Into base = inputs()[0].node->into(inputs()[0].output);
      return {base.buffer.view(0, shape_), base.accumulate};
    }
    return {block(), true};
  }

  void add(int output, Array gradient) override {
    if (owns_) return Node::add(output, std::move(gradient));
    const Edge& base = inputs()[0];
    if (whole_) {
      Array whole = gradient.view(0, base_shape());
      gradient = Array();  // the base may then take it over without a copy
      return base.node->add(base.output, std::move(whole));
    }
    add_in_place(block(), gradient);
  }

  void run(AffineGradients&) override {
    if (!owns_) return;
    const Array gradient = Node::gradient(0);
    owns_ = false;
    if (gradient.defined()) add(0, gradient);
    owns_ = true;
  }

 protected:
  void own_gradient() override { owns_ = true; }

 private:
  Shape base_shape() const { return inputs()[0].node->shape(inputs()[0].output); }
  Array block() {
    Into base = inputs()[0].node->into(inputs()[0].output);
    if (!base.accumulate) base.buffer.fill(0);
    return base.buffer.view(offset_, shape_);
  }

  Shape shape_;
  std::int64_t offset_;
  bool whole_;
  bool owns_ = false;
};

}  // namespace

Tensor Tensor::parameter(Array value) {
  NodeRef leaf(new Leaf(value));
  return Tensor(std::move(value), std::move(leaf), 0);
}

void Tensor::retain_grad() {
  ATTUNE_CHECK(node_, "retain_grad: the tensor of shape {} has no history", shape());
  node_->retain_gradient();
}

void Tensor::register_hook(GradientHook hook) {
  ATTUNE_CHECK(node_ && node_->outputs() == 1, "register_hook: the tensor of shape {} {}", shape(),
               node_ ? "is one of several results of its operation; reshape it and hook that"
                     : "has no gradient; only parameters and what is made from them have one");
  node_->add_hook(std::move(hook));
}

void Saved::changed() const {
  fail(
      "backward: a value of shape {} saved for it was changed in place (version {}, now {}); "
      "change it after backward, or work on a clone()",
      value_.shape(), version_, value_.version());
}

namespace detail {

Edges::Edges(std::span<const Input> inputs) {
  if (NoGrad::active()) return;
  for (const Input& input : inputs) wanted_ |= (*input).requires_grad();
  if (!wanted_) return;
  if (inputs.size() > kFew) more_.reserve(inputs.size());
  for (const Input& input : inputs) {
    Edge edge{(*input).node(), (*input).output()};
    if (inputs.size() > kFew)
      more_.push_back(std::move(edge));
    else
      few_[count_++] = std::move(edge);
  }
}

bool checks_finite() { return CheckFinite::active(); }

void check_finite(const char* name, const Array& value) {
  ATTUNE_CHECK(value.all_finite(),
               "{}: its result of shape {} holds NaN or infinity (found under CheckFinite)", name,
               value.shape());
}

}  // namespace detail

Tensor record_view(const char* name, const Tensor& x, std::int64_t offset, const Shape& shape) {
  Array value = x.value().view(offset, shape);
  if (NoGrad::active() || !x.requires_grad()) return Tensor(std::move(value));
  Edge base{x.node(), x.output()};
  const bool whole = shape.elements() == x.elements();
  NodeRef node(new View(name, std::span<Edge>(&base, 1), value, offset, whole));
  return Tensor(std::move(value), std::move(node), 0);
}

Tensor Tensor::operator[](std::int64_t index) const {
  const Array entry = value_[index];
  return record_view("index", *this, index * entry.elements(), entry.shape());
}

}  // namespace attune
