#include <memory>
#include <utility>

#include "attune/attune.h"
#include "catch.h"

// Gradients are values: changing one never changes another.
using namespace attune;

namespace {

Tensor parameter(const std::vector<float>& values) {
  return Tensor::parameter(Array::from(values, {static_cast<std::int64_t>(values.size())}));
}

using Values = std::vector<float>;

}  // namespace

TEST_CASE("a gradient used in a computation is unchanged when more is accumulated") {
  const Tensor w = parameter({3}), p = parameter({1});
  sum(square(w)).backward();
  const Tensor y = sum(p * Tensor(w.grad()));
  sum(square(w)).backward();
  y.backward();
  CHECK(p.grad().to_vector() == Values{6});
  CHECK(w.grad().to_vector() == Values{12});
}

TEST_CASE("a gradient kept by the caller does not change in later passes, also in shards") {
  const Tensor w = parameter({3, -1});
  sum(square(w)).backward();
  const Array kept = w.grad();
  sharded_backward(2, [&](std::int64_t) { return sum(square(w)); });
  CHECK(kept.to_vector() == Values{6, -2});
  CHECK(w.grad().to_vector() == Values{18, -6});
  const Array more = w.grad();
  sum(w).backward();
  CHECK(more.to_vector() == Values{18, -6});
}

TEST_CASE("adding to a gradient in place counts as a change") {
  const Tensor w = parameter({3});
  sum(square(w)).backward();
  const std::uint32_t before = w.grad().version();
  sum(square(w)).backward();
  CHECK(w.grad().version() != before);
}

TEST_CASE("a hook that changes its array in place changes no other gradient") {
  for (const bool retained : {false, true}) {
    Tensor a = parameter({1, 2}), b = parameter({3, 4});
    Tensor x = a * 1.0, y = b * 1.0;
    if (retained) y.retain_grad();
    x.register_hook([](const Array& gradient) {
      Array changed = gradient;
      changed.mutable_data<float>()[0] = 100;
      return changed;
    });
    Tensor z = x + y;  // both get one array
    z.retain_grad();
    const Array start = Array::full({2}, 1);
    z.backward(start);
    CHECK(a.grad().to_vector() == Values{100, 1});
    CHECK(b.grad().to_vector() == Values{1, 1});
    CHECK(z.grad().to_vector() == Values{1, 1});
    CHECK(start.to_vector() == Values{1, 1});
  }
}

TEST_CASE("a retained gradient does not share memory") {
  Tensor a = parameter({1, 2});
  Tensor x = a * 1.0;
  x.retain_grad();
  Tensor y = x + 0.0;
  y.retain_grad();
  Array start = Array::full({2}, 1);
  y.backward(start);
  start.fill(7);
  CHECK(y.grad().to_vector() == Values{1, 1});
  Array seen = y.grad();
  seen.fill(9);
  CHECK(x.grad().to_vector() == Values{1, 1});
  CHECK(a.grad().to_vector() == Values{1, 1});
}

TEST_CASE("a hook registered by another hook is first called in the next pass") {
  Tensor w = parameter({1});
  int outer = 0, inner = 0;
  w.register_hook([&](const Array& gradient) {
    ++outer;
    for (int i = 0; i < 100; ++i)
      w.register_hook([&](const Array& g) {
        ++inner;
        return g;
      });
    return gradient;
  });
  sum(w).backward();
  CHECK(outer == 1);
  CHECK(inner == 0);
  sum(w).backward();
  CHECK(outer == 2);
  CHECK(inner == 100);

  Tensor x = w * 2.0;  // of an operation
  int seen = 0;
  x.register_hook([&, x](const Array& gradient) mutable {
    ++seen;
    x.register_hook([&](const Array& g) {
      ++seen;
      return g;
    });
    return gradient;
  });
  sum(x).backward(true);
  CHECK(seen == 1);
}

TEST_CASE("a hook that captures its own tensor does not keep it alive") {
  const auto witness = std::make_shared<int>(0);
  {
    Tensor leaf = parameter({1});
    leaf.register_hook([leaf, witness](const Array& gradient) {
      return leaf.elements() == 1 ? gradient : Array();
    });
    leaf.register_hook([leaf, copy = leaf, witness](const Array& gradient) {
      return copy.elements() == 1 ? gradient : Array();
    });
    sum(leaf).backward();
    CHECK(leaf.grad().to_vector() == Values{1});
    CHECK(witness.use_count() == 3);
  }
  CHECK(witness.use_count() == 1);
  {
    Tensor leaf = parameter({1});
    Tensor result = leaf * 2.0;  // never differentiated
    result.register_hook([result, witness](const Array& gradient) { return gradient; });
    CHECK(witness.use_count() == 2);
  }
  CHECK(witness.use_count() == 1);
  {
    Tensor leaf = parameter({1});
    Tensor result = leaf * 2.0;
    result.register_hook([result, witness](const Array& gradient) { return gradient; });
    sum(result).backward();  // releases its hooks
    CHECK(leaf.grad().to_vector() == Values{2});
    CHECK(witness.use_count() == 1);
  }
}

TEST_CASE("an error in a pass keeps the gradients of earlier passes") {
  Tensor w = parameter({3});
  sum(square(w)).backward();
  Tensor x = w * 2.0;
  x.register_hook([](const Array&) -> Array { fail("no"); });
  CHECK_THROWS(sum(x + w).backward());
  CHECK(w.grad().to_vector() == Values{6});
  sum(square(w)).backward();
  CHECK(w.grad().to_vector() == Values{12});
}

