// Operations on values without garbage.
#include <algorithm>
#include <cmath>
#include <limits>

#include "attune/autograd/ops/projected_input.h"
#include "random_programs/builder.h"

namespace attune::random_programs {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// --- Element-wise ---------------------------------------------------------------------------

struct Unary {
  const char* name;
  Tensor (*f)(const Tensor&);
  double low = -kInfinity, high = kInfinity;  // where it may be applied
  double kink = -1e9;
};

const Unary kUnary[] = {
    {"tanh", [](const Tensor& x) { return tanh(x); }},
    {"sigmoid", [](const Tensor& x) { return sigmoid(x); }},
    {"relu", [](const Tensor& x) { return relu(x); }, -kInfinity, kInfinity, 0},
    {"leaky_relu", [](const Tensor& x) { return leaky_relu(x); }, -kInfinity, kInfinity, 0},
    {"leaky_relu slope 0.3", [](const Tensor& x) { return leaky_relu(x, 0.3); }, -kInfinity,
     kInfinity, 0},
    {"elu", [](const Tensor& x) { return elu(x); }},
    {"gelu", [](const Tensor& x) { return gelu(x); }},
    {"silu", [](const Tensor& x) { return silu(x); }},
    {"softplus", [](const Tensor& x) { return softplus(x); }},
    {"negate", [](const Tensor& x) { return -x; }},
    {"exp", [](const Tensor& x) { return exp(x); }, -kInfinity, 3},
    {"log", [](const Tensor& x) { return log(x); }, 0.1},
    {"sqrt", [](const Tensor& x) { return sqrt(x); }, 0.1},
    {"square", [](const Tensor& x) { return square(x); }},
    {"pow 2", [](const Tensor& x) { return pow(x, 2); }},
    {"pow 3", [](const Tensor& x) { return pow(x, 3); }},
    {"pow 1", [](const Tensor& x) { return pow(x, 1); }},
    {"pow 0", [](const Tensor& x) { return pow(x, 0); }},
    {"pow 0.5", [](const Tensor& x) { return pow(x, 0.5); }, 0.1},
    {"pow -1.5", [](const Tensor& x) { return pow(x, -1.5); }, 0.2},
    {"abs", [](const Tensor& x) { return abs(x); }, -kInfinity, kInfinity, 0},
    {"x + 0.7", [](const Tensor& x) { return x + 0.7; }},
    {"0.7 + x", [](const Tensor& x) { return 0.7 + x; }},
    {"x - 0.7", [](const Tensor& x) { return x - 0.7; }},
    {"0.7 - x", [](const Tensor& x) { return 0.7 - x; }},
    {"x * 1.3", [](const Tensor& x) { return x * 1.3; }},
    {"-1.3 * x", [](const Tensor& x) { return -1.3 * x; }},
    {"x / 3", [](const Tensor& x) { return x / 3; }},
    {"1.5 / x", [](const Tensor& x) { return 1.5 / x; }, 0.2},
};

bool add_unary(Builder& b) {
  const Unary& op = kUnary[b.below(std::size(kUnary))];
  const int x = b.within(b.any(), op.low, op.high, op.kink);
  return b.push(op.name, "", {x}, [f = op.f](const Tensors& in) { return Tensors{f(in[0])}; });
}

bool add_clamp(Builder& b) {
  const double low = b.uniform(-1, 0), high = b.uniform(0.1, 1);
  const int x =
      b.within(b.within(b.any(), -kInfinity, kInfinity, low), -kInfinity, kInfinity, high);
  for (const double v : b[x].to_vector<double>())
    if (std::fabs(v - low) < kMargin || std::fabs(v - high) < kMargin) return false;
  return b.push("clamp", fmt::format("low={:.3f} high={:.3f}", low, high), {x},
                [=](const Tensors& in) { return Tensors{clamp(in[0], low, high)}; });
}

struct Binary {
  const char* name;
  Tensor (*f)(const Tensor&, const Tensor&);
};
const Binary kBinary[] = {
    {"add", [](const Tensor& x, const Tensor& y) { return x + y; }},
    {"subtract", [](const Tensor& x, const Tensor& y) { return x - y; }},
    {"multiply", [](const Tensor& x, const Tensor& y) { return x * y; }},
    {"divide", [](const Tensor& x, const Tensor& y) { return x / y; }},
    {"minimum", [](const Tensor& x, const Tensor& y) { return minimum(x, y); }},
    {"maximum", [](const Tensor& x, const Tensor& y) { return maximum(x, y); }},
};

// A pair of values that broadcast, in either order.
std::pair<int, int> pair(Builder& b) {
  int x = b.any(), y = b.broadcast_to_be(b.shape_of(x));
  if (b.chance(0.1)) y = x;
  if (b.chance(0.5)) std::swap(x, y);
  return {x, y};
}

bool add_binary(Builder& b) {
  const Binary& op = kBinary[b.below(std::size(kBinary))];
  const std::string_view name = op.name;
  auto [x, y] = pair(b);
  if (name == "divide") y = b.within(y, 0.2, kInfinity);
  if (name == "minimum" || name == "maximum")
    if (x != y)  // in a tie each gets half of the gradient, which is right for x with itself
      for (const double v : (Tensor(b[x]) - Tensor(b[y])).value().to_vector<double>())
        if (std::fabs(v) < kMargin) return false;
  return b.push(op.name, "", {x, y},
                [f = op.f](const Tensors& in) { return Tensors{f(in[0], in[1])}; });
}

Array random_condition(Builder& b, const Shape& shape) {
  Array condition(shape, DType::f64);
  for (std::int64_t i = 0; i < condition.elements(); ++i) condition.set(i, b.chance(0.5));
  return condition;
}

bool add_where(Builder& b) {
  const auto [x, y] = pair(b);
  const Shape shape = broadcast(b.shape_of(x), b.shape_of(y), "where");
  const Array condition = random_condition(b, shape);
  return b.push("where", "", {x, y}, [condition](const Tensors& in) {
    return Tensors{where(condition.to(in[0].dtype()), in[0], in[1])};
  });
}

// Float32 and float64 draw different masks.
bool add_dropout(Builder& b) {
  const int x = b.any();
  const double p = b.uniform(0.1, 0.7);
  const auto key = static_cast<std::uint64_t>(b.below(1000));
  const auto apply = [=](const Tensors& in) {
    seed(key);
    return Tensors{dropout(in[0], p)};
  };
  return b.push("dropout", fmt::format("p={:.2f}", p), {x}, apply, {}, /*float64_only=*/true);
}

// A constant for the gradient, also while finite differences change the leaves.
bool add_detach(Builder& b) {
  const int x = b.any();
  return b.push("detach", "", {x}, [kept = b[x].clone()](const Tensors& in) {
    return Tensors{NoGrad::active() ? Tensor(kept) : in[0].detach()};
  });
}

// --- Reductions and normalisation -----------------------------------------------------------

struct Reduction {
  const char* name;
  Tensor (*all)(const Tensor&);
  Tensor (*along)(const Tensor&, int, bool);
  int sign = 0;  // 1 of max, -1 of min
};
const Reduction kReductions[] = {
    {"sum", [](const Tensor& x) { return sum(x); },
     [](const Tensor& x, int axis, bool keep) { return sum(x, axis, keep); }},
    {"mean", [](const Tensor& x) { return mean(x); },
     [](const Tensor& x, int axis, bool keep) { return mean(x, axis, keep); }},
    {"logsumexp", [](const Tensor& x) { return logsumexp(x); },
     [](const Tensor& x, int axis, bool keep) { return logsumexp(x, axis, keep); }},
    {"max", [](const Tensor& x) { return max(x); },
     [](const Tensor& x, int axis, bool keep) { return max(x, axis, keep); }, 1},
    {"min", [](const Tensor& x) { return min(x); },
     [](const Tensor& x, int axis, bool keep) { return min(x, axis, keep); }, -1},
};

// True when the largest (sign 1) or smallest element of each row is alone.
bool extremes_are_alone(const Array& x, int axis, bool all, int sign) {
  const Shape& shape = x.shape();
  const std::int64_t outer = all ? 1 : shape.elements(0, axis);
  const std::int64_t n = all ? x.elements() : shape[axis];
  const std::int64_t inner = all ? 1 : shape.elements(axis + 1, shape.rank());
  for (std::int64_t o = 0; o < outer; ++o)
    for (std::int64_t i = 0; i < inner; ++i) {
      double first = -kInfinity, second = -kInfinity;
      for (std::int64_t k = 0; k < n; ++k) {
        const double v = sign * x.at((o * n + k) * inner + i);
        second = std::max(second, std::min(v, first));
        first = std::max(v, first);
      }
      if (first - second < kMargin) return false;
    }
  return true;
}

bool add_reduction(Builder& b) {
  const Reduction& op = kReductions[b.below(std::size(kReductions))];
  const bool is_sum = std::string_view(op.name) == "sum";
  const int x = is_sum ? b.any() : b.any_filled();
  const int rank = b.shape_of(x).rank();
  const bool all = rank == 0 || b.chance(0.2), keep = b.chance(0.4);
  const int axis = all ? 0 : b.axis(rank);
  if (op.sign != 0 && !extremes_are_alone(b[x], (axis + rank) % std::max(1, rank), all, op.sign))
    return false;
  if (all)
    return b.push(op.name, "all", {x},
                  [f = op.all](const Tensors& in) { return Tensors{f(in[0])}; });
  return b.push(
      op.name, fmt::format("axis={} keep={}", axis, keep), {x},
      [f = op.along, axis, keep](const Tensors& in) { return Tensors{f(in[0], axis, keep)}; });
}

bool add_softmax(Builder& b) {
  const int x = b.any(1), axis = b.axis(b.shape_of(x).rank());
  const bool log = b.chance(0.5);
  return b.push(log ? "log_softmax" : "softmax", fmt::format("axis={}", axis), {x},
                [=](const Tensors& in) {
                  return Tensors{log ? log_softmax(in[0], axis) : softmax(in[0], axis)};
                });
}

bool add_layer_norm(Builder& b) {
  const int x = b.any(1);
  const Shape features = {b.shape_of(x).last()};
  const double eps = b.chance(0.5) ? 1e-5 : 0.1;
  const int gain = b.of(features), bias = b.of(features);
  return b.push("layer_norm", fmt::format("eps={}", eps), {x, gain, bias},
                [=](const Tensors& in) { return Tensors{layer_norm(in[0], in[1], in[2], eps)}; });
}

bool add_rms_norm(Builder& b) {
  const int x = b.any(1);
  const int gain = b.of({b.shape_of(x).last()});
  return b.push("rms_norm", "eps=0.1", {x, gain},
                [](const Tensors& in) { return Tensors{rms_norm(in[0], in[1], 0.1)}; });
}

bool add_l2_normalize(Builder& b) {
  return b.push("l2_normalize", "eps=0.1", {b.any(1)},
                [](const Tensors& in) { return Tensors{l2_normalize(in[0], 0.1)}; });
}

bool add_rotary(Builder& b) {
  const std::int64_t heads = 1 + b.below(3), first = b.below(100);
  const int x = b.of({b.size(), b.size(), heads * b.size()});
  return b.push(
      "rotary", fmt::format("heads={} first={}", heads, first), {x},
      [=](const Tensors& in) { return Tensors{rotary(in[0], {.heads = heads, .first = first})}; });
}

bool add_from_buckets(Builder& b) {
  const int x = b.any_filled(2);
  const Shape shape = b.shape_of(x);
  const std::int64_t queries = shape.last(1) == 1 ? b.size() : shape.last(1);
  const Indices buckets = b.ids({queries, b.size()}, shape.last());
  return b.push("from_buckets", to_text(buckets), {x},
                [=](const Tensors& in) { return Tensors{from_buckets(in[0], buckets)}; });
}

bool add_into_buckets(Builder& b) {
  const int x = b.any(2);
  const std::int64_t count = 1 + b.below(4);
  const Indices buckets = b.ids({b.shape_of(x).last(1), b.shape_of(x).last()}, count);
  return b.push("into_buckets", to_text(buckets), {x},
                [=](const Tensors& in) { return Tensors{into_buckets(in[0], buckets, count)}; });
}

// --- Shapes ---------------------------------------------------------------------------------

bool add_reshape(Builder& b) {
  const int x = b.any_filled();
  Shape to = {b[x].elements()};
  for (const std::int64_t n : {2, 3, 5, 7})
    if (b.chance(0.6) && to.rank() < 5 && to.last() % n == 0) {
      to = to.with(0, n);
      to[to.rank() - 1] /= n;
    }
  if (b.chance(0.2)) to = to.with(static_cast<int>(b.below(to.rank() + 1)), 1);
  if (b.chance(0.3)) to[static_cast<int>(b.below(to.rank()))] = -1;
  return b.push("reshape", "", {x},
                [to](const Tensors& in) { return Tensors{reshape(in[0], to)}; });
}

bool add_permute(Builder& b) {
  const int x = b.any(), rank = b.shape_of(x).rank();
  std::vector<int> order;
  for (int i = 0; i < rank; ++i) order.insert(order.begin() + b.below(i + 1), i);
  std::string details = "order";
  for (const int i : order) details += fmt::format(" {}", i);
  return b.push("permute", details, {x},
                [order](const Tensors& in) { return Tensors{permute(in[0], order)}; });
}

bool add_transpose(Builder& b) {
  const int x = b.any(2), rank = b.shape_of(x).rank(), i = b.axis(rank), j = b.axis(rank);
  return b.push("transpose", fmt::format("axes {} {}", i, j), {x},
                [=](const Tensors& in) { return Tensors{transpose(in[0], i, j)}; });
}

bool add_concat(Builder& b) {
  std::vector<int> parts = {b.any(1)};
  const int axis = b.axis(b.shape_of(parts[0]).rank());
  for (std::int64_t more = b.below(4); more > 0; --more) {
    Shape shape = b.shape_of(parts[0]);
    if (b.chance(0.5)) shape[shape.axis(axis, "concat")] = b.size();
    parts.push_back(b.chance(0.15) ? parts[0] : b.of(shape));
  }
  return b.push("concat", fmt::format("axis={}", axis), parts,
                [axis](const Tensors& in) { return Tensors{concat(in, axis)}; });
}

bool add_stack(Builder& b) {
  std::vector<int> parts = {b.any()};
  for (std::int64_t more = b.below(4); more > 0; --more)
    parts.push_back(b.chance(0.15) ? parts[0] : b.of(b.shape_of(parts[0])));
  const int axis = b.axis(b.shape_of(parts[0]).rank() + 1);
  return b.push("stack", fmt::format("axis={}", axis), parts,
                [axis](const Tensors& in) { return Tensors{stack(in, axis)}; });
}

bool add_slice(Builder& b) {
  const int x = b.any(1), rank = b.shape_of(x).rank();
  const int axis = b.chance(0.4) ? 0 : b.axis(rank);
  const std::int64_t n = b.shape_of(x)[(axis + rank) % rank];
  const std::int64_t first = b.below(n + 1), last = first + b.below(n - first + 1);
  return b.push("slice", fmt::format("axis={} [{}, {})", axis, first, last), {x},
                [=](const Tensors& in) { return Tensors{slice(in[0], axis, first, last)}; });
}

bool add_index(Builder& b) {
  const int x = b.any_filled(1);
  const std::int64_t i = b.below(b.shape_of(x)[0]);
  return b.push("index", fmt::format("[{}]", i), {x},
                [i](const Tensors& in) { return Tensors{in[0][i]}; });
}

bool add_split(Builder& b) {
  const int x = b.any(1), rank = b.shape_of(x).rank();
  const int axis = b.chance(0.4) ? 0 : b.axis(rank);
  std::vector<std::int64_t> sizes;
  std::string details = fmt::format("axis={} sizes", axis);
  for (std::int64_t left = b.shape_of(x)[(axis + rank) % rank]; left > 0 || sizes.empty();) {
    sizes.push_back(sizes.size() == 3 ? left : b.below(left + 1));
    left -= sizes.back();
    details += fmt::format(" {}", sizes.back());
  }
  return b.push("split", details, {x},
                [=](const Tensors& in) { return split(in[0], sizes, axis); });
}

bool add_broadcast_to(Builder& b) {
  const Shape shape = b.shape(0, 4);
  const int x = b.broadcast_to_be(shape);
  return b.push("broadcast_to", "", {x},
                [shape](const Tensors& in) { return Tensors{broadcast_to(in[0], shape)}; });
}

bool add_gather(Builder& b) {
  const int x = b.any_filled(1);
  const Shape& shape = b.shape_of(x);
  const Indices index = b.ids(shape.without(shape.rank() - 1), shape.last());
  return b.push("gather", "index=" + to_text(index), {x},
                [index](const Tensors& in) { return Tensors{gather(in[0], index)}; });
}

bool add_index_select(Builder& b) {
  const int x = b.any_filled(1);
  const int axis = static_cast<int>(b.below(b.shape_of(x).rank()));
  const Indices index = b.ids({1 + b.below(4)}, b.shape_of(x)[axis]);
  return b.push("index_select", fmt::format("axis={} index={}", axis, to_text(index)), {x},
                [=](const Tensors& in) { return Tensors{index_select(in[0], axis, index)}; });
}

bool add_embedding(Builder& b) {
  const int weight = b.any_filled(2, 2);
  const Indices ids = b.ids(b.shape(0, 3), b.shape_of(weight)[0]);
  return b.push("embedding", "ids=" + to_text(ids), {weight},
                [ids](const Tensors& in) { return Tensors{embedding(in[0], ids)}; });
}

// --- Products -------------------------------------------------------------------------------

bool add_matmul(Builder& b) {
  const int a = b.any(2);
  const Shape& left = b.shape_of(a);
  const MatmulOptions options{b.chance(0.4), b.chance(0.4)};
  const std::int64_t inner = options.transpose_a ? left.last(1) : left.last(0);
  Shape right = left;
  if (b.chance(0.4)) right = Shape{0, 0};
  right[right.rank() - (options.transpose_b ? 1 : 2)] = inner;
  right[right.rank() - (options.transpose_b ? 2 : 1)] = b.size();
  int c = b.of(right);
  if (b.chance(0.2) && left.rank() == 2) {  // one matrix for all of the other side's
    Shape many = right.with(0, b.size());
    if (many.elements() <= 1000) c = b.of(many);
  }
  return b.push(
      "matmul",
      fmt::format("transpose_a={} transpose_b={}", options.transpose_a, options.transpose_b),
      {a, c}, [options](const Tensors& in) { return Tensors{matmul(in[0], in[1], options)}; });
}

bool add_linear(Builder& b) {
  const int x = b.any(1);
  const std::int64_t in_size = b.shape_of(x).last(), out = b.size();
  const std::int64_t before = b.chance(0.4) ? b.below(4) : 0, after = before > 0 ? b.below(3) : 0;
  const int weight = b.of({out, before + in_size + after}), bias = b.chance(0.3) ? -1 : b.of({out});
  if (before + after > 0)
    return b.push(
        "linear", fmt::format("first_column={}", before), {x, weight, bias},
        [before](const Tensors& in) { return Tensors{linear(in[0], in[1], in[2], before)}; });
  return b.push("linear", "", {x, weight, bias},
                [](const Tensors& in) { return Tensors{linear(in[0], in[1], in[2])}; });
}

bool add_embedding_linear(Builder& b) {
  const int weight = b.any_filled(2, 2);
  const Indices ids = b.ids(b.shape(0, 2), b.shape_of(weight)[0]);
  const int w = b.of({b.size(), b.shape_of(weight)[1] + b.below(3)});
  return b.push("embedding_linear", fmt::format("ids={}", to_text(ids)), {weight, w},
                [=](const Tensors& in) { return Tensors{embedding_linear(in[0], ids, in[1])}; });
}

// --- Losses ---------------------------------------------------------------------------------

bool add_mse_loss(Builder& b) {
  const int x = b.any_filled(), y = b.of(b.shape_of(x));
  return b.push("mse_loss", "", {x, y},
                [](const Tensors& in) { return Tensors{mse_loss(in[0], in[1])}; });
}

bool add_binary_cross_entropy(Builder& b) {
  const int x = b.any_filled(), y = b.of(b.shape_of(x));
  return b.push("binary_cross_entropy_with_logits", "", {x, y}, [](const Tensors& in) {
    return Tensors{binary_cross_entropy_with_logits(in[0], in[1])};
  });
}

// --- Attention, and recurrent cells, of which nothing is hidden ------------------------------

bool add_score(Builder& b) {
  const int keys = b.any_filled(3, 3);
  const Shape& shape = b.shape_of(keys);
  const int query = b.of({shape[1], shape[2]});
  if (b.chance(0.5))
    return b.push("dot_score", "", {query, keys},
                  [](const Tensors& in) { return Tensors{dot_score(in[0], in[1])}; });
  const int v = b.of({shape[2]});
  return b.push("additive_score", "", {query, keys, v},
                [](const Tensors& in) { return Tensors{additive_score(in[0], in[1], in[2])}; });
}

bool add_weighted_sum(Builder& b) {
  const int values = b.any(3, 3);
  const int weights = b.of({b.shape_of(values)[1], b.shape_of(values)[0]});
  return b.push("weighted_sum", "", {weights, values},
                [](const Tensors& in) { return Tensors{weighted_sum(in[0], in[1])}; });
}

bool add_cell(Builder& b) {
  const int kind = static_cast<int>(b.below(4));  // rnn tanh, rnn relu, gru, lstm
  const std::int64_t gates = kind < 2 ? 1 : kind == 2 ? 3 : 4;
  const int x = b.any_filled(2, 2);
  const std::int64_t batch = b.shape_of(x)[0], features = b.shape_of(x)[1], hidden = b.size();
  const bool bias = b.chance(0.7), known = b.chance(0.2);
  const std::int64_t columns = known ? b.below(3) : 0;
  const int h = b.of({batch, hidden}), c = kind == 3 ? b.of({batch, hidden}) : -1;
  const int weight_ih = b.of({gates * hidden, columns + features});
  const int weight_hh = b.of({gates * hidden, hidden});
  const int bias_ih = bias ? b.of({gates * hidden}) : -1;
  const int bias_hh = bias ? b.of({gates * hidden}) : -1;
  const int projected = known ? b.of({batch, gates * hidden}) : -1;
  static const char* const kNames[] = {"rnn_cell", "rnn_cell relu", "gru_cell", "lstm_cell"};
  return b.push(kNames[kind], known ? fmt::format("known columns={}", columns) : "",
                {x, h, c, weight_ih, weight_hh, bias_ih, bias_hh, projected},
                [kind, columns](const Tensors& in) {
                  const RecurrentWeights weights{in[3], in[4], in[5], in[6]};
                  const RecurrentInput input{in[0], {in[7], columns}};
                  const LstmState state = recurrent_cell(static_cast<kernels::Cell>(kind), input,
                                                         {in[1], in[2]}, weights);
                  return kind == 3 ? Tensors{state.h, state.c} : Tensors{state.h};
                });
}

}  // namespace

