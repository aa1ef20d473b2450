#pragma once

#include <functional>
#include <initializer_list>
#include <span>
#include <utility>
#include <vector>

#include "attune/autograd/array/array.h"
#include "attune/autograd/node.h"
#include "attune/autograd/scopes.h"

namespace attune {

/// An array with history: a small handle on a value and on the Node that knows how to
/// differentiate it. Copies share both.
///
///     Tensor w = Tensor::parameter(Array::full({3}, 2.0));
///     Tensor loss = sum(square(w));
///     loss.backward();        // w.grad() is [4, 4, 4]
class Tensor {
 public:
  /// No tensor: defined() is false.
  Tensor() = default;
  /// A constant. Implicit, so that arrays go wherever tensors do.
  Tensor(Array value) : value_(std::move(value)) {}  // NOLINT(google-explicit-constructor)
  Tensor(Array value, NodeRef node, int output)
      : value_(std::move(value)), node_(std::move(node)), output_(output) {}
  /// A leaf that asks for its gradient.
  static Tensor parameter(Array value);

  bool defined() const { return value_.defined(); }
  const Array& value() const& { return value_; }
  Array& value() & { return value_; }
  Array value() && { return std::move(value_); }
  const Shape& shape() const { return value_.shape(); }
  std::int64_t size(int axis) const { return shape()[shape().axis(axis, "size")]; }
  int rank() const { return shape().rank(); }
  DType dtype() const { return value_.dtype(); }
  std::int64_t elements() const { return value_.elements(); }
  /// The only element. Errors: there is not exactly one.
  double item() const { return value_.item(); }

  /// True for a parameter that is not frozen, and for what was made from one.
  bool requires_grad() const { return node_ && node_->wants_gradient(); }
  /// requires_grad(false) freezes a parameter: what is computed from then on passes it no gradient,
  /// the one that it has is forgotten, and optimizers leave it as it is. All copies of the tensor
  /// see it. requires_grad(true) ends that. Errors: the tensor is no parameter.
  void requires_grad(bool wanted);
  /// What the backward passes since the last zero_grad() have added up; not defined() before the
  /// first. Kept for leaves, and for others after retain_grad(). Later passes do not change the
  /// array that was given.
  Array grad() const { return node_ ? node_->gradient(output_) : Array(); }
  void zero_grad() {
    if (node_) node_->forget_gradients();
  }
  void retain_grad();
  /// Calls `hook` with this tensor's whole gradient during backward, a parameter's at its end; what
  /// it returns goes on in its place. The hook may change the array that it gets. One registered
  /// while backward runs is called from the next pass on. The handle's remove() takes it away; it
  /// may be let go of. Errors: the tensor has no gradient.
  HookHandle register_hook(GradientHook hook);

  /// Differentiates this tensor with respect to every leaf it was made from (reverse mode; Griewank
  /// and Walther 2008, ch. 3) and adds the results to their grad(). Without `retain_graph` what
  /// was saved for it is freed on the way. Errors: not a single element (give a gradient then), no
  /// history, the graph was freed, a saved value was changed in place. After an error all gradients
  /// are as they were.
  void backward(bool retain_graph = false) const;
  /// The same from `gradient`, of this tensor's shape: the vector-Jacobian product.
  void backward(const Array& gradient, bool retain_graph = false) const;

  /// The value without its history.
  Tensor detach() const { return Tensor(value_); }
  /// Entry `index` of the leading axis, a negative one from the end; a view both ways.
  Tensor operator[](std::int64_t index) const;

  const NodeRef& node() const { return node_; }
  int output() const { return output_; }

 private:
  Array value_;
  NodeRef node_;
  int output_ = 0;
};

/// A value that backward needs. Reading it back finds out whether it was changed in place since,
/// which would make the gradient wrong without a word.
class Saved {
 public:
  Saved() = default;
  Saved(Array value)  // NOLINT(google-explicit-constructor)
      : value_(std::move(value)), version_(value_.defined() ? value_.version() : 0) {}
  Saved(const Tensor& tensor) : Saved(tensor.value()) {}  // NOLINT(google-explicit-constructor)
  const Array& operator*() const {
    if (value_.defined() && value_.version() != version_) [[unlikely]]
      changed();
    return value_;
  }
  const Array* operator->() const { return &**this; }