TEST_CASE("a modified weight is packed again for products of every size") {
  Tensor w = Tensor::parameter(Array::full({64, 32}, 1));
  for (const std::int64_t rows : {1, 4, 64, 200}) {
    const Tensor x = Array::full({rows, 32}, 1);
    w.value().fill(1);
    CHECK(linear(x, w).value().at(0) == 32);
    w.value().mutable_data<float>()[0] = 5;
    CHECK(linear(x, w).value().at(0) == 36);
    Array row = w.value()[0];  // through a view
    row.mutable_data<float>()[1] = 5;
    CHECK(linear(x, w).value().at(0) == 40);
    w.value().set(0, 1);
    CHECK(linear(x, w).value().at(0) == 36);
  }
}

TEST_CASE("a value changed through its data after it was saved for backward is an error") {
  Tensor w = parameter({3});
  const Tensor y = sum(square(w));
  w.value().mutable_data<float>()[0] = 5;
  CHECK_THROWS_WITH(y.backward(), contains("changed in place"));
}

TEST_CASE("a block of memory keeps one cache of each type") {
  struct A : Cache {
    int value = 1;
  };
  struct B : Cache {
    double value = 2.5;
  };
  const Array x({3});
  CHECK(x.cache<A>().value == 1);
  CHECK(x.cache<B>().value == 2.5);
  x.cache<A>().value = 7;
  CHECK(x.cache<B>().value == 2.5);
  CHECK(x.cache<A>().value == 7);
}

TEST_CASE("undefined arrays, indices and tensors are errors, not crashes") {
  Array none;
  CHECK_FALSE(none.unique());
  CHECK_FALSE(none.shares_memory_with(Array()));
  CHECK_THROWS_AS(none.clone(), Error);
  CHECK_THROWS_AS(none.assign(Array::zeros({})), Error);
  CHECK_THROWS_AS(Array::zeros({}).assign(none), Error);
  CHECK_THROWS_AS(none.version(), Error);
  CHECK_THROWS_AS(none.raw(), Error);
  CHECK_THROWS_AS(none.mutable_raw(), Error);
  CHECK_THROWS_AS(none.data<float>(), Error);
  CHECK_THROWS_AS(none.mutable_data<float>(), Error);
  CHECK_THROWS_AS(none.fill(1), Error);
  CHECK_THROWS_AS(none.set(0, 1), Error);
  CHECK_THROWS_AS(none.at(0), Error);
  CHECK_THROWS_AS(none.item(), Error);
  CHECK_THROWS_AS(none.to_vector(), Error);
  CHECK_THROWS_AS(none.all_finite(), Error);
  CHECK_THROWS_AS(none.reshape({1}), Error);
  CHECK_THROWS_AS(none.view(0, {1}), Error);
  CHECK_THROWS_AS(none.block(0, 1), Error);
  CHECK_THROWS_AS(none[0], Error);
  CHECK_THROWS_AS(none.to(DType::f64), Error);
  CHECK_THROWS_AS(none.to(DType::f32), Error);
  CHECK_THROWS_AS(Tensor::parameter(none), Error);

  const Indices empty;
  CHECK_THROWS_AS(empty.data(), Error);
  CHECK_THROWS_AS(empty.at(0), Error);
  CHECK_THROWS_AS(empty[0], Error);
  CHECK_THROWS_AS(empty.block(0, 0), Error);
  CHECK_THROWS_AS(empty.columns(0, 0), Error);
  CHECK_THROWS_AS(empty.reshape({1}), Error);
  CHECK_THROWS_AS(empty.to_vector(), Error);
  CHECK_THROWS_AS(Indices({1, 2}).at(2), Error);
  CHECK_THROWS_AS(Indices({1, 2}).at(-1), Error);

  const Tensor x = parameter({1, 2}), nothing;
  CHECK_THROWS_AS(x + nothing, Error);
  CHECK_THROWS_AS(nothing * 2.0, Error);
  CHECK_THROWS_AS(matmul(x, nothing), Error);
  CHECK_THROWS_AS(sum(nothing), Error);
  CHECK_THROWS_AS(reshape(nothing, {1}), Error);
  CHECK_THROWS_AS(concat({x, nothing}, 0), Error);
  CHECK_THROWS_AS(embedding(parameter({1}), empty), Error);
  CHECK_THROWS_AS(softmax(nothing), Error);
  CHECK_THROWS_AS(nothing.backward(), Error);
  CHECK_THROWS_AS(x.backward(Array()), Error);
  CHECK_THROWS_AS(cross_entropy(nothing, empty), Error);
}

TEST_CASE("an undefined array is not saved as a number") {
  CHECK_THROWS_WITH(save_safetensors("/tmp/never-written.safetensors", {{{"a", Array()}}, {}}),
                    contains("'a' is not defined"));
}

TEST_CASE("a backward function that writes the gradient of a constant gets a helpful error") {
  const Tensor x = parameter({1, 2}), constant = Array::full({2}, 3);
  const Tensor y = record("mine", x.value().clone(), {x, constant}, [](Grads& g) { g.into(1); });
  CHECK_THROWS_WITH(sum(y).backward(), contains("check needs(1) first"));
  const Tensor z = record("mine", x.value().clone(), {x}, [](Grads& g) { g.add(1, g.dy()); });
  CHECK_THROWS_WITH(sum(z).backward(), contains("there is no input 1"));
}
