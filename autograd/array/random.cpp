#include "attune/autograd/array/random.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstring>
#include <mutex>
#include <numbers>
#include <thread>
#include <utility>

#include "attune/autograd/array/error.h"
#include "attune/autograd/array/parallel.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

static_assert(std::endian::native == std::endian::little);

namespace attune {
namespace {

constexpr int kRounds = 10;
constexpr std::uint64_t kFactor0 = 0xD2511F53, kFactor1 = 0xCD9E8D57;
constexpr std::uint32_t kKeyStep0 = 0x9E3779B9, kKeyStep1 = 0xBB67AE85;

// philox_calls() computes philox() for kCalls consecutive indices from `first` on, with SIMD
// instructions: one index per 64-bit lane.
constexpr int kCalls = 32;

#if defined(__AVX512F__)
constexpr int kLanes = 8;
#elif defined(__AVX2__)
constexpr int kLanes = 4;
#else
constexpr int kLanes = 2;
#endif
// GCC vector extensions: each operation on Lanes is one instruction.
typedef std::uint64_t Lanes __attribute__((vector_size(8 * kLanes)));

// Products of the lower halves of each lane.
Lanes multiply(Lanes a, Lanes b) {
#if defined(__AVX512F__)
  // Masked with all lanes: g++ 12 warns of an uninitialised value in the unmasked function.
  return reinterpret_cast<Lanes>(
      _mm512_maskz_mul_epu32(0xff, reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b)));
#elif defined(__AVX2__)
  return reinterpret_cast<Lanes>(
      _mm256_mul_epu32(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b)));
#elif defined(__SSE2__)
  return reinterpret_cast<Lanes>(
      _mm_mul_epu32(reinterpret_cast<__m128i>(a), reinterpret_cast<__m128i>(b)));
#else
  return (a & 0xffffffff) * (b & 0xffffffff);
#endif
}

void philox_calls(std::uint64_t key, std::uint64_t stream, std::uint64_t first,
                  std::uint32_t* out) {
  constexpr int kTogether = 4;  // interleaved, to hide the latency of products
  Lanes lane;
  for (int i = 0; i < kLanes; ++i) lane[i] = static_cast<std::uint64_t>(i);
  for (int call = 0; call < kCalls; call += kLanes * kTogether) {
    // As in philox(); the upper halves of lanes are ignored.
    Lanes x[4][kTogether];
    for (int v = 0; v < kTogether; ++v) {
      x[0][v] = lane + (first + static_cast<std::uint64_t>(call + v * kLanes));
      x[1][v] = x[0][v] >> 32;
      x[2][v] = Lanes{} + stream;
      x[3][v] = Lanes{} + (stream >> 32);
    }
    auto k0 = static_cast<std::uint32_t>(key), k1 = static_cast<std::uint32_t>(key >> 32);
#pragma GCC unroll 10
    for (int round = 0; round < kRounds; ++round) {
#pragma GCC unroll 4
      for (int v = 0; v < kTogether; ++v) {
        const Lanes a = multiply(x[0][v], Lanes{} + kFactor0);
        const Lanes b = multiply(x[2][v], Lanes{} + kFactor1);
        x[0][v] = (b >> 32) ^ x[1][v] ^ k0;
        x[1][v] = b;
        x[2][v] = (a >> 32) ^ x[3][v] ^ k1;
        x[3][v] = a;
      }
      k0 += kKeyStep0;
      k1 += kKeyStep1;
    }
    for (int v = 0; v < kTogether; ++v) {
      const Lanes front = (x[0][v] & 0xffffffff) | (x[1][v] << 32);
      const Lanes back = (x[2][v] & 0xffffffff) | (x[3][v] << 32);
      for (int i = 0; i < kLanes; ++i) {
        const std::uint64_t four[2] = {front[i], back[i]};
        std::memcpy(out + 4 * (call + v * kLanes + i), four, sizeof four);
      }
    }
  }
}

// Uniform numbers in [0, 1): 24 bits for float32, where they are exact, and 53 bits for float64.
double unit(std::uint32_t high, std::uint32_t low) {
  const std::uint64_t bits = (std::uint64_t{high} << 32 | low) >> 11;
  return static_cast<double>(bits) * 0x1p-53;
}
void units(const std::uint32_t* bits, std::array<float, 4 * kCalls>& out) {
#pragma omp simd
  for (int i = 0; i < 4 * kCalls; ++i)
    out[i] = static_cast<float>(static_cast<std::int32_t>(bits[i] >> 8)) * 0x1p-24f;
}
void units(const std::uint32_t* bits, std::array<double, 2 * kCalls>& out) {
  for (int i = 0; i < 2 * kCalls; ++i) out[i] = unit(bits[2 * i], bits[2 * i + 1]);
}

