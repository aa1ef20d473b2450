#include "attune/layers/initializers.h"

#include <algorithm>
#include <cmath>

#include "attune/autograd/array/error.h"
#include "attune/autograd/array/random.h"

namespace attune {
namespace {

struct Fans {
  double in, out;
};

Fans fans_of(const Array& weight, const char* name) {
  ATTUNE_CHECK(weight.shape().rank() == 2,
               "{}: shape {} has no fans; it takes a weight of shape [out, in]", name,
               weight.shape());
  return {static_cast<double>(weight.shape()[1]), static_cast<double>(weight.shape()[0])};
}

Initializer uniform_within(const char* name, double (*bound)(Fans), double gain) {
  return [=](Array& out) {
    const double limit = gain * bound(fans_of(out, name));
    generator().uniform(out, -limit, limit);
  };
}

Initializer normal_of(const char* name, double (*deviation)(Fans), double gain) {
  return [=](Array& out) { generator().normal(out, 0, gain * deviation(fans_of(out, name))); };
}

// Makes `count` rows of `size` numbers orthonormal by modified Gram-Schmidt in float64, which is
// accurate enough for random rows.
void orthonormalize(double* rows, std::int64_t count, std::int64_t size) {
  const auto dot = [size](const double* a, const double* b) {
    double sum = 0;
    for (std::int64_t i = 0; i < size; ++i) sum += a[i] * b[i];
    return sum;
  };
  for (std::int64_t r = 0; r < count; ++r) {
    double* row = rows + r * size;
    for (std::int64_t before = 0; before < r; ++before) {
      const double* other = rows + before * size;
      const double along = dot(row, other);
      for (std::int64_t i = 0; i < size; ++i) row[i] -= along * other[i];
    }
    const double length = std::sqrt(dot(row, row));
    for (std::int64_t i = 0; i < size; ++i) row[i] /= length;
  }
}

}  // namespace

Initializer zeros() { return constant(0); }
Initializer ones() { return constant(1); }

Initializer constant(double value) {
  return [value](Array& out) { out.fill(value); };
}

Initializer uniform(double low, double high) {
  return [low, high](Array& out) { generator().uniform(out, low, high); };
}

Initializer uniform_by_inputs(std::int64_t inputs) {
  const double bound = 1 / std::sqrt(static_cast<double>(inputs));
  return uniform(-bound, bound);
}

Initializer normal(double mean, double deviation) {
  return [mean, deviation](Array& out) { generator().normal(out, mean, deviation); };
}

Initializer softplus_log_uniform(double low, double high) {
  ATTUNE_CHECK(low > 0 && low < high, "softplus_log_uniform: {} and {} are not 0 < low < high", low,
               high);
  return [=](Array& out) {
    generator().uniform(out, std::log(low), std::log(high));
    for (std::int64_t i = 0; i < out.elements(); ++i) {
      const double step = std::exp(out.at(i));
      out.set(i, step + std::log(-std::expm1(-step)));  // the inverse of softplus
    }
  };
}

Initializer xavier_uniform(double gain) {
  return uniform_within(
      "xavier_uniform", [](Fans fans) { return std::sqrt(6 / (fans.in + fans.out)); }, gain);
}

Initializer xavier_normal(double gain) {
  return normal_of(
      "xavier_normal", [](Fans fans) { return std::sqrt(2 / (fans.in + fans.out)); }, gain);
}

Initializer kaiming_uniform(double gain) {
  return uniform_within(
      "kaiming_uniform", [](Fans fans) { return std::sqrt(3 / fans.in); }, gain);
}

Initializer kaiming_normal(double gain) {
  return normal_of(
      "kaiming_normal", [](Fans fans) { return 1 / std::sqrt(fans.in); }, gain);
}

Initializer orthogonal(double gain) {
  return [gain](Array& out) {
    ATTUNE_CHECK(out.shape().rank() == 2, "orthogonal: shape {} is not a matrix", out.shape());
    const std::int64_t rows = out.shape()[0], columns = out.shape()[1];
    const std::int64_t count = std::min(rows, columns), size = std::max(rows, columns);
    Array basis({count, size}, DType::f64);
    generator().normal(basis, 0, 1);
    const double* from = basis.data<double>();
    orthonormalize(basis.mutable_data<double>(), count, size);
    for (std::int64_t i = 0; i < rows; ++i)
      for (std::int64_t j = 0; j < columns; ++j)
        out.set(i * columns + j,
                gain * (rows <= columns ? from[i * size + j] : from[j * size + i]));
  };
}

}  // namespace attune
