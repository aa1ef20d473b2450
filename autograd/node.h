#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "attune/autograd/array/array.h"
#include "attune/autograd/array/short_list.h"
#include "attune/autograd/hooks.h"
#include "attune/autograd/spans.h"

namespace attune {

class Gradients;
class Node;

/// A counted reference to a Node. Dropping the last one deletes the node and its inputs without
/// recursion, however deep the graph.
class NodeRef {
 public:
  NodeRef() = default;
  /// Takes over the reference that a new Node starts with.
  explicit NodeRef(Node* node) : node_(node) {}
  NodeRef(const NodeRef& other);
  NodeRef(NodeRef&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
  NodeRef& operator=(NodeRef other) noexcept {
    std::swap(node_, other.node_);
    return *this;
  }
  ~NodeRef() {
    if (node_) release(node_);
  }

  Node* get() const { return node_; }
  Node* operator->() const { return node_; }
  explicit operator bool() const { return node_ != nullptr; }

 private:
  static void release(Node* node);
  Node* node_ = nullptr;
};

/// Where a gradient goes: output `output` of `node`. Without a node no gradient is needed.
struct Edge {
  NodeRef node;
  int output = 0;
};

/// A buffer to write a gradient into. With `accumulate` the kernel adds to what is there (beta = 1
/// of a GEMM); without, it writes every element (beta = 0).
struct Into {
  Array buffer;
  bool accumulate = false;
  double beta() const { return accumulate ? 1 : 0; }
};

/// Where one gradient is added up.
struct GradientSlot {
  Shape shape;
  DType dtype = DType::f32;
  bool shared = false;  ///< the gradient's memory may be in use elsewhere: copy before writing
  /// Set in a backward pass if the output is used by anything but views that do not overlap.
  bool mixed = false;
  Array gradient = {};

  /// The buffer to write into: the first write sets its elements, later ones add to them.
  Into into();
  /// Adds a gradient. The first one is stored without a copy, unless `for_keeps` is set and its
  /// memory is in use elsewhere.
  void add(Array&& more, bool for_keeps);
  /// Copies the gradient if it shares memory with another array.
  void make_own();
};

/// One vertex of the graph that backward() traverses: a recorded operation, or a leaf (a parameter,
/// which is not the result of an operation). A node has edges to the nodes of its inputs and, in a
/// backward pass, the gradients of its outputs, but no values: a value lives only as long as it is
/// needed. The gradients of leaves are kept in the Gradients of the pass; a leaf itself holds the
/// sum that Tensor::grad() returns.
class Node {
 public:
  /// Moves the edges out of `inputs`.
  Node(const char* name, std::span<Edge> inputs, std::span<const Array> outputs);
  virtual ~Node() = default;
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  static void* operator new(std::size_t bytes) { return pool::allocate(bytes); }
  static void operator delete(void* memory, std::size_t bytes) { pool::release(memory, bytes); }

  const char* name() const { return name_; }
  /// That of the layer in whose call it was recorded: see current_layer_path().
  const char* layer_path() const { return layer_path_; }
  /// Greater than that of every input, so that nodes can be run in decreasing order.
  std::uint64_t order() const { return order_; }
  bool is_leaf() const { return leaf_; }
  std::span<const Edge> inputs() const { return edges_; }
  int outputs() const { return static_cast<int>(slots_.size()); }
  const Shape& shape(int output) const { return slots_.data()[output].shape; }
  DType dtype(int output) const { return slots_.data()[output].dtype; }

  /// The gradient of an output so far; not defined() when there is none.
  const Array& gradient(int output = 0) { return slots_[output].gradient; }
  /// The buffer for the gradient of an output, which for a leaf is in `leaves`.
  virtual Into into(int output, Gradients& leaves);
  /// Adds to the gradient of an output, which for a leaf is in `leaves`.
  virtual void add(int output, Array&& gradient, Gradients& leaves);
  void forget_gradients();

  /// Computes the inputs' gradients from those of the outputs, and those of leaves in `leaves`.
  virtual void run(Gradients& leaves) = 0;
  /// Drops what was saved for run(), and the edges to the inputs.
  virtual void release_saved();
  bool released() const { return released_; }