Generator part_of(std::uint64_t seed, std::uint64_t stream, std::uint64_t part) {
  const auto bits = philox(seed, stream, part);
  return Generator(std::uint64_t{bits[1]} << 32 | bits[0]);
}

// Calls fill(units, out, count) for each block of uniform numbers from kCalls calls of philox(),
// each of which gives four floats or two doubles.
template <typename T, typename Unit = T, typename Fill>
void generate(Array& out, std::uint64_t seed, std::uint64_t draw, const Fill& fill) {
  constexpr std::int64_t kWidth = kCalls * 16 / static_cast<std::int64_t>(sizeof(Unit));
  const std::int64_t n = out.elements();
  T* data = out.mutable_data<T>();
  parallel_for((n + kWidth - 1) / kWidth, 64, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t block = first; block < last; ++block) {
      std::uint32_t bits[4 * kCalls];
      philox_calls(seed, draw, static_cast<std::uint64_t>(block * kCalls), bits);
      std::array<Unit, kWidth> numbers;
      units(bits, numbers);
      fill(numbers, data + block * kWidth, std::min(kWidth, n - block * kWidth));
    }
  });
}

}  // namespace

std::array<std::uint32_t, 4> philox(std::uint64_t key, std::uint64_t stream, std::uint64_t index) {
  std::array<std::uint32_t, 4> x{
      static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32),
      static_cast<std::uint32_t>(stream), static_cast<std::uint32_t>(stream >> 32)};
  auto k0 = static_cast<std::uint32_t>(key), k1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < kRounds; ++round) {
    const std::uint64_t a = kFactor0 * x[0];
    const std::uint64_t b = kFactor1 * x[2];
    x = {static_cast<std::uint32_t>(b >> 32) ^ x[1] ^ k0, static_cast<std::uint32_t>(b),
         static_cast<std::uint32_t>(a >> 32) ^ x[3] ^ k1, static_cast<std::uint32_t>(a)};
    k0 += kKeyStep0;
    k1 += kKeyStep1;
  }
  return x;
}

void Generator::uniform(Array& out, double low, double high) {
  ATTUNE_CHECK(low <= high, "Generator::uniform: the range [{}, {}) is empty; low must not be more",
               low, high);
  dispatch(out.dtype(), [&](auto type) {
    using T = decltype(type);
    ATTUNE_CHECK(
        out.elements() == 0 || (std::isfinite(static_cast<T>(low)) &&
                                std::isfinite(static_cast<T>(high)) && std::isfinite(high - low)),
        "Generator::uniform: the range [{}, {}) is too large for {}", low, high,
        name_of(out.dtype()));
    const T last =
        std::nextafter(static_cast<T>(high), static_cast<T>(low));  // rounding may reach high
    generate<T>(out, seed_, draws_, [&](const auto& numbers, T* to, std::int64_t count) {
      for (std::int64_t i = 0; i < count; ++i)
        to[i] = std::min(last, static_cast<T>(low + (high - low) * numbers[i]));
    });
  });
  ++draws_;
}

void Generator::normal(Array& out, double mean, double deviation) {
  ATTUNE_CHECK(
      out.elements() == 0 || (std::isfinite(mean) && std::isfinite(deviation) && deviation >= 0),
      "Generator::normal: mean {} and deviation {}; both must be finite, and the deviation "
      "not negative",
      mean, deviation);
  dispatch(out.dtype(), [&](auto type) {
    using T = decltype(type);
    generate<T>(out, seed_, draws_, [&](const auto& numbers, T* to, std::int64_t count) {
      for (std::int64_t i = 0; i < count; i += 2) {
        const double radius = std::sqrt(-2 * std::log(1 - static_cast<double>(numbers[i])));
        const double angle = 2 * std::numbers::pi * numbers[i + 1];
        to[i] = static_cast<T>(mean + deviation * radius * std::cos(angle));
        if (i + 1 < count) to[i + 1] = static_cast<T>(mean + deviation * radius * std::sin(angle));
      }
    });
  });
  ++draws_;
}

void Generator::dropout_mask(Array& out, double p) {
  ATTUNE_CHECK(p >= 0 && p <= 1, "Generator::dropout_mask: p is {}; it must be in [0, 1]", p);
  dispatch(out.dtype(), [&](auto type) {
    using T = decltype(type);
    const T kept = static_cast<T>(1 / (1 - p));
    const auto draw = [&]<typename Unit>(Unit limit) {
      generate<T, Unit>(out, seed_, draws_, [=](const auto& numbers, T* to, std::int64_t count) {
#pragma omp simd
        for (std::int64_t i = 0; i < count; ++i) to[i] = numbers[i] < limit ? T{0} : kept;
      });
    };
    // float32 random numbers have 24 bits: x < p if and only if x is below p rounded up to 24 bits.
    // That is too coarse for p close to 0 or 1.
    constexpr double kClose = 0x1p-12;
    const bool coarse = (p > 0 && p < kClose) || (p < 1 && 1 - p < kClose);
    if (sizeof(T) == sizeof(float) && !coarse)
      draw(static_cast<float>(std::ceil(p * 0x1p24) * 0x1p-24));
    else
      draw(p);
  });
  ++draws_;
}