 private:
  [[noreturn]] void changed() const;
  Array value_;
  std::uint32_t version_ = 0;
};

/// Names an input of record() without copying it.
class Input {
 public:
  Input(const Tensor& tensor) : tensor_(&tensor) {}  // NOLINT(google-explicit-constructor)
  const Tensor& operator*() const { return *tensor_; }

 private:
  const Tensor* tensor_;
};

namespace detail {

/// Collects the inputs' edges; empty when nothing is to be recorded.
class Edges {
 public:
  explicit Edges(std::span<const Input> inputs) {
    if (NoGrad::active()) return;
    for (const Input& input : inputs) wanted_ |= (*input).requires_grad();
    if (!wanted_) return;
    if (inputs.size() > kFew) more_.reserve(inputs.size());
    for (const Input& input : inputs) {
      Edge edge{(*input).requires_grad() ? (*input).node() : NodeRef(), (*input).output()};
      if (inputs.size() > kFew)
        more_.push_back(std::move(edge));
      else
        few_[count_++] = std::move(edge);
    }
  }
  bool wanted() const { return wanted_; }
  std::span<Edge> take() {
    return more_.empty() ? std::span<Edge>(few_, count_) : std::span<Edge>(more_);
  }

 private:
  static constexpr std::size_t kFew = 4;
  Edge few_[kFew];
  std::size_t count_ = 0;
  std::vector<Edge> more_;
  bool wanted_ = false;
};

template <typename Backward>
class Operation final : public Node {
 public:
  Operation(const char* name, std::span<Edge> inputs, std::span<const Array> outputs,
            Backward backward)
      : Node(name, inputs, outputs), backward_(std::move(backward)) {}
  ~Operation() override {
    if (!released()) backward_.~Backward();
  }
  void run(Gradients& leaves) override {
    Grads grads(*this, leaves);
    backward_(grads);
  }
  void release_saved() override {
    if (!released()) backward_.~Backward();
    Node::release_saved();
  }

 private:
  union {  // destroyed by hand: what was saved goes as soon as it has been used
    Backward backward_;
  };
};

void check_finite(const char* name, const Array& value);

}  // namespace detail

/// Makes an operation differentiable: `value` is its result, `inputs` are the tensors it came from,
/// and `backward(Grads&)` passes gradients on. Nothing is recorded under NoGrad or when no input
/// has a gradient. The lambda captures Arrays (as Saved) but never the output tensor.
template <typename Backward>
Tensor record(const char* name, Array value, std::span<const Input> inputs, Backward backward) {
  if (CheckFinite::active()) detail::check_finite(name, value);
  detail::Edges edges(inputs);
  if (!edges.wanted()) return Tensor(std::move(value));
  NodeRef node(new detail::Operation<Backward>(
      name, edges.take(), std::span<const Array>(&value, 1), std::move(backward)));
  return Tensor(std::move(value), std::move(node), 0);
}
template <typename Backward>
Tensor record(const char* name, Array value, std::initializer_list<Input> inputs,
              Backward backward) {
  return record(name, std::move(value), std::span<const Input>(inputs.begin(), inputs.size()),
                std::move(backward));
}

/// record() for an operation with several results.
template <typename Backward>
std::vector<Tensor> record(const char* name, const std::vector<Array>& values,
                           std::initializer_list<Input> inputs, Backward backward) {
  for (const Array& value : values)
    if (CheckFinite::active()) detail::check_finite(name, value);
  detail::Edges edges(std::span<const Input>(inputs.begin(), inputs.size()));
  NodeRef node;
  if (edges.wanted())
    node =
        NodeRef(new detail::Operation<Backward>(name, edges.take(), values, std::move(backward)));
  std::vector<Tensor> results;
  for (int k = 0; k < static_cast<int>(values.size()); ++k)
    results.emplace_back(values[static_cast<std::size_t>(k)], node, k);
  return results;
}

/// Records a view: `shape` elements of `x` from flat position `offset`. Its gradient is written
/// straight into its place in x's gradient.
Tensor record_view(const char* name, const Tensor& x, std::int64_t offset, const Shape& shape);

}  // namespace attune
