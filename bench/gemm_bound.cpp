// A lower bound for the time of a training step: that of its matrix products alone, on OpenBLAS,
// for the forward pass and both gradients, with their real shapes and counts. Products that depend
// on the previous time step run one step at a time. Several strategies are tried, and the fastest
// is measured.

#include <cblas.h>

#include <algorithm>
#include <barrier>
#include <chrono>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "bench/harness/run.h"

namespace {

using std::int64_t;

// C += A B, computed `steps * batch` times. `blocks` is the number of different matrices of each
// operand, stored one after the other; a shared weight has one.
struct Product {
  CBLAS_TRANSPOSE op_a, op_b;
  int64_t m, n, k;
  int64_t steps = 1, batch = 1;
  struct Blocks {
    int64_t a = 1, b = 1, c = 1;
  } blocks = {};
};

double gflop(const std::vector<Product>& products) {
  double sum = 0;
  for (const Product& p : products) {
    const int64_t elements = p.m * p.n * p.k * p.steps * p.batch;
    sum += 2e-9 * static_cast<double>(elements);
  }
  return sum;
}

// --- the products of each workload ---------------------------------------------------------------

struct StepProducts : std::vector<Product> {
  // y = x W^T for `rows` rows, W [out, in], with the gradients of x and W. The first two are split
  // into `steps` products each, the gradient of W into `gradient_steps`.
  void linear(int64_t rows, int64_t in, int64_t out, int64_t steps, int64_t gradient_steps) {
    const int64_t at_once = rows / steps;
    push_back({CblasNoTrans, CblasTrans, at_once, out, in, steps, 1, {steps, 1, steps}});
    push_back({CblasNoTrans, CblasNoTrans, at_once, in, out, steps, 1, {steps, 1, steps}});
    push_back({CblasTrans,
               CblasNoTrans,
               out,
               in,
               rows / gradient_steps,
               gradient_steps,
               1,
               {gradient_steps, gradient_steps, 1}});
  }
  void linear(int64_t rows, int64_t in, int64_t out) { linear(rows, in, out, 1, 1); }

  // y = A B for each matrix of a batch in each of `steps` steps, with the gradients of A and B.
  void batched(int64_t batch, int64_t m, int64_t n, int64_t k, int64_t steps = 1) {
    const int64_t all = batch * steps;
    push_back({CblasNoTrans, CblasNoTrans, m, n, k, steps, batch, {all, batch, all}});
    push_back({CblasNoTrans, CblasTrans, m, k, n, steps, batch, {all, batch, all}});
    push_back({CblasTrans, CblasNoTrans, k, n, m, steps, batch, {all, all, batch}});
  }

  // For each head: queries [T, d] times keys [S, d], and weights [T, S] times values [S, d].
  void attention(int64_t heads, int64_t queries, int64_t keys, int64_t width) {
    batched(heads, queries, keys, width);
    batched(heads, queries, width, keys);
  }
};

// `merged`: products that do not depend on the previous step, weight gradients included, are one
// product for all steps. Otherwise each step has its own, as with separate cells.
StepProducts rnnsearch(const bench::RnnSearchSizes& n, bool merged) {
  const int64_t rows = n.length * n.batch, steps = n.length, gates = 3 * n.hidden;
  const int64_t where_free = merged ? 1 : steps;
  StepProducts products;
  products.linear(rows, n.embedding, gates, where_free, where_free);  // encoder
  products.linear(rows, n.hidden, gates, steps, where_free);
  products.linear(rows, n.hidden, n.attention);                     // keys
  products.linear(rows, n.hidden, n.attention, steps, where_free);  // queries
  products.batched(1, n.batch * n.length, 1, n.attention, steps);   // scores: tanh(...) v
  products.batched(n.batch, 1, n.hidden, n.length, steps);          // weighted sums
  if (merged) {                                                     // decoder: tokens, contexts
    products.linear(rows, n.embedding, gates);
    products.linear(rows, n.hidden, gates, steps, 1);
  } else {
    products.linear(rows, n.embedding + n.hidden, gates, steps, steps);
  }
  products.linear(rows, n.hidden, gates, steps, where_free);
  products.linear(rows, 2 * n.hidden, n.vocabulary);  // output
  return products;
}

// `translates`: with an encoder, and attention to it.
StepProducts transformer(const bench::TransformerSizes& n, bool translates) {
  const int64_t rows = n.batch * n.length;
  StepProducts products;
  const auto attention = [&] {
    for (int projection = 0; projection < 4; ++projection) products.linear(rows, n.width, n.width);
    products.attention(n.batch * n.heads, n.length, n.length, n.width / n.heads);
  };
  const auto feed_forward = [&] {
    products.linear(rows, n.width, n.feed_forward);
    products.linear(rows, n.feed_forward, n.width);
  };
  for (int layer = 0; layer < n.layers; ++layer) {
    attention();
    feed_forward();
    if (!translates) continue;
    attention();
    attention();
    feed_forward();
  }
  products.linear(rows, n.width, n.vocabulary);
  return products;
}

// --- running the products ------------------------------------------------------------------------

// How products are split among threads: by OpenBLAS, or each thread computes its rows or columns of
// every result (or its part of a batch) without waiting for the others.
int threads = 1;
enum class Sharing { by_openblas, rows, columns };

// A team of threads that call one function together, each with its index. attune::parallel_for does
// not fit here: if a thread finishes a millisecond late, it assumes that another program occupies
// the core.
class Team {
 public:
  explicit Team(int size) : size_(size), start_(size), finish_(size) {
    for (int i = 1; i < size; ++i)
      workers_.emplace_back([this, i] {
        for (start_.arrive_and_wait(); body_; start_.arrive_and_wait()) {
          body_(i);
          finish_.arrive_and_wait();
        }
      });
  }
  ~Team() {
    body_ = nullptr;
    start_.arrive_and_wait();
  }

