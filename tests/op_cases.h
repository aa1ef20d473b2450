#pragma once

#include <functional>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "attune/autograd/all.h"

/// One row for each operation; bench/micro measures them, and op_test.cpp makes tests of them:
/// values against plain loops, gradients against finite differences, the same bits for any number
/// of threads, error texts.

using Numbers = std::vector<double>;

/// An operand: random numbers from [low, high), none nearer than 0.05 to `kink`, where the
/// derivative jumps.
struct Operand {
  attune::Shape shape;
  double low = -1, high = 1;
  double kink = -1e9;
};

/// What an operation returns; one tensor or several.
struct Results : std::vector<attune::Tensor> {
  Results(const attune::Tensor& one) : vector{one} {}
  Results(std::initializer_list<attune::Tensor> several) : vector(several) {}
  Results(std::vector<attune::Tensor> several) : vector(std::move(several)) {}
};

struct BadCall {
  std::string error;  ///< what the message says
  std::function<void()> call;
};

using Operands = std::vector<attune::Tensor>;

struct OpCase {
  std::string name;
  std::vector<Operand> operands;     ///< small and odd
  std::vector<attune::Shape> large;  ///< the operands' shapes where work is split over threads
  std::function<Results(const Operands&)> apply;
  /// All results, one after the other, from all operands (row-major), in plain double loops.
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
std::vector<OpCase> loss_cases();
std::vector<OpCase> product_cases();
std::vector<OpCase> sequence_attention_cases();
std::vector<OpCase> recurrent_cases();

/// Random numbers as `operand` wants them, in another shape.
attune::Array random_array(const Operand& operand, const attune::Shape& shape, attune::DType dtype,
                           std::uint64_t seed);
/// f of each number.
Numbers each(const Numbers& x, const std::function<double(double)>& f);
/// f of each pair under broadcasting, by index arithmetic over the shape of the result.
Numbers each_pair(const attune::Shape& a_shape, const Numbers& a, const attune::Shape& b_shape,
                  const Numbers& b, const attune::Shape& shape,
                  const std::function<double(double, double)>& f);
/// Ids that are the same for the same shape: 7 i mod `below` and the like.
attune::Indices ids(const attune::Shape& shape, std::int64_t below);
/// Lengths from 0 to `longest`, both included, for `count` rows.
attune::Indices some_lengths(std::int64_t count, std::int64_t longest);
/// A tensor of zeros, for calls that fail before they compute.
attune::Tensor of(std::initializer_list<std::int64_t> shape,
                  attune::DType dtype = attune::DType::f32);
