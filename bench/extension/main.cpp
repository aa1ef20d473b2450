// Compares operations and an optimizer that are defined here, compiled with this program's own
// flags, with those of the library. The two run in turn, in one process and on one thread. Prints
// one line for each: name, the library's time, this program's time (both the minimum of many, in
// microseconds), and their ratio.
#include <chrono>

#include "attune/attune.h"
#include "attune/extend.h"

using namespace attune;

namespace {

constexpr std::int64_t kElements = 1 << 14;  // three arrays fit into the L2 cache: measures loops
constexpr int kRounds = 400, kCalls = 4;

Tensor own_silu(const Tensor& x) {
  Array y = map("own_silu", x.value(), [](auto v) { return math::silu(v); });
  return record("own_silu", std::move(y), {x}, [x = Saved(x)](Grads& g) {
    g.add(0, map("own_silu", g.dy(), *x, [](auto d, auto v) { return d * math::silu_slope(v); }));
  });
}

Tensor own_product(const Tensor& a, const Tensor& b) {
  Array y = map("own_product", a.value(), b.value(), [](auto v, auto u) { return v * u; });
  return record("own_product", std::move(y), {a, b}, [a = Saved(a), b = Saved(b)](Grads& g) {
    const auto product = [](auto d, auto v) { return d * v; };
    if (g.needs(0)) g.add(0, map("own_product", g.dy(), *b, product));
    if (g.needs(1)) g.add(1, map("own_product", g.dy(), *a, product));
  });
}

// As Adagrad without options.
class OwnAdagrad : public OptimizerWith<AdagradOptions> {
 public:
  using OptimizerWith::OptimizerWith;

 protected:
  std::vector<const char*> slots(int) const override { return {"sum"}; }
  void update(const Slice& slice) const override {
    const AdagradOptions& o = options(slice.group);
    dispatch(slice.dtype(), [&](auto type) {
      using T = decltype(type);
      const T rate = static_cast<T>(slice.learning_rate), eps = static_cast<T>(o.eps);
      const T weight_decay = static_cast<T>(o.weight_decay);
      slice.each<T, 0>([=](T& p, T g, T& sum) {
        g += weight_decay * p;
        sum = without_infinity(sum + g * g);
        p -= step_size(rate * g, std::sqrt(sum) + eps);
      });
    });
  }
};

// The average time of kCalls calls, in microseconds.
template <typename F>
double time_of(const F& f) {
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < kCalls; ++i) f();
  const std::chrono::duration<double, std::micro> taken = std::chrono::steady_clock::now() - begin;
  return taken.count() / kCalls;
}

template <typename Library, typename Own>
void compare(const char* name, const Library& library, const Own& own) {
  double best = 1e30, own_best = 1e30;
  for (int round = 0; round < kRounds; ++round) {
    best = std::min(best, time_of(library));
    own_best = std::min(own_best, time_of(own));
  }
  fmt::print("{:<24}{:8.2f} {:8.2f} {:6.2f}\n", name, best, own_best, own_best / best);
}

Array random(const Shape& shape) {
  Array values(shape, DType::f32);
  generator().normal(values, 0, 1);
  return values;
}

}  // namespace

int main() {
  set_threads(1);
  seed(1);
  Tensor x = Tensor::parameter(random({kElements / 256, 256}));
  const Tensor row = random({256}), constant = random(x.shape());
  const Array dy = random(x.shape());
  const auto forward = [&](auto f) { return [&, f] { f(constant); }; };
  const auto both = [&](auto f) {
    return [&, f] {
      x.zero_grad();
      f(x).backward(dy);
    };
  };
  const auto silu_of = [](const Tensor& v) { return silu(v); };
  const auto own_silu_of = [](const Tensor& v) { return own_silu(v); };
  compare("silu", forward(silu_of), forward(own_silu_of));
  compare("silu, with gradient", both(silu_of), both(own_silu_of));
  const auto product = [&](const Tensor& v) { return v * constant; };
  const auto own = [&](const Tensor& v) { return own_product(v, constant); };
  compare("a b", forward(product), forward(own));
  compare(
      "a b, broadcast", [&] { constant* row; }, [&] { own_product(constant, row); });
  compare("a b, with gradient", both(product), both(own));

  x.zero_grad();
  (x * 1).backward(dy);
  Tensor other = Tensor::parameter(x.value().clone());
  (other * 1).backward(dy);
  Adagrad adagrad({x});
  OwnAdagrad own_adagrad(Parameters{other});
  compare(
      "Adagrad", [&] { adagrad.step(); }, [&] { own_adagrad.step(); });
}