  int size() const { return size_; }
  void run(std::function<void(int)> body) {
    body_ = std::move(body);
    start_.arrive_and_wait();
    body_(0);
    finish_.arrive_and_wait();
  }

 private:
  int size_;
  std::barrier<> start_, finish_;
  std::function<void(int)> body_;
  std::vector<std::jthread> workers_;
};

class Runner {
 public:
  explicit Runner(std::vector<Product> products) {
    for (const Product& p : products) {
      const auto operand = [](int64_t elements, float value) {
        return std::vector<float>(static_cast<std::size_t>(elements), value);
      };
      work_.push_back({p, operand(p.blocks.a * p.m * p.k, 1e-4F),
                       operand(p.blocks.b * p.k * p.n, 1e-4F), operand(p.blocks.c * p.m * p.n, 0)});
    }
  }

  void run(Sharing sharing) {
    const auto run_part = [&](int part, int parts) {
      for (Work& work : work_) run(work, sharing, part, parts);
    };
    if (sharing == Sharing::by_openblas) {
      openblas_set_num_threads(threads);
      run_part(0, 1);
    } else {
      static Team team(threads);
      openblas_set_num_threads(1);
      team.run([&](int part) { run_part(part, team.size()); });
    }
  }

  // Reads one element of every product's last block, so that none can be optimised away.
  double checksum() const {
    double sum = 0;
    for (const Work& work : work_) sum += static_cast<double>(work.c.back());
    return sum;
  }

 private:
  struct Work {
    Product product;
    std::vector<float> a, b, c;
  };
  struct Range {
    int64_t first, last;
    int64_t size() const { return last - first; }
  };

  static void run(Work& work, Sharing sharing, int64_t part, int64_t parts) {
    const Product& p = work.product;
    const auto my_part = [&](int64_t n) { return Range{n * part / parts, n * (part + 1) / parts}; };
    Range batch{0, p.batch}, rows{0, p.m}, columns{0, p.n};
    if (p.batch > 1)
      batch = my_part(p.batch);
    else if (sharing == Sharing::columns && p.n > 1)
      columns = my_part(p.n);
    else
      rows = my_part(p.m);
    for (int64_t step = 0; step < p.steps; ++step)
      for (int64_t i = batch.first; i < batch.last; ++i)
        multiply(work, step * p.batch + i, rows, columns);
  }

  // Computes rows and columns of product `index`.
  static void multiply(Work& work, int64_t index, Range rows, Range columns) {
    const Product& p = work.product;
    if (rows.size() == 0 || columns.size() == 0) return;
    const bool a_lies = p.op_a == CblasNoTrans, b_lies = p.op_b == CblasNoTrans;
    const int64_t lda = a_lies ? p.k : p.m, ldb = b_lies ? p.n : p.k;
    const float* a = work.a.data() + index % p.blocks.a * p.m * p.k;
    const float* b = work.b.data() + index % p.blocks.b * p.k * p.n;
    float* c = work.c.data() + index % p.blocks.c * p.m * p.n;
    a += rows.first * (a_lies ? lda : 1);
    b += columns.first * (b_lies ? 1 : ldb);
    c += rows.first * p.n + columns.first;
    const auto i = [](int64_t n) { return static_cast<blasint>(n); };
    // For a single column, gemm is seven times slower than the functions for vectors.
    if (p.n == 1)
      cblas_sgemv(CblasRowMajor, p.op_a, i(a_lies ? rows.size() : p.k),
                  i(a_lies ? p.k : rows.size()), 1, a, i(lda), b, 1, 1, c, 1);
    else if (p.m == 1)
      cblas_sgemv(CblasRowMajor, b_lies ? CblasTrans : CblasNoTrans,
                  i(b_lies ? p.k : columns.size()), i(b_lies ? columns.size() : p.k), 1, b, i(ldb),
                  a, 1, 1, c, 1);
    else if (p.k == 1)
      cblas_sger(CblasRowMajor, i(rows.size()), i(columns.size()), 1, a, 1, b, 1, c, i(p.n));
    else
      cblas_sgemm(CblasRowMajor, p.op_a, p.op_b, i(rows.size()), i(columns.size()), i(p.k), 1, a,
                  i(lda), b, i(ldb), 1, c, i(p.n));
  }

