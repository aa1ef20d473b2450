#include "attune/autograd/kernels/gemm.h"

#include <benchmark/benchmark.h>
#include <cblas.h>
#include <fmt/core.h>

#include "attune/autograd/array/random.h"
#include "bench/micro/micro.h"

using namespace attune;
using namespace attune::kernels;

namespace {

struct Product {
  std::int64_t m, n, k;
  const char* operands;  // one letter each: N as stored, T transposed
  bool a_transposed() const { return operands[0] == 'T'; }
  bool b_transposed() const { return operands[1] == 'T'; }
};

// Shapes that occur in the workloads, and a few square ones.
constexpr Product kProducts[] = {
    {64, 768, 256, "NT"},   {64, 256, 768, "NN"},  {768, 256, 64, "TN"},     {1280, 256, 256, "NN"},
    {256, 256, 1280, "TN"}, {32, 192, 64, "NT"},   {192, 64, 32, "TN"},      {2048, 512, 128, "NT"},
    {32, 32, 32, "NN"},     {512, 512, 512, "NN"}, {2048, 2048, 2048, "NN"},
};

// The operands as stored, with their row strides.
struct Matrices {
  explicit Matrices(const Product& p)
      : a(Shape{p.m, p.k}),
        b(Shape{p.k, p.n}),
        c(Shape{p.m, p.n}),
        lda(p.a_transposed() ? p.m : p.k),
        ldb(p.b_transposed() ? p.k : p.n) {
    Generator random(1);
    random.uniform(a, -1, 1);
    random.uniform(b, -1, 1);
  }
  Array a, b, c;
  std::int64_t lda, ldb;
};

void count_flops(benchmark::State& state, const Product& p) {
  const double flops = 2e-9 * static_cast<double>(p.m * p.n * p.k);
  state.counters["GFLOP/s"] = benchmark::Counter(flops * static_cast<double>(state.iterations()),
                                                 benchmark::Counter::kIsRate);
}

void ours(benchmark::State& state, const Product& p) {
  Matrices x(p);
  for (auto _ : state)
    gemm<float>(p.a_transposed() ? Op::transpose : Op::none,
                p.b_transposed() ? Op::transpose : Op::none, p.m, p.n, p.k, x.a.data<float>(),
                x.lda, x.b.data<float>(), x.ldb, 0, x.c.mutable_data<float>(), p.n);
  count_flops(state, p);
}

void openblas(benchmark::State& state, const Product& p) {
  Matrices x(p);
  openblas_set_num_threads(1);
  const auto size = [](std::int64_t n) { return static_cast<blasint>(n); };
  for (auto _ : state)
    cblas_sgemm(CblasRowMajor, p.a_transposed() ? CblasTrans : CblasNoTrans,
                p.b_transposed() ? CblasTrans : CblasNoTrans, size(p.m), size(p.n), size(p.k), 1,
                x.a.data<float>(), size(x.lda), x.b.data<float>(), size(x.ldb), 0,
                x.c.mutable_data<float>(), size(p.n));
  count_flops(state, p);
}

}  // namespace

void register_gemm() {
  for (const Product& p : kProducts) {
    const std::string name = fmt::format("gemm/{}x{}x{} {}", p.m, p.n, p.k, p.operands);
    benchmark::RegisterBenchmark((name + "/attune").c_str(), ours, p);
    benchmark::RegisterBenchmark((name + "/openblas, 1 thread").c_str(), openblas, p);
  }
}