double Generator::uniform() {
  const auto bits = philox(seed_, draws_++, 0);
  return unit(bits[0], bits[1]);
}

std::vector<Generator> Generator::split(std::int64_t count) {
  ATTUNE_CHECK(count >= 0, "Generator::split: {} parts; expected at least 0", count);
  std::vector<Generator> parts;
  parts.reserve(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i)
    parts.push_back(part_of(seed_, draws_, static_cast<std::uint64_t>(i)));
  ++draws_;
  return parts;
}

std::int64_t Generator::below(std::int64_t n) {
  ATTUNE_CHECK(n >= 1, "Generator::below: {} is not a positive bound", n);
  if (n <= std::int64_t{1} << 32)
    return static_cast<std::int64_t>(uniform() * static_cast<double>(n));
  // Too large for 53 random bits to be unbiased. Takes the upper half of a 128-bit product, and
  // draws again if the lower half is below 2^64 mod n (Lemire 2019, "Fast Random Integer Generation
  // in an Interval").
  const auto bound = static_cast<std::uint64_t>(n);
  const std::uint64_t over = (0 - bound) % bound;
  for (std::uint64_t trial = 0;; ++trial) {
    const auto bits = philox(seed_, draws_, trial);
    const auto product =
        static_cast<unsigned __int128>(std::uint64_t{bits[0]} << 32 | bits[1]) * bound;
    if (static_cast<std::uint64_t>(product) < over) continue;
    ++draws_;
    return static_cast<std::int64_t>(product >> 64);
  }
}

// Each thread's generator

namespace {

// The stream from which threads' seeds are derived, far beyond any draw of a generator.
constexpr std::uint64_t kThreadStream = ~std::uint64_t{0};

// The process's seed, how many threads have derived a generator from it, and how often it was set.
std::mutex process_mutex;
std::uint64_t process_seed = 0, process_threads = 0;
std::atomic<std::uint64_t> process_seedings{0};

// The first call is made before main().
bool is_main_thread() {
  static const std::thread::id main_thread = std::this_thread::get_id();
  return std::this_thread::get_id() == main_thread;
}
[[maybe_unused]] const bool main_thread_is_known = is_main_thread();

struct ThreadState {
  Generator generator{0};
  bool seeded = false;         // independent of the process's seed
  std::uint64_t seedings = 0;  // process_seedings + 1 when derived; 0: never
};
constinit thread_local ThreadState thread_state;
thread_local Generator* scoped_generator = nullptr;

void follow_process_seed() {
  if (is_main_thread()) {
    thread_state.seeded = true;
    return;
  }
  const std::lock_guard lock(process_mutex);
  thread_state.seedings = process_seedings.load(std::memory_order_relaxed) + 1;
  thread_state.generator = part_of(process_seed, kThreadStream, process_threads++);
}

}  // namespace

Generator& generator() {
  if (scoped_generator) return *scoped_generator;
  if (!thread_state.seeded &&
      thread_state.seedings != process_seedings.load(std::memory_order_acquire) + 1)
    follow_process_seed();
  return thread_state.generator;
}

void seed(std::uint64_t seed) {
  if (scoped_generator) {
    *scoped_generator = Generator(seed);
    return;
  }
  thread_state.seeded = true;
  thread_state.generator = Generator(seed);
  const std::lock_guard lock(process_mutex);
  process_seed = seed;
  process_threads = 0;
  process_seedings.fetch_add(1, std::memory_order_release);
}

GeneratorScope::GeneratorScope(const Generator& generator)
    : generator_(generator), outer_(std::exchange(scoped_generator, &generator_)) {}

GeneratorScope::~GeneratorScope() { scoped_generator = outer_; }

namespace {

thread_local Generator* of_batch = nullptr;  // nullptr: generator()

}  // namespace

Generator& batch_generator() { return of_batch == nullptr ? generator() : *of_batch; }

BatchGenerator::BatchGenerator(const Generator& shared)
    : current_(shared), outer_(std::exchange(of_batch, &current_)) {}

BatchGenerator::~BatchGenerator() { of_batch = outer_; }

}  // namespace attune