  std::vector<Work> work_;
};

// --- choosing the fastest strategy ---------------------------------------------------------------

struct Candidate {
  std::string name;
  std::shared_ptr<Runner> runner;
  Sharing sharing;
  double best = std::numeric_limits<double>::infinity();
};

std::vector<Candidate> candidates(const std::string& name, const std::vector<Product>& products) {
  const auto runner = std::make_shared<Runner>(products);
  if (threads == 1) return {{name + "one thread", runner, Sharing::rows}};
  return {{name + "OpenBLAS's threads", runner, Sharing::by_openblas},
          {name + "rows for each thread", runner, Sharing::rows},
          {name + "columns for each thread", runner, Sharing::columns}};
}

// Rounds are long enough for OpenBLAS's threads to stop spinning before the others are timed.
bench::Workload fastest(std::vector<Candidate> candidates, int64_t tokens, double gflop) {
  using Clock = std::chrono::steady_clock;
  for (int round = 0; round < 4; ++round)
    for (Candidate& candidate : candidates)
      for (const auto end = Clock::now() + std::chrono::milliseconds(30); Clock::now() < end;) {
        const auto begin = Clock::now();
        candidate.runner->run(candidate.sharing);
        const std::chrono::duration<double> time = Clock::now() - begin;
        candidate.best = std::min(candidate.best, time.count());
      }
  const Candidate best = *std::ranges::min_element(candidates, {}, &Candidate::best);
  return {tokens,
          [=] {
            best.runner->run(best.sharing);
            return best.runner->checksum();
          },
          gflop, best.name};
}

bench::Workload rnnsearch_bound(const bench::RnnSearchSizes& n) {
  const std::vector<Product> merged = rnnsearch(n, true), per_step = rnnsearch(n, false);
  std::vector<Candidate> all = candidates("merged, ", merged);
  for (Candidate& candidate : candidates("per step, ", per_step))
    all.push_back(std::move(candidate));
  return fastest(all, 2 * n.batch * n.length, gflop(merged));
}

bench::Workload transformer_bound(const bench::TransformerSizes& n) {
  const std::vector<Product> products = transformer(n, /*translates=*/true);
  return fastest(candidates("", products), 2 * n.batch * n.length, gflop(products));
}

bench::Workload language_model_bound(const bench::TransformerSizes& n) {
  const std::vector<Product> products = transformer(n, /*translates=*/false);
  return fastest(candidates("", products), n.batch * n.length, gflop(products));
}

bench::Workload attention_bound(const bench::AttentionSizes& n) {
  StepProducts products;
  products.attention(n.batch * n.heads, n.length, n.length, n.width);
  return fastest(candidates("", products), n.batch * n.length, gflop(products));
}

}  // namespace

int main(int argc, char** argv) {
  using namespace bench;
  const Program program{
      .name = "gemm_bound",
      .version = openblas_get_config() + std::string(" ") + openblas_get_corename(),
      .default_threads = static_cast<int>(std::max(1U, std::thread::hardware_concurrency())),
      .set_threads = [](int count) { threads = count; },
      .workloads =
          {
              {"W1", [](const Options&) { return rnnsearch_bound(kW1); }},
              {"W2", [](const Options&) { return rnnsearch_bound(kW2); }},
              {"W3", [](const Options&) { return transformer_bound(kW3); }},
              {"W4", [](const Options&) { return rnnsearch_bound(kW4); }},
              {"W5",
               [](const Options& options) {
                 return attention_bound({kW5.batch, kW5.heads, options.length, kW5.width});
               }},
              {"W8", [](const Options&) { return language_model_bound(kW8); }},
          },
  };
  return run(program, argc, argv);
}
