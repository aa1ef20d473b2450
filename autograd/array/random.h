#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "attune/autograd/array/array.h"

namespace attune {

/// Philox4x32-10, a counter-based random number generator (Salmon et al. 2011, "Parallel Random
/// Numbers: As Easy as 1, 2, 3"): four 32-bit numbers that are a function of the key and of a
/// 128-bit counter, given as stream and index. There is no state, so element i of an array is the
/// same whichever thread computes it.
std::array<std::uint32_t, 4> philox(std::uint64_t key, std::uint64_t stream, std::uint64_t index);

/// A random number generator, whose state is a seed and the number of draws so far. Each draw is a
/// separate stream. Generators in the same state give the same numbers, so a checkpoint stores only
/// the seed and the number of draws.
class Generator {
 public:
  constexpr explicit Generator(std::uint64_t seed = 0) : seed_(seed) {}
  Generator(std::uint64_t seed, std::uint64_t draws) : seed_(seed), draws_(draws) {}
  std::uint64_t seed() const { return seed_; }
  std::uint64_t draws() const { return draws_; }

  /// Fills with uniform numbers in [low, high), or with `low` if low == high. Errors: low > high;
  /// low, high or high - low is not finite in the array's dtype.
  void uniform(Array& out, double low, double high);
  /// Fills with normally distributed numbers (Box and Muller 1958). Errors: a negative deviation; a
  /// mean or a deviation that is not finite.
  void normal(Array& out, double mean, double deviation);
  /// Fills with a dropout mask: 0 with probability p, 1 / (1 - p) otherwise. Errors: p outside
  /// [0, 1].
  void dropout_mask(Array& out, double p);
  /// A uniform integer in [0, n). Errors: n < 1.
  std::int64_t below(std::int64_t n);
  /// A uniform number in [0, 1).
  double uniform();
  /// Derives `count` generators, one for each part of a task, so that the numbers do not depend on
  /// which thread runs which part. Counts as one draw. Errors: count < 0.
  std::vector<Generator> split(std::int64_t count);

 private:
  std::uint64_t seed_;
  std::uint64_t draws_ = 0;
};

/// The calling thread's generator, which initialisers and dropout use.
///
/// The main thread starts with seed 0. Every other thread gets its own stream at its first draw,
/// determined by the process's seed and by how many threads have drawn before it. A program is
/// therefore reproducible if its threads make their first draws in a fixed order. If that order is
/// not fixed, give each thread a generator: a GeneratorScope with a part of Generator::split(), or
/// seed() in the thread.
Generator& generator();

/// Restarts the calling thread's generator from `seed` and sets the process's seed, which all
/// threads that have not called seed() themselves use from then on; the count of threads starts
/// again at 0. Inside a GeneratorScope it sets that scope's generator only.
void seed(std::uint64_t seed);

/// Replaces the calling thread's generator for the lifetime of the scope.
///
///     std::vector<Generator> parts = generator().split(workers);
///     std::thread([&, i] { const GeneratorScope scope(parts[i]); ... });
class GeneratorScope {
 public:
  [[nodiscard]] explicit GeneratorScope(const Generator& generator);
  ~GeneratorScope();
  GeneratorScope(const GeneratorScope&) = delete;
  GeneratorScope& operator=(const GeneratorScope&) = delete;

 private:
  Generator generator_;
  Generator* outer_;
};

/// The generator for draws that apply to a whole batch: if a batch is split into shards, all of
/// them start from the same state and draw the same numbers. Outside of shards it is
/// generator().
Generator& batch_generator();
/// Makes batch_generator() a copy of `shared` on the calling thread for the lifetime of the scope.
class BatchGenerator {
 public:
  [[nodiscard]] explicit BatchGenerator(const Generator& shared);
  ~BatchGenerator();
  BatchGenerator(const BatchGenerator&) = delete;
  BatchGenerator& operator=(const BatchGenerator&) = delete;

 private:
  Generator current_;
  Generator* outer_;
};

}  // namespace attune
