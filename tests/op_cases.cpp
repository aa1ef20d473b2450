#include "op_cases.h"

#include <cmath>

using namespace attune;

const std::vector<OpCase>& op_cases() {
  static const std::vector<OpCase> all = [] {
    std::vector<OpCase> cases;
    for (const auto& family :
         {arithmetic_cases(), activation_cases(), reduction_cases(), shaping_cases(),
          indexing_cases(), normalization_cases(), loss_cases(), product_cases(),
          sequence_attention_cases(), position_cases(), recurrent_cases(), alignment_cases(),
          state_cases()})
      cases.insert(cases.end(), family.begin(), family.end());
    return cases;
  }();
  return all;
}

Array random_array(const Operand& operand, const Shape& shape, DType dtype, std::uint64_t seed) {
  Array x(shape, DType::f64);
  Generator(seed).uniform(x, operand.low, operand.high);
  for (std::int64_t i = 0; i < x.elements(); ++i)
    if (const double away = x.at(i) - operand.kink; std::fabs(away) < 0.05)
      x.set(i, operand.kink + (away < 0 ? -0.05 : 0.05));
  return x.to(dtype);
}

Numbers each(const Numbers& x, const std::function<double(double)>& f) {
  Numbers y;
  for (const double v : x) y.push_back(f(v));
  return y;
}

Numbers each_pair(const Shape& a_shape, const Numbers& a, const Shape& b_shape, const Numbers& b,
                  const Shape& shape, const std::function<double(double, double)>& f) {
  // Where the element at flat position `i` of the result comes from.
  const auto position = [&](const Shape& operand, std::int64_t i) {
    std::int64_t flat = 0, step = 1;
    for (int back = 0; back < shape.rank(); ++back) {
      const std::int64_t index = i % shape.last(back);
      i /= shape.last(back);
      if (back >= operand.rank()) continue;
      if (operand.last(back) != 1) flat += index * step;
      step *= operand.last(back);
    }
    return static_cast<std::size_t>(flat);
  };
  Numbers y;
  for (std::int64_t i = 0; i < shape.elements(); ++i)
    y.push_back(f(a[position(a_shape, i)], b[position(b_shape, i)]));
  return y;
}

Indices ids(const Shape& shape, std::int64_t below) {
  std::vector<std::int32_t> values;
  for (std::int64_t i = 0; i < shape.elements(); ++i)
    values.push_back(static_cast<std::int32_t>((7 * i + i * i / 3) % below));
  return Indices(values, shape);
}

Indices some_lengths(std::int64_t count, std::int64_t longest) {
  std::vector<std::int32_t> values;
  for (std::int64_t i = 0; i < count; ++i)
    values.push_back(static_cast<std::int32_t>((i * 2 + longest) % (longest + 1)));
  return Indices(values);
}

Tensor of(std::initializer_list<std::int64_t> shape, DType dtype) {
  return Tensor(Array::zeros(Shape(shape), dtype));
}
