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

/// An array with history: a handle to a value and to the Node that records how it was computed.
/// Copies share both.
///
///     Tensor w = Tensor::parameter(Array::full({3}, 2.0));
///     Tensor loss = sum(square(w));
///     loss.backward();        // w.grad() is [4, 4, 4]
class Tensor {
 public:
  /// An undefined tensor: defined() is false.
  Tensor() = default;
  /// A constant. Implicit, so that an Array can be passed wherever a Tensor is expected.
  Tensor(Array value) : value_(std::move(value)) {}  // NOLINT(google-explicit-constructor)
  Tensor(Array value, NodeRef node, int output)
      : value_(std::move(value)), node_(std::move(node)), output_(output) {}
  /// A leaf that requires a gradient. Errors: `value` is not defined, or boolean.
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
  /// The only element. Errors: the number of elements is not 1.
  double item() const { return value_.item(); }

  /// True for a parameter that is not frozen, and for results computed from one.
  bool requires_grad() const { return node_ && node_->wants_gradient(); }
  /// requires_grad(false) freezes a parameter: operations recorded afterwards do not compute its
  /// gradient, its current gradient is released, and optimizers skip it. This applies to all copies
  /// of the tensor. requires_grad(true) reverses it. Errors: the tensor is not a parameter.
  void requires_grad(bool wanted);
  /// The sum of the gradients of all backward passes since the last zero_grad(); not defined()
  /// before the first. Kept for leaves, and for other tensors after retain_grad(). Later passes do
  /// not modify an array returned earlier.
  Array grad() const { return node_ ? node_->gradient(output_) : Array(); }
  void zero_grad() {
    if (node_) node_->forget_gradients();
  }
  /// Makes backward keep the gradient of a tensor that is not a leaf. Errors: it has no history.
  void retain_grad();
  /// Makes backward call `hook` with the complete gradient of this tensor; for a parameter, at the
  /// end of the pass. The array that it returns replaces the gradient, and it may modify its
  /// argument. A hook registered during a pass is first called in the next one. The handle's
  /// remove() removes the hook; its destructor does not. Errors: the tensor has no gradient, or is
  /// one of several results of an operation.
  HookHandle register_hook(GradientHook hook);

  /// Differentiates this tensor with respect to every leaf that it was computed from (reverse mode;
  /// Griewank and Walther 2008, ch. 3) and adds the results to their grad(). Saved values are freed
  /// during the pass unless `retain_graph` is true. Errors: the number of elements is not 1 (pass a
  /// gradient then); the tensor has no history; the graph was freed; a saved value was modified in
  /// place. An error leaves all gradients unchanged.
  void backward(bool retain_graph = false) const;
  /// The same for a tensor of any shape: the vector-Jacobian product with `gradient`. Errors: its
  /// shape or dtype is not this tensor's; as above.
  void backward(const Array& gradient, bool retain_graph = false) const;

  /// The value without its history.
  Tensor detach() const { return Tensor(value_); }
  /// Entry `index` of the leading axis; a negative index counts from the end. Shares memory with
  /// this tensor. Errors: a scalar; an index out of range.
  Tensor operator[](std::int64_t index) const;

  const NodeRef& node() const { return node_; }
  int output() const { return output_; }

 private:
  Array value_;
  NodeRef node_;
  int output_ = 0;
};

/// A value saved for backward. Reading it throws Error if it was modified in place since it was
/// saved; otherwise the gradient would be wrong without any message.
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

/// A reference to an input of record(), which is not copied.
class Input {
 public:
  Input(const Tensor& tensor) : tensor_(&tensor) {}  // NOLINT(google-explicit-constructor)
  const Tensor& operator*() const { return *tensor_; }

 private:
  const Tensor* tensor_;
};

namespace detail {

/// Collects the edges to an operation's inputs; none if the operation is not recorded.
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
  union {  // destroyed explicitly, which frees the saved values right after their use
    Backward backward_;
  };
};

void check_finite(const char* name, const Array& value);

}  // namespace detail

/// Makes an operation differentiable: `value` is its result, `inputs` are the tensors that it was
/// computed from, and `backward(Grads&)` computes the inputs' gradients. Nothing is recorded under
/// NoGrad, or if no input requires a gradient. The lambda captures arrays as Saved, but never the
/// output tensor, which would be a reference cycle. Errors: NaN or infinity under CheckFinite.
template <typename Backward>
Tensor record(const char* name, Array value, std::span<const Input> inputs, Backward backward) {
  if (CheckFinite::active()) detail::check_finite(name, value);
  if (Work::is_counted()) detail::end_forward(name);
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
  if (Work::is_counted()) detail::end_forward(name);
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

/// Records a view of the elements of `x` from flat index `offset` on, as an array of that shape. If
/// possible, its gradient is written directly to that part of x's gradient.
Tensor record_view(const char* name, const Tensor& x, std::int64_t offset, const Shape& shape);

}  // namespace attune