std::vector<Operation> plain_operations() {
  return {
      {"element-wise", add_unary},
      {"element-wise", add_unary},
      {"element-wise of two", add_binary},
      {"element-wise of two", add_binary},
      {"clamp", add_clamp},
      {"where", add_where},
      {"dropout", add_dropout},
      {"detach", add_detach},
      {"reduction", add_reduction},
      {"reduction", add_reduction},
      {"softmax", add_softmax},
      {"layer_norm", add_layer_norm},
      {"rms_norm", add_rms_norm},
      {"l2_normalize", add_l2_normalize},
      {"rotary", add_rotary},
      {"from_buckets", add_from_buckets},
      {"into_buckets", add_into_buckets},
      {"reshape", add_reshape},
      {"permute", add_permute},
      {"transpose", add_transpose},
      {"concat", add_concat},
      {"stack", add_stack},
      {"slice", add_slice},
      {"index", add_index},
      {"split", add_split},
      {"broadcast_to", add_broadcast_to},
      {"gather", add_gather},
      {"index_select", add_index_select},
      {"embedding", add_embedding},
      {"matmul", add_matmul},
      {"linear", add_linear},
      {"embedding_linear", add_embedding_linear},
      {"mse_loss", add_mse_loss},
      {"binary_cross_entropy_with_logits", add_binary_cross_entropy},
      {"score", add_score},
      {"weighted_sum", add_weighted_sum},
      {"cell", add_cell},
  };
}

}  // namespace attune::random_programs