  /// True when all uses of an output in this backward pass are views that do not overlap.
  bool has_disjoint_views(int output) { return !leaf_ && !slots_[output].mixed; }

  /// False for a leaf that is frozen: see Tensor::requires_grad().
  bool wants_gradient() const { return wants_gradient_; }
  void want_gradient(bool wanted) { wants_gradient_ = wanted; }

  HookHandle add_hook(GradientHook hook);
  void retain_gradient() { retain_gradient_ = true; }

 protected:
  /// The range of elements [first, last) of its input that a view uses.
  virtual std::pair<std::int64_t, std::int64_t> viewed() const { return {0, 0}; }
  /// Makes this a view of its only input.
  void set_view() {
    is_view_ = true;
    edges_[0].node->has_views_.store(true, std::memory_order_relaxed);
  }
  bool retains_gradient() const { return retain_gradient_; }
  /// True if a hook or retain_grad() needs the gradient in this backward pass.
  bool is_observed() const { return retain_gradient_ || (hooks_ && hooks_->in_pass > 0); }

 private:
  friend class NodeRef;
  friend class BackwardPass;
  friend class Gradients;
  friend class Observers;

  // The fields that every pass and release uses come first, in one cache line.
  std::atomic<std::uint32_t> references_{1};
  std::uint32_t turn_ = 0;  // in the backward pass that is running
  bool retain_gradient_ = false;
  bool wants_gradient_ = true;
  bool is_view_ = false;
  std::atomic<bool> has_views_{false};  // of any output
  bool gathered_ = false;               // by the backward pass that is running
  bool leaf_;
  bool released_ = false;
  const char* name_;
  std::uint64_t order_;
  std::shared_ptr<GradientHooks> hooks_;
  union {
    const char* layer_path_ = current_layer_path();
    Node* next_dead_;  // once nothing refers to the node
  };
  ShortList<Edge, 3> edges_;
  ShortList<GradientSlot, 1> slots_;
};

inline NodeRef::NodeRef(const NodeRef& other) : node_(other.node_) {
  if (node_) node_->references_.fetch_add(1, std::memory_order_relaxed);
}

/// The argument of an operation's backward lambda: gives the gradients of its outputs, and takes
/// those of its inputs.
class Grads {
 public:
  Grads(Node& node, Gradients& leaves) : node_(node), leaves_(leaves) {}

  /// True when the loss depends on output `k`.
  bool has_dy(int k = 0) const { return node_.gradient(k).defined(); }
  /// The gradient of output `k`; zeros where the loss does not depend on it.
  const Array& dy(int k = 0) const;
  /// True if the gradient of input `i` is needed. Errors: no such input.
  bool needs(int i) const { return static_cast<bool>(edge(i).node); }
  /// Adds to the gradient of input `i`; a gradient of the broadcast shape is summed to the input's.
  /// Errors: no such input; the shape does not fit.
  void add(int i, Array gradient);
  /// The buffer for the gradient of input `i`, for kernels that accumulate in place. Errors: no
  /// such input, or its gradient is not needed: check needs() first.
  Into into(int i);
  /// The gradients of a weight W [out, in'] and a bias b [out], inputs number `weight` and `bias`,
  /// of y = x W^T + b, with x [..., in] multiplied by the columns from `first_column` on:
  /// dW += dy^T x and db += the sum of dy's rows. If x is not defined, only db is computed. A row
  /// of x whose dy is 0 has no influence, whatever it holds.
  void add_affine(int weight, int bias, const Array& dy, const Array& x,
                  std::int64_t first_column = 0);

 private:
  const Edge& edge(int i) const {
    const std::span<const Edge> inputs = node_.inputs();
    if (static_cast<std::size_t>(i) >= inputs.size()) [[unlikely]]
      no_input(i);
    return inputs[static_cast<std::size_t>(i)];
  }
  [[noreturn]] void no_input(int i) const;
  /// A gradient of input `i` of another shape or dtype, summed to the input's shape.
  Array fitted(int i, const Array& gradient) const;
  Node& node_;
  Gradients& leaves_;
};

}  // namespace attune
