#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "attune/autograd/array/array.h"

namespace attune {

/// Philox4x32-10, a counter-based random number generator (Salmon et al. 2011, "Parallel Random
/// Numbers: As Easy as 1, 2, 3"): four 32-bit numbers from a key and a counter, without state, so
/// that element i gets the same number whichever thread asks.
std::array<std::uint32_t, 4> philox(std::uint64_t key, std::uint64_t stream, std::uint64_t index);

/// A source of random numbers: a seed, and how many draws were made with it. Each draw is a stream
/// of its own. Generators in the same state give the same numbers, so the state is all that a
/// checkpoint needs.
class Generator {
 public:
  constexpr explicit Generator(std::uint64_t seed = 0) : seed_(seed) {}
  Generator(std::uint64_t seed, std::uint64_t draws) : seed_(seed), draws_(draws) {}
  std::uint64_t seed() const { return seed_; }
  std::uint64_t draws() const { return draws_; }

  /// Fills with numbers from [low, high); with `low` where both are equal. Errors: low > high;
  /// bounds, or their difference, that are not finite numbers of the array's dtype.
  void uniform(Array& out, double low, double high);
  /// Fills with normal numbers (Box and Muller 1958). Errors: a negative deviation; a mean or a
  /// deviation that is not finite.
  void normal(Array& out, double mean, double deviation);
  /// Fills with 1 / (1 - p) where an element is kept, with probability 1 - p, and 0 elsewhere.
  /// Errors: p outside [0, 1].
  void dropout_mask(Array& out, double p);
  /// A whole number from [0, n). Errors: n < 1.
  std::int64_t below(std::int64_t n);
  /// A number from [0, 1).
  double uniform();
  /// Generators of their own for `count` parts of some work, whichever threads they run on. One
  /// draw. Errors: count < 0.
  std::vector<Generator> split(std::int64_t count);

 private:
  std::uint64_t seed_;
  std::uint64_t draws_ = 0;
};

/// The calling thread's generator: initialisers and dropout draw from it.
///
/// The main thread starts with seed 0, or from its own last seed(). Every other thread gets a
/// stream of its own, which depends on the process's seed and on how many threads have drawn before
/// it. So a program is reproducible if its threads make their first draw in a fixed order. If they
/// race, give each thread a generator: GeneratorScope with a part of Generator::split(), or seed()
/// in the thread.
Generator& generator();

/// Restarts the calling thread's generator from `seed` and sets the process's seed, which all
/// threads that have not called seed() themselves use from now on; the count of threads starts
/// again at 0. Inside a GeneratorScope it only sets that scope's generator.
void seed(std::uint64_t seed);

/// While it lives, the calling thread draws from this generator.
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

/// The calling thread's generator for draws that hold for a whole batch. The shards of a batch all
/// start from the same state and draw the same numbers; elsewhere it is generator().
Generator& batch_generator();
/// Makes batch_generator() a copy of `shared` on the calling thread, as long as the scope lasts.
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
