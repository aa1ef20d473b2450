#pragma once

#include <functional>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "attune/autograd/all.h"

/// One row for each operation. bench/micro measures each row, and op_test.cpp tests it: values
/// against plain loops, gradients against finite differences, the same bits for any number of
/// threads, error texts.

using Numbers = std::vector<double>;

/// An operand: random numbers in [low, high), at least 0.05 away from `kink`, a value at which the
/// derivative is discontinuous.
struct Operand {
  attune::Shape shape;
  double low = -1, high = 1;
  double kink = -1e9;
};

/// The result of an operation: one tensor or several.
struct Results : std::vector<attune::Tensor> {
  Results(const attune::Tensor& one) : vector{one} {}
  Results(std::initializer_list<attune::Tensor> several) : vector(several) {}
  Results(std::vector<attune::Tensor> several) : vector(std::move(several)) {}
};

struct BadCall {
  std::string error;  ///< expected part of the message
  std::function<void()> call;
};

using Operands = std::vector<attune::Tensor>;

struct OpCase {
  std::string name;
  std::vector<Operand> operands;     ///< small, with odd sizes
  std::vector<attune::Shape> large;  ///< shapes large enough to be split among threads
  std::function<Results(const Operands&)> apply;
  /// All results, concatenated, from all operands (row-major), computed by plain loops in double.
  std::function<Numbers(const std::vector<Numbers>&)> expected;
  std::vector<BadCall> bad_calls = {};
};

/// Every row of every family.
const std::vector<OpCase>& op_cases();

std::vector<OpCase> arithmetic_cases();
std::vector<OpCase> activation_cases();
std::vector<OpCase> reduction_cases();
std::vector<OpCase> shaping_cases();
std::vector<OpCase> indexing_cases();
std::vector<OpCase> normalization_cases();
std::vector<OpCase> position_cases();
std::vector<OpCase> loss_cases();
std::vector<OpCase> product_cases();
std::vector<OpCase> sequence_attention_cases();
std::vector<OpCase> recurrent_cases();
std::vector<OpCase> alignment_cases();
std::vector<OpCase> state_cases();

/// Random numbers in the range of `operand`, with another shape.
attune::Array random_array(const Operand& operand, const attune::Shape& shape, attune::DType dtype,
                           std::uint64_t seed);
/// Applies f to each number.
Numbers each(const Numbers& x, const std::function<double(double)>& f);
/// Applies f to each pair of numbers, broadcast to `shape`, the shape of the result.
Numbers each_pair(const attune::Shape& a_shape, const Numbers& a, const attune::Shape& b_shape,
                  const Numbers& b, const attune::Shape& shape,
                  const std::function<double(double, double)>& f);
/// Arbitrary ids in [0, below), always the same for the same arguments.
attune::Indices ids(const attune::Shape& shape, std::int64_t below);
/// Arbitrary lengths in [0, longest] for `count` rows.
attune::Indices some_lengths(std::int64_t count, std::int64_t longest);
/// A tensor of zeros, for calls that fail before they compute.
attune::Tensor of(std::initializer_list<std::int64_t> shape,
                  attune::DType dtype = attune::DType::f32);
